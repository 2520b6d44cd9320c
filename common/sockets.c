/* The sockets of a daemon: its own, or those that the service manager opened for it. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "common/daemon_private.h"

#include "base/log.h"

LOG_INIT("daemon.sockets");

/* One socket of the table below. */
typedef struct SocketRole {
    const char *suffix; /* of the file name, behind the daemon's name */
    SocketKind kind;
} SocketRole;

static const SocketRole roles[] = {
    { "-sock", SOCKET_MAIN },
    { "-sock-ro", SOCKET_RO },
    { "-admin-sock", SOCKET_ADMIN },
};

bool daemon_is_activated(const Daemon *daemon)
{
    return daemon->activated && daemon->activated->len > 0;
}

/* In the order of daemon_add_servers(). */
static Server *daemon_server_of(Daemon *daemon, SocketKind kind)
{
    return g_ptr_array_index(daemon->servers, kind == SOCKET_ADMIN ? 1 : 0);
}

/* Who can reach the admin socket may do all that it offers: its file's mode is the guard. */
static ServerListenerSpec daemon_listener_spec(const Daemon *daemon, SocketKind kind)
{
    const DaemonConfig *config = daemon->config;
    ServerListenerSpec spec = { .transport = SERVER_UNIX, .is_read_only = kind == SOCKET_RO };

    if (kind == SOCKET_MAIN)
        spec.auth = (ServerAuth)config->auth_unix_rw;
    else if (kind == SOCKET_RO)
        spec.auth = (ServerAuth)config->auth_unix_ro;
    return spec;
}

/* The admin socket is root's alone, whatever group the others are open to. */
static NetUnixOptions daemon_unix_options(const Daemon *daemon, SocketKind kind)
{
    const DaemonConfig *config = daemon->config;
    NetUnixOptions options = { .uid = (uid_t)-1, .gid = (gid_t)-1 };

    if (kind == SOCKET_ADMIN) {
        options.mode = config->unix_sock_admin_perms;
        options.backlog = (int)config->admin_limits.max_queued_clients;
        return options;
    }
    options.mode = kind == SOCKET_RO ? config->unix_sock_ro_perms : config->unix_sock_rw_perms;
    options.gid = config->unix_sock_gid;
    options.backlog = (int)config->limits.max_queued_clients;
    return options;
}

static bool daemon_has_socket(const Daemon *daemon, SocketKind kind)
{
    /* The log and lock daemons have no read-only clients; a session has no others. */
    if (kind == SOCKET_RO)
        return daemon->spec->uri_scheme && daemon->is_system;
    return true;
}

/* A socket that the last execution of this process had made: it listens still, and clients may
 * be waiting in its queue. What the configuration says of it may have changed; should that fail to
 * be set, the daemon has more to lose than a mode. NULL when there is none at @path. */
static NetListener *daemon_take_own(Daemon *daemon, const char *path, const NetUnixOptions *options)
{
    g_autoptr(GError) error = NULL;

    for (guint i = 0; daemon->own_sockets && i < daemon->own_sockets->len; i++) {
        NetActivatedFd *own = g_ptr_array_index(daemon->own_sockets, i);
        NetListener *listener;

        if (own->fd < 0 || !g_str_equal(own->name, path))
            continue;
        listener = net_activated_fd_to_listener(own, NULL);
        if (listener && net_listener_claim_path(listener)) {
            if (!net_listener_set_options(listener, options, &error))
                LOG_WARN("%s; it stays as it was", error->message);
            return listener;
        }
        net_listener_free(listener);
    }
    return NULL;
}

/* Those that the configuration does not want any more, or wants elsewhere. */
static void daemon_close_former(Daemon *daemon)
{
    for (guint i = 0; daemon->own_sockets && i < daemon->own_sockets->len; i++) {
        NetActivatedFd *own = g_ptr_array_index(daemon->own_sockets, i);
        g_autoptr(NetListener) listener = NULL;

        if (own->fd < 0)
            continue;
        listener = net_activated_fd_to_listener(own, NULL);
        if (listener)
            net_listener_claim_path(listener);
    }
}

static bool daemon_open_own(Daemon *daemon, const char *name, GError **error)
{
    const char *folder = daemon->config->unix_sock_dir ? daemon->config->unix_sock_dir
                                                       : daemon->paths->run_dir;

    if (!mkdir_parents(folder, daemon->is_system ? 0755 : 0700, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++) {
        ServerListenerSpec spec = daemon_listener_spec(daemon, roles[i].kind);
        NetUnixOptions options = daemon_unix_options(daemon, roles[i].kind);
        g_autofree char *path = NULL;
        NetListener *listener;

        if (!daemon_has_socket(daemon, roles[i].kind))
            continue;
        path = paths_socket(folder, name, roles[i].kind, error);
        if (!path)
            return false;
        listener = daemon_take_own(daemon, path, &options);
        if (!listener)
            listener = net_listener_new_unix(path, &options, error);
        if (!listener ||
            !server_add_listener(daemon_server_of(daemon, roles[i].kind), listener, &spec, error))
            return false;
    }
    return true;
}

/* What an inherited socket is for: the name of its file says it, as in libvirt's units. */
static bool daemon_classify(const Daemon *daemon, const char *address, SocketKind *ret_kind)
{
    g_autofree char *base = g_path_get_basename(address);
    const char *names[] = { daemon->spec->name, daemon->spec->legacy_socket_name };

    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        for (size_t i = 0; names[n] && i < G_N_ELEMENTS(roles); i++) {
            g_autofree char *expected = g_strconcat(names[n], roles[i].suffix, NULL);

            if (strcmp(base, expected) == 0) {
                *ret_kind = roles[i].kind;
                return true;
            }
        }
    }
    return false;
}

static bool daemon_take_activated(Daemon *daemon, NetActivatedFd *activated, GError **error)
{
    ServerListenerSpec spec;
    NetListener *listener;
    SocketKind kind = SOCKET_MAIN;

    /* Descriptors of other kinds (a file descriptor store) come the same way. */
    if (!activated->is_listening) {
        LOG_WARN("descriptor '%s' of the service manager is no listening socket: ignored",
                 activated->name);
        return true;
    }
    if (!daemon_classify(daemon, activated->address, &kind)) {
        if (activated->address[0] == '/') {
            error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                      "socket %s of the service manager is none of %s's: its name must be %s-sock, "
                      "%s-sock-ro or %s-admin-sock",
                      activated->address, daemon->spec->name, daemon->spec->name,
                      daemon->spec->name, daemon->spec->name);
            return false;
        }
        return daemon_take_network_socket(daemon, activated, error);
    }
    spec = daemon_listener_spec(daemon, kind);
    listener = net_activated_fd_to_listener(activated, error);
    return listener && server_add_listener(daemon_server_of(daemon, kind), listener, &spec, error);
}

/* All or nothing: with sockets of the service manager no others are opened, even when a unit
 * lacks one. Which there are is the administrator's choice then. */
bool daemon_open_sockets(Daemon *daemon, GError **error)
{
    if (!daemon_is_activated(daemon)) {
        if (!daemon_open_own(daemon, daemon->spec->name, error))
            return false;
        if (daemon->spec->legacy_socket_name &&
            !daemon_open_own(daemon, daemon->spec->legacy_socket_name, error))
            return false;
        daemon_close_former(daemon);
        return daemon_open_network_sockets(daemon, error);
    }
    for (guint i = 0; i < daemon->activated->len; i++) {
        if (!daemon_take_activated(daemon, g_ptr_array_index(daemon->activated, i), error))
            return false;
    }
    return true;
}
