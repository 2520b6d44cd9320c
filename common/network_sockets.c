/* The sockets of a daemon on the network: plain TCP and TLS. */
#include <string.h>

#include "base/error.h"
#include "common/daemon_private.h"
#include "common/daemon_tls.h"

#include "base/log.h"

LOG_INIT("daemon.sockets");

/* Takes @listener. */
static bool network_add(Daemon *daemon, NetListener *listener, ServerTransport transport,
                        GError **error)
{
    ServerListenerSpec spec = { .transport = transport, .auth = SERVER_AUTH_NONE };

    if (transport == SERVER_TLS)
        net_listener_set_wrap(listener, daemon_wrap_tls, daemon);
    LOG_INFO("listening for %s at %s", transport == SERVER_TLS ? "TLS" : "plain TCP",
             net_listener_get_address(listener));
    return server_add_listener(g_ptr_array_index(daemon->servers, 0), listener, &spec, error);
}

/* Whether clients can get in as the configuration wants it, and reads what TLS needs. */
static bool network_prepare(Daemon *daemon, ServerTransport transport, const char *address,
                            GError **error)
{
    const DaemonConfig *config = daemon->config;
    int auth = transport == SERVER_TLS ? config->auth_tls : config->auth_tcp;
    const char *key = transport == SERVER_TLS ? "auth_tls" : "auth_tcp";

    if (auth != AUTH_NONE) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                  "cannot listen at %s: %s is \"sasl\", which this version lacks; set it to "
                  "\"none\" or close the socket", address, key);
        return false;
    }
    if (transport == SERVER_TLS)
        return daemon_load_tls(daemon, error);
    LOG_WARN("anybody who reaches %s owns the guests of this host, and everything is sent in the "
             "clear: use TLS", address);
    return true;
}

/* A name may have several addresses (IPv4 and IPv6): one listener for each, or none at all if
 * one cannot be opened. */
static bool network_open(Daemon *daemon, ServerTransport transport, const char *port,
                         GError **error)
{
    const DaemonConfig *config = daemon->config;
    const char *host = config->listen_addr ? config->listen_addr : "any address";
    int backlog = (int)config->limits.max_queued_clients;
    g_autofree char *address = g_strdup_printf("%s port %s", host, port);
    g_autoptr(GPtrArray) listeners =
        g_ptr_array_new_with_free_func((GDestroyNotify)net_listener_free);

    if (!network_prepare(daemon, transport, address, error) ||
        !net_listener_add_tcp(listeners, config->listen_addr, port, backlog, error))
        return false;
    while (listeners->len > 0) {
        if (!network_add(daemon, g_ptr_array_steal_index(listeners, 0), transport, error))
            return false;
    }
    return true;
}

/* Port by port, and only where the configuration asks for it: no daemon is on the network by
 * default. */
bool daemon_open_network_sockets(Daemon *daemon, GError **error)
{
    const DaemonConfig *config = daemon->config;

    if (!daemon->spec->tls)
        return true;
    if (config->listen_tls && !network_open(daemon, SERVER_TLS, config->tls_port, error))
        return false;
    return !config->listen_tcp || network_open(daemon, SERVER_TCP, config->tcp_port, error);
}

/* The address as text: behind the last colon, also for IPv6. */
static bool address_has_port(const char *address, const char *port)
{
    const char *colon = strrchr(address, ':');

    return colon && strcmp(colon + 1, port) == 0;
}

/* By name, as in virtproxyd-tls.socket (a descriptor is named after its unit unless the
 * unit says otherwise), else by port. */
static bool network_classify(const DaemonConfig *config, const NetActivatedFd *activated,
                             ServerTransport *ret_transport)
{
    g_autofree char *name = g_strdup(activated->name);

    if (g_str_has_suffix(name, ".socket"))
        name[strlen(name) - strlen(".socket")] = 0;
    if (g_str_has_suffix(name, "-tls"))
        *ret_transport = SERVER_TLS;
    else if (g_str_has_suffix(name, "-tcp"))
        *ret_transport = SERVER_TCP;
    else if (address_has_port(activated->address, config->tls_port))
        *ret_transport = SERVER_TLS;
    else if (address_has_port(activated->address, config->tcp_port))
        *ret_transport = SERVER_TCP;
    else
        return false;
    return true;
}

bool daemon_take_network_socket(Daemon *daemon, NetActivatedFd *activated, GError **error)
{
    ServerTransport transport = SERVER_TLS;
    NetListener *listener;

    if (!daemon->spec->tls) {
        LOG_WARN("socket %s of the service manager is left alone: only virtproxyd listens on the "
                 "network", activated->address);
        return true;
    }
    if (!network_classify(daemon->config, activated, &transport)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                  "socket %s of the service manager, named '%s', may be for TLS or for plain TCP: "
                  "its name (FileDescriptorName=) must end in -tls or -tcp",
                  activated->address, activated->name);
        return false;
    }
    if (!network_prepare(daemon, transport, activated->address, error))
        return false;
    listener = net_activated_fd_to_listener(activated, error);
    return listener && network_add(daemon, listener, transport, error);
}
