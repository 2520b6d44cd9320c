/* What belongs to the suite, for a program that looks at it from outside: the daemons, their
 * sockets, and the systemd units that own these. Names are libvirt's (manual: "daemons.html"). */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "common/config_keys.h"
#include "common/paths.h"

typedef enum SuiteSocketKind {
    SUITE_SOCKET_MAIN,
    SUITE_SOCKET_RO,
    SUITE_SOCKET_ADMIN,
    SUITE_SOCKET_TCP, /* has a unit and no path */
    SUITE_SOCKET_TLS,
} SuiteSocketKind;

/* Constant data. */
typedef struct SuiteDaemon {
    const char *name;        /* "virtqemud" */
    ConfigDaemon config;
    const char *scheme;      /* of its URIs; NULL: opens none */
    const char *legacy_name; /* further name of its sockets, NULL: none */
    bool has_network;        /* listens for TCP and TLS when told to */
} SuiteDaemon;

extern const SuiteDaemon suite_daemons[];
extern const size_t n_suite_daemons;

typedef struct SuiteSocket {
    SuiteSocketKind kind;
    char *path; /* NULL for TCP and TLS */
    bool is_legacy; /* the single daemon of old may have it as well */
    char *unit; /* "virtqemud-ro.socket" */
} SuiteSocket;

/* NULL when the suite has no such daemon. */
const SuiteDaemon *suite_find_daemon(const char *name);
/* "main", "read-only", "admin", "tcp", "tls". */
const char *suite_socket_kind_name(SuiteSocketKind kind);
/* The sockets of @daemon in @folder, those that clients look for first; to be unreffed. A session
 * has no read-only and no network sockets. Errors: see paths_socket(). */
GPtrArray *suite_daemon_sockets(const SuiteDaemon *daemon, const char *folder, bool is_session,
                                GError **error);
/* The unit that owns the socket of this kind of daemon @name; to be freed. */
char *suite_socket_unit(const char *name, SuiteSocketKind kind);
/* The installed program of daemon @name, NULL when there is none; to be freed. */
char *suite_find_program(const char *name);
