/* The settings of one daemon: what its configuration file says, checked against the
 * table of keys (config_keys.h), with defaults for the rest. A configuration is made once
 * at start and again at each reload (SIGHUP); it never changes, so whoever holds one sees
 * settings that belong together. Loading reads files and user databases: a running daemon
 * does it in fiber_offload. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <glib.h>

#include "common/config_keys.h"
#include "common/paths.h"

/* What a daemon is to do with a peer before it may call anything. AUTH_SASL is accepted
 * where nobody can connect that way; a listener whose kind is AUTH_SASL must not open. */
typedef enum AuthKind {
    AUTH_NONE,
    AUTH_SASL,
    AUTH_POLKIT,
} AuthKind;

/* What decides over defaults and over which keys count. */
typedef struct ConfigContext {
    ConfigDaemon daemon;
    const Paths *paths;
    bool is_socket_activated; /* the listening sockets come from the service manager */
    bool is_listening;        /* --listen: listen_tls is 1 unless the file says otherwise */
    /* The default of auth_unix_*: this build can ask polkit, and there is a bus to do so. */
    bool knows_polkit, has_polkit;
} ConfigContext;

/* What one server (the main or the admin one) allows. */
typedef struct ConfigLimits {
    unsigned int max_clients;
    unsigned int max_queued_clients;    /* length of the listen queue */
    unsigned int max_anonymous_clients; /* 0: no limit of its own; not for admin */
    unsigned int min_workers;           /* never above max_workers */
    unsigned int max_workers;
    unsigned int prio_workers; /* not for admin */
    unsigned int max_client_requests;
    int keepalive_interval_s; /* -1: the daemon sends none */
    unsigned int keepalive_count;
} ConfigLimits;

/* Field names are the keys; the table's documentation says what they mean. Strings are
 * NULL, lists NULL where the key has no default: an empty list is not the same. */
typedef struct DaemonConfig {
    ConfigLimits limits;
    ConfigLimits admin_limits;
    unsigned int timeout_s; /* 0: never */
    bool has_timeout;       /* whether the file set it */
    GArray *trusted_uids;   /* of uid_t; always has root and our own */

    char *unix_sock_group;
    gid_t unix_sock_gid; /* of unix_sock_group; (gid_t) -1 without one */
    mode_t unix_sock_ro_perms;
    mode_t unix_sock_rw_perms;
    mode_t unix_sock_admin_perms;
    char *unix_sock_dir;
    int auth_unix_ro; /* AuthKind, and so the other auth_* */
    int auth_unix_rw;
    int auth_tcp;
    int auth_tls;
    int access_drivers; /* has "none" alone so far */

    bool listen_tls;
    bool listen_tcp;
    char *listen_addr; /* NULL: all addresses */
    char *tls_port;    /* number or name of a service */
    char *tcp_port;
    char *key_file;
    char *cert_file;
    char *ca_file;
    char *crl_file;
    bool tls_no_sanity_certificate;
    bool tls_no_verify_certificate;
    char **tls_allowed_dn_list;
    char *tls_priority;
    char **sasl_allowed_username_list;
    unsigned int tcp_min_ssf;
    bool mdns_adv;
    char *mdns_name;

    bool has_log_level;     /* whether the file set log_level */
    unsigned int log_level; /* 1 to 4 */
    char *log_filters;      /* checked, in the syntax of log_set_filters */
    char *log_outputs;
    unsigned int audit_level;
    bool audit_logging;
    char *host_uuid;
    int host_uuid_source; /* 0: smbios, 1: machine-id */
    unsigned int ovs_timeout_s;
    bool keepalive_required;
    bool admin_keepalive_required;

    char *encryption_key_file; /* virtsecretd's */
    bool encryption_key_create;

    uint64_t max_size_bytes; /* virtlogd's */
    unsigned int max_backups;
    unsigned int max_age_days;
    char *log_root;

    GPtrArray *notices; /* of strings, "FILE:LINE: KEY ...": keys without effect, to be
                         * reported once at start */
} DaemonConfig;

/* Reads @path, or with NULL the daemon's usual file, which may be missing. What it says is
 * checked as a whole; the error has the first problem and how many there are.
 * Errors: SYSTEM_ERROR or OPERATION_FAILED when the file cannot be read, CONF_SYNTAX, CONFIG_UNSUPPORTED for
 * keys and values ("FILE:LINE: KEY: reason"). */
DaemonConfig *config_load(const ConfigContext *context, const char *path, GError **error);
void config_free(DaemonConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonConfig, config_free)

/* For --check-config: reads like config_load and prints to @out all problems, all notices,
 * and a last line with the outcome. Whether there was no problem. */
bool config_check(const ConfigContext *context, const char *path, FILE *out);
