/* The procedures about the connection itself, which every daemon with a URI has:
 * authentication, opening and closing, what it is called, which features it has, and for whom
 * it speaks. */
#include "common/connect.h"

#include <string.h>

#include "base/error.h"
#include "common/auth.h"
#include "common/call.h"
#include "common/client_private.h"
#include "common/daemon.h"
#include "common/hostname.h"
#include "common/router.h"
#include "common/server_private.h"
#include "wire/api_host.h"
#include "wire/remote.h"
#include "wire/remote_connect.h"





/* Numbers of CONNECT_SUPPORTS_FEATURE that the kit itself provides. Those of drivers
 * (migration and its kin) are 0 until a driver has them. */
enum {
    FEATURE_FD_PASSING = 8,
    FEATURE_TYPED_PARAM_STRING = 9,
    FEATURE_KEEPALIVE = 10,
    FEATURE_EVENT_CALLBACK = 14,
    FEATURE_CLOSE_CALLBACK = 15,
    FEATURE_NETWORK_UPDATE_ORDER = 16,
};

/* root authenticates by being root; asking polkit would only add a way to fail. Other trusted
 * users are services that have authenticated whom they speak for. */
static ServerAuth client_needed_auth(Client *client)
{
    if (client->auth == CLIENT_AUTH_DONE || client_is_trusted(client))
        return SERVER_AUTH_NONE;
    return client->listener->spec.auth;
}

/* A client that needs no proof is let in by asking: everybody begins with this call. */
static bool auth_list(Call *call, const none *args, remote_auth_list_ret *ret, GError **error)
{
    Client *client = call_get_client(call);
    ServerAuth auth = client_needed_auth(client);

    ret->types.types_len = 1;
    ret->types.types_val = g_new(remote_auth_type, 1);
    ret->types.types_val[0] = (remote_auth_type)auth;
    if (auth == SERVER_AUTH_NONE)
        server_client_authenticated(client->server, client);
    return true;
}

/* One question at a time for each connection; asking again after a refusal is allowed, as the
 * person may have mistyped. */
static bool auth_polkit(Call *call, const none *args, remote_auth_polkit_ret *ret, GError **error)
{
    Client *client = call_get_client(call);
    bool is_allowed;

    if (client->auth != CLIENT_AUTH_NEEDED || client->listener->spec.auth != SERVER_AUTH_POLKIT) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED,
                  "client tried invalid polkit init request");
        return false;
    }
    client->auth = CLIENT_AUTH_RUNNING;
    is_allowed = auth_polkit_check(client, error);
    /* Minutes may have passed. The account of those who have not authenticated was settled
     * with the connection. */
    if (client_is_closed(client))
        return is_allowed;
    if (is_allowed)
        server_client_authenticated(client->server, client);
    else
        client->auth = CLIENT_AUTH_NEEDED;
    ret->complete = is_allowed;
    return is_allowed;
}

/* A driver answers to one URI: what other drivers, hosts and transports make of it is the
 * client's side, or the proxy's. */
static bool connect_check_uri(Client *client, const char *uri, GError **error)
{
    const DaemonSpec *spec = daemon_get_spec(client_get_daemon(client));
    const char *own_uri = daemon_get_uri(client_get_daemon(client));
    size_t scheme_length = strlen(spec->uri_scheme);
    const char *path;

    if (strncmp(uri, spec->uri_scheme, scheme_length) != 0 ||
        strncmp(uri + scheme_length, "://", 3) != 0) {
        g_set_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_NO_CONNECT,
                    "no connection driver available for %s", uri);
        return false;
    }
    /* The host part is the client's way to us and says nothing here. */
    path = strchr(uri + scheme_length + 3, '/');
    if (path && strcmp(path, strrchr(own_uri, '/')) == 0)
        return true;
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
              "unexpected %s URI path '%s', try %s", spec->uri_scheme, path ? path : "", own_uri);
    return false;
}

/* The flag can only take rights away: the read-only socket stays read-only without it. */
static bool connect_open(Call *call, const remote_connect_open_args *args, none *ret,
                         GError **error)
{
    Client *client = call_get_client(call);
    const char *uri = args->name && **args->name ? *args->name
                                                 : daemon_get_uri(call_get_daemon(call));
    bool is_proxy = daemon_get_spec(call_get_daemon(call))->is_proxy;

    /* Unknown flags are what clients keep between themselves and their user (those of 9.0
     * send 0x4 with every session's URI), and existing daemons take any. */
    if (client->is_open || client->uri) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "connection already open");
        return false;
    }
    if (!is_proxy && !connect_check_uri(client, uri, error))
        return false;
    if (args->flags & VIR_CONNECT_RO)
        client->is_read_only = true;
    /* Set before the wait: it refuses a second CONNECT_OPEN that comes meanwhile. */
    client->uri = is_proxy ? g_strdup(uri) : g_strdup(daemon_get_uri(call_get_daemon(call)));
    if (is_proxy && !router_open(client, client->uri, error)) {
        g_clear_pointer(&client->uri, g_free);
        return false;
    }
    client->is_open = true;
    return true;
}

/* What the client has pipelined behind this call is refused, for the connection is not open
 * any more. */
