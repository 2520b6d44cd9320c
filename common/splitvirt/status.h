/* The state of the whole suite at one moment. What is there is looked at from outside; only
 * daemons that run are asked, so looking starts none. */
#pragma once

#include <stdio.h>

#include "common/splitvirt/socket_probe.h"
#include "common/splitvirt/suite.h"
#include "common/splitvirt/unit_table.h"
#include "fiber/fiber.h"

typedef enum DaemonState {
    DAEMON_RUNNING,
    DAEMON_STOPPED, /* and fine: it has left, or was never started */
    DAEMON_FAILED,
    DAEMON_MASKED,
    DAEMON_ABSENT, /* not installed */
    DAEMON_UNKNOWN,
    N_DAEMON_STATES,
} DaemonState;

typedef struct SocketStatus {
    const SuiteSocket *names;
    SocketProbe probe;
    const Unit *unit; /* NULL: nobody can tell */
} SocketStatus;

typedef struct DaemonStatus {
    const SuiteDaemon *daemon;
    DaemonState state;
    char *reason; /* NULL for one that runs */
    bool starts_on_demand; /* a connection would start it */
    pid_t pid;             /* 0: none, or not known */
    const Unit *unit;      /* its service */
    GPtrArray *socket_names; /* of SuiteSocket */
    GArray *sockets;         /* of SocketStatus */
    char *program;           /* NULL: none found */
    char *installed_version, *protocol_level; /* NULL: not known */
    bool hangs;       /* it accepts connections and does not answer */
    bool is_outdated; /* runs a program that has been replaced since */
    bool has_clients, has_guests;
    unsigned n_clients, max_clients;
    unsigned n_running_guests, n_shut_off_guests;
    bool guests_are_from_files; /* the daemon was not asked */
    GPtrArray *notes;           /* of strings: what could not be found out, and why */
} DaemonStatus;

typedef struct SuiteStatus {
    bool is_session, has_systemd;
    char *root;           /* NULL: the system's own folders */
    char *units_reason;   /* why systemd was not asked, NULL when it was */
    UnitTable *units;
    GPtrArray *daemons; /* of DaemonStatus, in the order of suite_daemons */
} SuiteStatus;

/* Runs in a fiber of @loop; takes some seconds when a daemon hangs.
 * Errors: those of channel_pool_new(). */
SUSPENDS SuiteStatus *suite_status_read(FiberLoop *loop, const Paths *paths, GError **error);
/* The same without asking any daemon: no clients, no guests, no versions. Does not wait but for
 * systemd's answer. */
SuiteStatus *suite_status_look(const Paths *paths);
void suite_status_free(SuiteStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SuiteStatus, suite_status_free)
/* Whether no daemon has failed and none hangs. */
bool suite_status_is_fine(const SuiteStatus *status);
/* "running", "stopped", "failed", "masked", "absent", "unknown". */
const char *daemon_state_name(DaemonState state);

/* status_print.c. For people, and for programs: one JSON value, see splitvirt(1). */
void suite_status_print(const SuiteStatus *status, FILE *out);
void suite_status_print_json(const SuiteStatus *status, FILE *out);
