#include "common/splitvirt/ask.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "common/rpc_client.h"
#include "wire/admin.h"
#include "wire/api_admin.h"
#include "wire/remote.h"
#include "wire/remote_connect.h"
#include "wire/remote_domain.h"
#include "wire/typed_params.h"

/* virConnectFlags of the manual. */
#define CONNECT_READ_ONLY 1

SUSPENDS static bool call_admin(RpcClient *rpc, int procedure, xdrproc_t args_codec,
                                const void *args, xdrproc_t ret_codec, void *ret,
                                uint64_t deadline_us, GError **error)
{
    RpcCall call = {
        .program = ADMIN_PROGRAM,
        .version = ADMIN_PROTOCOL_VERSION,
        .procedure = procedure,
        .args_codec = args_codec,
        .args = args,
        .ret_codec = ret_codec,
        .ret = ret,
    };

    return rpc_client_call(rpc, &call, deadline_us, error);
}

SUSPENDS static bool call_remote(RpcClient *rpc, int procedure, xdrproc_t ret_codec, void *ret,
                                 uint64_t deadline_us, GError **error)
{
    RpcCall call = {
        .program = REMOTE_PROGRAM,
        .version = REMOTE_PROTOCOL_VERSION,
        .procedure = procedure,
        .ret_codec = ret_codec,
        .ret = ret,
    };

    return rpc_client_call(rpc, &call, deadline_us, error);
}

SUSPENDS static bool open_admin(RpcClient *rpc, uint64_t deadline_us, GError **error)
{
    admin_connect_open_args args = { 0 };

    return call_admin(rpc, ADMIN_PROC_CONNECT_OPEN, XDR_PROC(admin_connect_open_args), &args, NULL,
                      NULL, deadline_us, error);
}

SUSPENDS static bool add_server(RpcClient *rpc, admin_nonnull_server *server, uint64_t deadline_us,
                                AskClients *clients, GError **error)
{
    admin_server_get_client_limits_args args = { .srv = *server };
    admin_server_get_client_limits_ret ret = { 0 };
    const remote_typed_param *params;
    unsigned connected = 0, limit = 0;

    if (!call_admin(rpc, ADMIN_PROC_SERVER_GET_CLIENT_LIMITS,
                    XDR_PROC(admin_server_get_client_limits_args), &args,
                    XDR_PROC(admin_server_get_client_limits_ret), &ret, deadline_us, error))
        return false;
    params = typed_params_from_admin(ret.params.params_val);
    if (typed_params_get_uint(params, ret.params.params_len, VIR_SERVER_CLIENTS_CURRENT,
                              &connected))
        clients->connected += connected;
    if (typed_params_get_uint(params, ret.params.params_len, VIR_SERVER_CLIENTS_MAX, &limit))
        clients->limit += limit;
    codec_free(XDR_PROC(admin_server_get_client_limits_ret), &ret);
    return true;
}

SUSPENDS static bool add_servers(RpcClient *rpc, uint64_t deadline_us, AskClients *clients,
                                 GError **error)
{
    admin_connect_list_servers_args args = { .need_results = 1 };
    admin_connect_list_servers_ret ret = { 0 };
    bool is_good = call_admin(rpc, ADMIN_PROC_CONNECT_LIST_SERVERS,
                              XDR_PROC(admin_connect_list_servers_args), &args,
                              XDR_PROC(admin_connect_list_servers_ret), &ret, deadline_us, error);

    /* The admin interface's own clients are operators, us among them. */
    for (u_int i = 0; is_good && i < ret.servers.servers_len; i++) {
        admin_nonnull_server *server = &ret.servers.servers_val[i];

        is_good = strcmp(server->name, "admin") == 0 ||
                  add_server(rpc, server, deadline_us, clients, error);
    }
    codec_free(XDR_PROC(admin_connect_list_servers_ret), &ret);
    return is_good;
}

bool ask_clients(ChannelPool *pool, const char *path, uint64_t deadline_us,
                 AskClients *ret_clients, GError **error)
{
    g_autoptr(RpcClient) rpc = rpc_client_open(pool, path, NULL, NULL, deadline_us, error);
    admin_connect_get_lib_version_ret version = { 0 };
    AskClients clients = { 0 };

    if (!rpc || !open_admin(rpc, deadline_us, error) ||
        !call_admin(rpc, ADMIN_PROC_CONNECT_GET_LIB_VERSION, NULL, NULL,
                    XDR_PROC(admin_connect_get_lib_version_ret), &version, deadline_us, error) ||
        !add_servers(rpc, deadline_us, &clients, error))
        return false;
    clients.level = g_strdup_printf("%u.%u.%u", (unsigned)(version.libVer / 1000000),
                                    (unsigned)(version.libVer / 1000 % 1000),
                                    (unsigned)(version.libVer % 1000));
    *ret_clients = clients;
    return true;
}

