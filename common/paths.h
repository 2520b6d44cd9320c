/* Where a daemon's files are: the system's folders for a privileged daemon, those of the
 * user (XDG base directories) for a session daemon, and the system's layout below DIR for
 * any daemon started with --root DIR. Paths that an operator writes into a configuration
 * file are taken as they are; --root moves only what this module hands out.
 *
 * Source of the places: FILES in the daemons' manual pages; where those are silent
 * (session logs and state), what existing daemons do. Nothing here touches the disk,
 * except that the root folder must exist. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* What fits into sockaddr_un with its terminator (unix(7)). */
#define PATHS_MAX_SOCKET_LENGTH 107

typedef enum SocketKind {
    SOCKET_MAIN,
    SOCKET_RO,
    SOCKET_ADMIN,
} SocketKind;

typedef struct Paths {
    bool is_privileged; /* as paths_new was told */
    bool is_session;    /* folders of one user; never with a root */
    char *root;       /* absolute, without a slash at its end; NULL without --root */
    char *config_dir; /* system: /etc/libvirt */
    char *run_dir;    /* system: /run/libvirt */
    char *pid_dir;    /* system: /run; session: run_dir */
    char *state_dir;  /* system: /var/lib/libvirt; session: config_dir */
    char *log_dir;    /* system: /var/log/libvirt; session: cache_dir */
    char *cache_dir;  /* system: /var/cache/libvirt */
    char *ca_dir;     /* of cacert.pem; system: /etc/pki/CA */
    char *cert_dir;   /* of servercert.pem; system: /etc/pki/libvirt */
    char *key_dir;    /* of serverkey.pem; system: /etc/pki/libvirt/private */
    /* For names that are no paths (bridges, tables, scopes): "" without a root, otherwise
     * eight hexadecimal digits that are the same for every spelling of the same root. */
    char instance[9];
} Paths;

/* @is_privileged: whether the daemon runs as root. @root may be NULL or relative to the
 * present folder. Session folders come from the environment: XDG_CONFIG_HOME,
 * XDG_CACHE_HOME, XDG_RUNTIME_DIR (absolute, or they do not count), HOME.
 * Errors: SYSTEM_ERROR when @root is no folder, INTERNAL_ERROR without a home folder. */
Paths *paths_new(bool is_privileged, const char *root, GError **error);
void paths_free(Paths *paths);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Paths, paths_free)

/* FOLDER/NAME; to be freed. @name may have slashes of its own, but not at its start. */
char *paths_join(const char *folder, const char *name);

/* The configuration file and the PID file of daemon @name ("virtqemud"); to be freed. */
char *paths_config_file(const Paths *paths, const char *name);
char *paths_pid_file(const Paths *paths, const char *name);

/* NAME-sock, NAME-sock-ro or NAME-admin-sock in @folder (run_dir, or what the
 * configuration names); to be freed. Errors: CONFIG_UNSUPPORTED when the path is too long
 * for a socket. */
char *paths_socket(const char *folder, const char *name, SocketKind kind, GError **error);
