/* A daemon: what its spec says it is, and all that lives while it runs. One struct holds
 * everything; main() fills it, runs its loop and takes it apart. See main.h for the life
 * cycle. What survives a restart is on disk, in the rooms of the drivers. */
#pragma once

#include "common/channel.h"
#include "common/config.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/procedure.h"
#include "common/server.h"

typedef struct Daemon Daemon;
typedef struct EventRegistry EventRegistry;
typedef struct KeptFds KeptFds;
struct NetTlsConfig;
struct NetTlsContext;

/* net/tls_server.h, by way of its functions: a daemon that does not name them does not
 * load the TLS library. */
typedef struct DaemonTls {
    struct NetTlsContext *(*context_new)(const struct NetTlsConfig *config, GError **error);
    void (*context_unref)(struct NetTlsContext *context);
    NetWrapFunc wrap;
} DaemonTls;

typedef struct DaemonSpec {
    const char *name;        /* "virtqemud": also its server's name, and its sockets' */
    const char *summary;     /* one line of help: what the daemon does */
    ConfigDaemon config;     /* whose keys its configuration file has */
    uint64_t capabilities;   /* what it keeps of root's (common/daemon_capabilities.h) */
    const char *uri_scheme;  /* "qemu"; NULL: opens no connections (virtlogd, virtlockd) */
    const char *driver_type; /* what CONNECT_GET_TYPE answers: "QEMU" */
    WireOwner owner;         /* whose procedures it has besides those of the connection */
    /* Calls of other drivers are forwarded to their daemons (a hypervisor connection). */
    bool routes_calls;
    /* It has no driver: primary calls are forwarded too, to the daemon of the URI. */
    bool is_proxy;
    /* Further names of its sockets ("libvirt": libvirt-sock, libvirt-sock-ro,
     * libvirt-admin-sock) and of its server in the admin interface; NULL: none. */
    const char *legacy_socket_name, *legacy_server_name;
    const DaemonTls *tls; /* of a daemon that listens on the network; NULL: it does not */
    const ProcedureTable *const *tables; /* of its driver; NULL-terminated, may be NULL */
    /* It has descriptors that outlive it (kept_fds.h), and executes itself anew on SIGUSR1. */
    bool keeps_descriptors;

    /* Slow start-up work, in a fiber while the sockets answer already; what it fills is
     * driver_data. Calls of the driver wait for it: daemon_wait_started(). Those behind
     * it are only called when it has succeeded; stop when no fiber is left. */
    bool (*start)(Daemon *daemon, void **ret_driver_data, GError **error);
    void (*stop)(Daemon *daemon, void *driver_data);
    /* True while something is owned that must not be left alone (a running guest). */
    bool (*is_busy)(Daemon *daemon, void *driver_data);
    bool (*reload)(Daemon *daemon, void *driver_data, GError **error);
    /* Of a daemon that keeps descriptors; NULL: always. The error is why not now. */
    bool (*may_reexecute)(Daemon *daemon, void *driver_data, GError **error);
    void (*print_stats)(Daemon *daemon, void *driver_data); /* to the log, at level warning */
    /* A signal wants the daemon to stop: what is to be done before it does, in a fiber, while
     * calls are still answered. A second signal does not wait for it. May be NULL. */
    void (*before_stop)(Daemon *daemon, void *driver_data);
    /* --rotate-key, which only daemons with this have: runs instead of the daemon. */
    bool (*rotate_key)(const Paths *paths, const DaemonConfig *config, FILE *out, GError **error);
    /* --check-config: looks at the driver's own files too, prints like config_check(). */
    bool (*check_config)(const Paths *paths, FILE *out);
} DaemonSpec;

const DaemonSpec *daemon_get_spec(const Daemon *daemon);
FiberLoop *daemon_get_loop(const Daemon *daemon);
sd_event *daemon_get_event(const Daemon *daemon);
const Paths *daemon_get_paths(const Daemon *daemon);
const DaemonConfig *daemon_get_config(const Daemon *daemon);
void *daemon_get_driver_data(const Daemon *daemon);
EventRegistry *daemon_get_events(Daemon *daemon);
ChannelPool *daemon_get_channel_pool(Daemon *daemon);
/* Of a daemon that keeps descriptors: when start is called, all are there. */
KeptFds *daemon_get_kept_fds(Daemon *daemon);
/* It stops, or executes itself anew: clients go because of that, not of their own accord. */
bool daemon_is_ending(const Daemon *daemon);
/* Scratch for encoding one frame; its content is the caller's until the next suspension. */
GByteArray *daemon_get_encode_buffer(Daemon *daemon);
/* The URI that this daemon answers to: "qemu:///system", "qemu:///session". */
const char *daemon_get_uri(const Daemon *daemon);
/* Whether @uid may speak for others (SET_IDENTITY) and read private secrets: named by the
 * configuration key trusted_users, root and our own always. */
bool daemon_trusts_user(const Daemon *daemon, uid_t uid);

/* Waits until the driver has started. Errors: what its start said, ever since. */
SUSPENDS bool daemon_wait_started(Daemon *daemon, GError **error);
/* Something came or went: whether the daemon is idle has to be looked at again. */
void daemon_touch(Daemon *daemon);
/* Keeps the daemon from leaving on idle, while somebody owns something. Counted. */
void daemon_inhibit_idle(Daemon *daemon);
void daemon_uninhibit_idle(Daemon *daemon);

/* Servers by name; @name may be a legacy name. NULL when there is none. */
Server *daemon_find_server(Daemon *daemon, const char *name);
GPtrArray *daemon_get_servers(Daemon *daemon); /* of Server, in the order of creation */
/* How long the daemon is idle before it leaves, 0: never. Takes effect at once. */
void daemon_set_timeout_us(Daemon *daemon, uint64_t timeout_us);
/* Stops accepting, finishes calls in flight, and leaves. @preserve: what the driver owns
 * stays as it is either way; kept for the admin interface's flag. */
void daemon_shutdown(Daemon *daemon);
/* While before_stop takes its time: the service manager waits this much longer, from now. */
void daemon_ask_for_time(Daemon *daemon, unsigned seconds);
/* The admin interface: TLS files of @server anew, for the connections to come.
 * On failure those in use stay. Errors: what reading them says, and INTERNAL_ERROR for a
 * server without TLS. */
SUSPENDS bool daemon_reload_tls(Daemon *daemon, Server *server, GError **error);
