/* What a domain is to the procedures that list and find domains: its name, uuid, id and state. */
#include "virtqemud/domain.h"

#include <string.h>

#include "common/list_filter.h"
#include "wire/api_domain.h"

const ObjectType domain_type = { "domain", VIR_FROM_QEMU, VIR_ERR_NO_DOMAIN };

#define BY_ACTIVITY (VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE)
#define BY_PERSISTENCE (VIR_CONNECT_LIST_DOMAINS_PERSISTENT | VIR_CONNECT_LIST_DOMAINS_TRANSIENT)
#define BY_STATE                                                                                   \
    (VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED |                          \
     VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER)
#define BY_SAVE (VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE | VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE)
#define BY_AUTOSTART (VIR_CONNECT_LIST_DOMAINS_AUTOSTART | VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART)
#define BY_SNAPSHOT (VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT | VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT)
#define BY_CHECKPOINT                                                                              \
    (VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT | VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT)

static const unsigned filter_groups[] = { BY_ACTIVITY,  BY_PERSISTENCE, BY_STATE,      BY_SAVE,
                                          BY_AUTOSTART, BY_SNAPSHOT,    BY_CHECKPOINT, 0 };

const unsigned domain_filter_flags = BY_ACTIVITY | BY_PERSISTENCE | BY_STATE | BY_SAVE |
                                     BY_AUTOSTART | BY_SNAPSHOT | BY_CHECKPOINT;

static void domain_free(void *object)
{
    Domain *domain = object;

    domain_def_free(domain->definition);
    g_free(domain);
}

/* An inactive one; -1 is the id of those, in the protocol as well. */
Domain *domain_new(const char *name, const Uuid *uuid)
{
    Domain *domain = g_new0(Domain, 1);

    object_init(&domain->object, name, uuid, domain_free);
    domain->id = -1;
    domain->state = VIR_DOMAIN_SHUTOFF;
    domain->reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
    domain->warm_link.data = domain;
    return domain;
}

void domain_set_state(Domain *domain, int state, int reason)
{
    domain->state = state;
    domain->reason = reason;
}

/* The id is what says it: it is given when the guest starts, and taken when it has ended. */
bool domain_is_active(const Domain *domain)
{
    return domain->id >= 0;
}

/* What is neither running, paused nor off (blocked, crashed, suspended by its own power
 * management …) is "other" to filters. */
static unsigned state_trait(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
        return VIR_CONNECT_LIST_DOMAINS_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return VIR_CONNECT_LIST_DOMAINS_PAUSED;
    case VIR_DOMAIN_SHUTOFF:
        return VIR_CONNECT_LIST_DOMAINS_SHUTOFF;
    default:
        return VIR_CONNECT_LIST_DOMAINS_OTHER;
    }
}

unsigned domain_get_traits(const Domain *domain)
{
    unsigned traits = state_trait(domain->state);

    traits |= domain_is_active(domain) ? VIR_CONNECT_LIST_DOMAINS_ACTIVE
                                       : VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    traits |= domain->is_persistent ? VIR_CONNECT_LIST_DOMAINS_PERSISTENT
                                    : VIR_CONNECT_LIST_DOMAINS_TRANSIENT;
    traits |= domain->is_autostarted ? VIR_CONNECT_LIST_DOMAINS_AUTOSTART
                                     : VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART;
    /* There is no way to make any of these yet. */
    traits |= VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE | VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT |
              VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT;
    return traits;
}

bool domain_matches(const Domain *domain, unsigned flags)
{
    return list_filter_matches(flags, filter_groups, domain_get_traits(domain));
}

void domain_to_wire(const Domain *domain, remote_nonnull_domain *ret_wire)
{
    ret_wire->name = g_strdup(domain->object.name);
    memcpy(ret_wire->uuid, domain->object.uuid.bytes, sizeof(ret_wire->uuid));
    ret_wire->id = domain->id;
}
