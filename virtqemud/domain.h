/* A domain as the store of domains keeps it: its identity, what lists ask for, and how to get at
 * the rest: its persistent definition (definitions.h) and its running guest (guest/guest.h).
 * Belongs to the store; calls hold references. What it is survives a restart in two files: the
 * definition and the guest's state. */
#pragma once

#include "common/objects.h"
#include "virtqemud/guest/job.h"
#include "virtqemud/model/domain_def.h"
#include "wire/remote_types.h"

typedef struct Guest Guest;

typedef struct Domain {
    Object object;
    int id;    /* of the running guest; -1 while there is none */
    int state; /* virDomainState */
    int reason; /* of the state's own enumeration */
    bool is_persistent;
    bool is_autostarted; /* with the host */
    bool is_autostarted_once; /* the next time that the host starts */
    DomainDef *definition; /* the persistent one, while it is in memory: definitions.h */
    GList warm_link;
    FiberMutex definition_lock; /* held over a change of what is on disk */
    Guest *guest;               /* NULL while there is none; from the first step of a start on */
    JobQueue jobs;
} Domain;

extern const ObjectType domain_type;

/* A domain that is shut off, in no store. The reference is the caller's. */
Domain *domain_new(const char *name, const Uuid *uuid);

bool domain_is_active(const Domain *domain);
void domain_set_state(Domain *domain, int state, int reason);

/* Which VIR_CONNECT_LIST_DOMAINS_* flags are true of it. */
unsigned domain_get_traits(const Domain *domain);
/* Whether a list with these flags shows it. Flags that are no filter are not looked at. */
bool domain_matches(const Domain *domain, unsigned flags);
/* Every flag that domain_matches() knows. */
extern const unsigned domain_filter_flags;

/* Fills what a reply names a domain by; its codec frees it. */
void domain_to_wire(const Domain *domain, remote_nonnull_domain *ret_wire);