SUSPENDS static bool open_uri(RpcClient *rpc, const AskOpen *open, GError **error)
{
    char *uri = (char *)open->uri;
    remote_connect_open_args args = { .name = &uri,
                                      .flags = open->is_read_only ? CONNECT_READ_ONLY : 0 };
    RpcCall call = {
        .program = REMOTE_PROGRAM,
        .version = REMOTE_PROTOCOL_VERSION,
        .procedure = REMOTE_PROC_CONNECT_OPEN,
        .args_codec = XDR_PROC(remote_connect_open_args),
        .args = &args,
    };

    return rpc_client_call(rpc, &call, open->deadline_us, error);
}

SUSPENDS static bool read_auth(RpcClient *rpc, uint64_t deadline_us, AskOpened *opened,
                               GError **error)
{
    remote_auth_list_ret ret = { 0 };
    bool is_open = false;

    if (!call_remote(rpc, REMOTE_PROC_AUTH_LIST, XDR_PROC(remote_auth_list_ret), &ret, deadline_us,
                     error))
        return false;
    for (u_int i = 0; i < ret.types.types_len; i++) {
        is_open |= ret.types.types_val[i] == REMOTE_AUTH_NONE;
        opened->wants_polkit |= ret.types.types_val[i] == REMOTE_AUTH_POLKIT;
        opened->wants_sasl |= ret.types.types_val[i] == REMOTE_AUTH_SASL;
    }
    if (is_open)
        opened->wants_polkit = opened->wants_sasl = false;
    codec_free(XDR_PROC(remote_auth_list_ret), &ret);
    return true;
}

/* NULL on failure; a connection that is not open when a proof is wanted. */
SUSPENDS static RpcClient *open_connection(ChannelPool *pool, const AskOpen *open,
                                           AskOpened *opened, GError **error)
{
    g_autoptr(RpcClient) rpc =
        rpc_client_open(pool, open->path, NULL, NULL, open->deadline_us, error);

    if (!rpc) {
        opened->reason = errno;
        return NULL;
    }
    if (!open->uri)
        return open_admin(rpc, open->deadline_us, error) ? g_steal_pointer(&rpc) : NULL;
    if (!read_auth(rpc, open->deadline_us, opened, error))
        return NULL;
    if (opened->wants_polkit || opened->wants_sasl || open_uri(rpc, open, error))
        return g_steal_pointer(&rpc);
    return NULL;
}

bool ask_open(ChannelPool *pool, const AskOpen *open, AskOpened *ret_opened, GError **error)
{
    AskOpened opened = { 0 };
    g_autoptr(RpcClient) rpc = open_connection(pool, open, &opened, error);

    *ret_opened = opened;
    return rpc != NULL;
}

bool ask_guests(ChannelPool *pool, const AskOpen *open, unsigned *ret_running,
                unsigned *ret_shut_off, GError **error)
{
    AskOpened opened = { 0 };
    g_autoptr(RpcClient) rpc = open_connection(pool, open, &opened, error);
    remote_connect_num_of_domains_ret running = { 0 };
    remote_connect_num_of_defined_domains_ret shut_off = { 0 };

    if (!rpc)
        return false;
    if (opened.wants_polkit || opened.wants_sasl) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "the daemon wants a proof of who asks");
        return false;
    }
    if (!call_remote(rpc, REMOTE_PROC_CONNECT_NUM_OF_DOMAINS,
                     XDR_PROC(remote_connect_num_of_domains_ret), &running, open->deadline_us,
                     error) ||
        !call_remote(rpc, REMOTE_PROC_CONNECT_NUM_OF_DEFINED_DOMAINS,
                     XDR_PROC(remote_connect_num_of_defined_domains_ret), &shut_off,
                     open->deadline_us, error))
        return false;
    *ret_running = (unsigned)MAX(running.num, 0);
    *ret_shut_off = (unsigned)MAX(shut_off.num, 0);
    return true;
}
