/* Why a connection fails: which sockets a client of a URI looks for, what is the matter with the
 * one that it opens, and what helps. A daemon that is stopped is not started by this. */
#pragma once

#include <stdio.h>

#include "common/splitvirt/conn_uri.h"
#include "common/splitvirt/status.h"

typedef enum Finding {
    FINDING_WORKS,
    FINDING_STARTS, /* it works: the connection starts the daemon */
    FINDING_NOT_INSTALLED,
    FINDING_STOPPED,
    FINDING_MASKED,
    FINDING_FAILED,
    FINDING_NO_PERMISSION,
    FINDING_REFUSED,   /* nobody listens */
    FINDING_NO_ANSWER,
    FINDING_DENIED, /* the daemon says no */
    FINDING_NOT_LOCAL, /* nothing that can be seen from here */
} Finding;

typedef struct Candidate {
    char *path;
    const char *role; /* "driver", "legacy", "read-only", … */
    const char *daemon; /* whose it is; also of daemons that the suite does not have */
    SuiteSocketKind kind;
    bool is_legacy; /* "libvirt-sock" and its like */
    SocketProbe probe;
} Candidate;

typedef struct Diagnosis {
    ConnUri *uri;
    bool is_read_only, is_session, is_admin;
    GPtrArray *candidates; /* of Candidate; the opened one is the first */
    SuiteStatus *suite;    /* NULL for what is not local */
    Finding finding;
    char *reason, *advice; /* advice may be NULL */
} Diagnosis;

/* @uri NULL: the one that LIBVIRT_DEFAULT_URI names. Errors: INVALID_ARG. */
SUSPENDS Diagnosis *diagnosis_make(FiberLoop *loop, const Paths *paths, const char *uri,
                                   bool is_read_only, GError **error);
void diagnosis_free(Diagnosis *diagnosis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Diagnosis, diagnosis_free)
/* Whether a client would get its connection. */
bool diagnosis_is_good(const Diagnosis *diagnosis);

/* candidates.c. Fills in the candidates; none for what opens no socket of this host.
 * Errors: see paths_socket(). */
bool diagnosis_find_candidates(Diagnosis *diagnosis, const Paths *paths, GError **error);
/* diagnose_print.c */
void diagnosis_print(const Diagnosis *diagnosis, FILE *out);