static bool connect_close(Call *call, const none *args, none *ret, GError **error)
{
    /* The client hangs up when it has the answer; a new life needs a new connection. */
    call_get_client(call)->is_open = false;
    client_close_after_reply(call_get_client(call));
    return true;
}

static bool connect_get_type(Call *call, const none *args, remote_connect_get_type_ret *ret,
                             GError **error)
{
    ret->type = g_strdup(daemon_get_spec(call_get_daemon(call))->driver_type);
    return true;
}

static bool connect_get_uri(Call *call, const none *args, remote_connect_get_uri_ret *ret,
                            GError **error)
{
    ret->uri = g_strdup(client_get_uri(call_get_client(call)));
    return true;
}

/* May wait for a name server, see hostname.h. */
static bool connect_get_hostname(Call *call, const none *args,
                                 remote_connect_get_hostname_ret *ret, GError **error)
{
    ret->hostname = hostname_get(call_get_daemon(call), error);
    return ret->hostname != NULL;
}

static bool connect_get_lib_version(Call *call, const none *args,
                                    remote_connect_get_lib_version_ret *ret, GError **error)
{
    ret->lib_ver = CONNECT_LIB_VERSION;
    return true;
}

static bool connect_is_secure(Call *call, const none *args, remote_connect_is_secure_ret *ret,
                              GError **error)
{
    /* A unix socket does not leave the host; TLS is encrypted; plain TCP is neither. */
    ret->secure = call_get_client(call)->listener->spec.transport != SERVER_TCP;
    return true;
}

static bool connect_supports_feature(Call *call, const remote_connect_supports_feature_args *args,
                                     remote_connect_supports_feature_ret *ret, GError **error)
{
    Client *client = call_get_client(call);
    const ServerLimits *limits = server_get_limits(client->server);

    /* Asked before the connection is open: only about how we talk. */
    if (!client->is_open && args->feature != FEATURE_KEEPALIVE) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "hypervisor connection not open");
        return false;
    }
    switch (args->feature) {
    case FEATURE_KEEPALIVE:
        /* It is on from the moment that a client has asked for it. */
        channel_set_keepalive(client->channel, limits->keepalive_interval_s,
                              limits->keepalive_count);
        ret->supported = 1;
        break;
    case FEATURE_FD_PASSING:
        ret->supported = client->listener->spec.transport == SERVER_UNIX;
        break;
    case FEATURE_TYPED_PARAM_STRING:
    case FEATURE_EVENT_CALLBACK:
    case FEATURE_CLOSE_CALLBACK:
    case FEATURE_NETWORK_UPDATE_ORDER:
        ret->supported = 1;
        break;
    default:
        ret->supported = 0;
    }
    return true;
}

/* Only the router ever has to tell: of the driver's daemon that has gone. A daemon that goes
 * itself takes the connection with it. */
static bool connect_register_close_callback(Call *call, const none *args, none *ret,
                                            GError **error)
{
    call_get_client(call)->has_close_callback = true;
    return true;
}

static bool connect_unregister_close_callback(Call *call, const none *args, none *ret,
                                              GError **error)
{
    call_get_client(call)->has_close_callback = false;
    return true;
}

static bool connect_set_identity(Call *call, const remote_connect_set_identity_args *args,
                                 none *ret, GError **error)
{
    Client *client = call_get_client(call);
    Identity *identity;

    if (!call_check_flags("virConnectSetIdentity", args->flags, 0, error))
        return false;
    if (!client_is_trusted(client)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_DENIED,
                  "only a trusted peer may set the identity of a connection, see 'trusted_users' "
                  "in %s.conf",
                  daemon_get_spec(call_get_daemon(call))->name);
        return false;
    }
    identity = identity_new_from_params(args->params.params_val, args->params.params_len, error);
    if (!identity)
        return false;
    client_set_identity(client, identity);
    return router_set_identity(client, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_AUTH_LIST, auth_list, none, remote_auth_list_ret),
    PROCEDURE(REMOTE_PROC_AUTH_POLKIT, auth_polkit, none, remote_auth_polkit_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_OPEN, connect_open, remote_connect_open_args, none),
    PROCEDURE(REMOTE_PROC_CONNECT_CLOSE, connect_close, none, none),
    PROCEDURE(REMOTE_PROC_CONNECT_GET_TYPE, connect_get_type, none, remote_connect_get_type_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_GET_URI, connect_get_uri, none, remote_connect_get_uri_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_GET_HOSTNAME, connect_get_hostname, none,
              remote_connect_get_hostname_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_GET_LIB_VERSION, connect_get_lib_version, none,
              remote_connect_get_lib_version_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_IS_SECURE, connect_is_secure, none,
              remote_connect_is_secure_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_SUPPORTS_FEATURE, connect_supports_feature,
              remote_connect_supports_feature_args, remote_connect_supports_feature_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_REGISTER_CLOSE_CALLBACK, connect_register_close_callback, none,
              none),
    PROCEDURE(REMOTE_PROC_CONNECT_UNREGISTER_CLOSE_CALLBACK, connect_unregister_close_callback,
              none, none),
    PROCEDURE(REMOTE_PROC_CONNECT_SET_IDENTITY, connect_set_identity,
              remote_connect_set_identity_args, none),
};

const ProcedureTable connect_procedures = { REMOTE_PROGRAM, procedures,
                                            G_N_ELEMENTS(procedures) };
