/* Servers as the admin interface shows and sets them: workers, client limits, TLS. */
#include "base/error.h"
#include "common/admin_private.h"
#include "common/server_private.h"
#include "wire/api_admin.h"
#include "wire/typed_params.h"

/* Servers live as long as the daemon: no reference is needed over a wait. */
Server *admin_find_server(Call *call, const admin_nonnull_server *name, GError **error)
{
    Server *server = daemon_find_server(call_get_daemon(call), name->name);

    if (!server)
        error_set(error, VIR_FROM_RPC, VIR_ERR_NO_SERVER, "No server named '%s'", name->name);
    return server;
}

void admin_fill_server(admin_nonnull_server *ret, const Server *server)
{
    ret->name = g_strdup(server_get_name(server));
}

/* The number is answered also to those who ask for nothing else. */
bool admin_server_list(Call *call, const admin_connect_list_servers_args *args,
                       admin_connect_list_servers_ret *ret, GError **error)
{
    GPtrArray *servers = daemon_get_servers(call_get_daemon(call));

    if (!call_check_flags("virAdmConnectListServers", args->flags, 0, error))
        return false;
    ret->ret = servers->len;
    if (!args->need_results)
        return true;
    ret->servers.servers_len = servers->len;
    ret->servers.servers_val = g_new0(admin_nonnull_server, servers->len);
    for (guint i = 0; i < servers->len; i++)
        admin_fill_server(&ret->servers.servers_val[i], g_ptr_array_index(servers, i));
    return true;
}

bool admin_server_lookup(Call *call, const admin_connect_lookup_server_args *args,
                         admin_connect_lookup_server_ret *ret, GError **error)
{
    const admin_nonnull_server name = { .name = args->name };

    if (!call_check_flags("virAdmConnectLookupServer", args->flags, 0, error) ||
        !admin_find_server(call, &name, error))
        return false;
    /* By the name that was asked for: the client finds its legacy name again. */
    ret->srv.name = g_strdup(args->name);
    return true;
}

/* There are no threads. The figures say what they would be: as many as run calls, at least the
 * minimum. */
bool admin_server_get_workers(Call *call, const admin_server_get_threadpool_parameters_args *args,
                              admin_server_get_threadpool_parameters_ret *ret, GError **error)
{
    g_autoptr(TypedParams) params = typed_params_new();
    const Workers *workers;
    Server *server;
    unsigned n_current;

    if (!call_check_flags("virAdmServerGetThreadPoolParameters", args->flags, 0, error) ||
        !(server = admin_find_server(call, &args->srv, error)))
        return false;
    workers = &server->workers;
    n_current = workers_get_current(workers);
    typed_params_add_uint(params, VIR_THREADPOOL_WORKERS_MIN, workers->min);
    typed_params_add_uint(params, VIR_THREADPOOL_WORKERS_MAX, workers->max);
    typed_params_add_uint(params, VIR_THREADPOOL_WORKERS_CURRENT, n_current);
    typed_params_add_uint(params, VIR_THREADPOOL_WORKERS_FREE, n_current - workers->n_running);
    typed_params_add_uint(params, VIR_THREADPOOL_WORKERS_PRIORITY, workers->priority);
    typed_params_add_uint(params, VIR_THREADPOOL_JOB_QUEUE_DEPTH,
                          (unsigned)MIN(workers->n_waiting, G_MAXUINT));
    typed_params_steal_admin(params, &ret->params.params_val, &ret->params.params_len);
    return true;
}

/* Those that can be set: the rest of what is returned are observations. */
static const TypedParamRule worker_rules[] = {
    { VIR_THREADPOOL_WORKERS_MIN, VIR_TYPED_PARAM_UINT, false, false },
    { VIR_THREADPOOL_WORKERS_MAX, VIR_TYPED_PARAM_UINT, false, false },
    { VIR_THREADPOOL_WORKERS_PRIORITY, VIR_TYPED_PARAM_UINT, false, false },
    { NULL, 0, false, false },
};

/* What is not named stays as it is; everything is checked before anything is changed. */
bool admin_server_set_workers(Call *call, const admin_server_set_threadpool_parameters_args *args,
                              none *ret, GError **error)
{
    const remote_typed_param *params = typed_params_from_admin(args->params.params_val);
    u_int n = args->params.params_len;
    unsigned min, max, priority;
    Server *server;

    if (!call_check_flags("virAdmServerSetThreadPoolParameters", args->flags, 0, error) ||
        !(server = admin_find_server(call, &args->srv, error)) ||
        !typed_params_check(params, n, worker_rules, VIR_FROM_ADMIN, error))
        return false;
    min = server->workers.min;
    max = server->workers.max;
    priority = server->workers.priority;
    typed_params_get_uint(params, n, VIR_THREADPOOL_WORKERS_MIN, &min);
    typed_params_get_uint(params, n, VIR_THREADPOOL_WORKERS_MAX, &max);
    typed_params_get_uint(params, n, VIR_THREADPOOL_WORKERS_PRIORITY, &priority);
    if (min > max) {
        error_set(error, VIR_FROM_ADMIN, VIR_ERR_INVALID_ARG,
                  "minWorkers cannot be larger than maxWorkers");
        return false;
    }
    if (max == 0) {
        error_set(error, VIR_FROM_ADMIN, VIR_ERR_INVALID_ARG,
                  "maxWorkers must not be zero: no call of server '%s' would ever run",
                  server_get_name(server));
        return false;
    }
    workers_set(&server->workers, min, max, priority);
    return true;
}

bool admin_server_get_limits(Call *call, const admin_server_get_client_limits_args *args,
                             admin_server_get_client_limits_ret *ret, GError **error)
{
    g_autoptr(TypedParams) params = typed_params_new();
    const ServerLimits *limits;
    Server *server;

    if (!call_check_flags("virAdmServerGetClientLimits", args->flags, 0, error) ||
        !(server = admin_find_server(call, &args->srv, error)))
        return false;
    limits = server_get_limits(server);
    typed_params_add_uint(params, VIR_SERVER_CLIENTS_MAX, limits->max_clients);
    typed_params_add_uint(params, VIR_SERVER_CLIENTS_CURRENT,
                          (unsigned)server_get_n_clients(server));
    typed_params_add_uint(params, VIR_SERVER_CLIENTS_UNAUTH_MAX, limits->max_anonymous_clients);
    typed_params_add_uint(params, VIR_SERVER_CLIENTS_UNAUTH_CURRENT,
                          (unsigned)server_get_n_anonymous_clients(server));
    typed_params_steal_admin(params, &ret->params.params_val, &ret->params.params_len);
    return true;
}

/* The current numbers, which the same call returns, cannot be set. */
static const TypedParamRule limit_rules[] = {
    { VIR_SERVER_CLIENTS_MAX, VIR_TYPED_PARAM_UINT, false, false },
    { VIR_SERVER_CLIENTS_UNAUTH_MAX, VIR_TYPED_PARAM_UINT, false, false },
    { NULL, 0, false, false },
};

/* Clients that are there already stay, see server_set_limits(). */
bool admin_server_set_limits(Call *call, const admin_server_set_client_limits_args *args,
                             none *ret, GError **error)
{
    const remote_typed_param *params = typed_params_from_admin(args->params.params_val);
    u_int n = args->params.params_len;
    ServerLimits limits;
    Server *server;

    if (!call_check_flags("virAdmServerSetClientLimits", args->flags, 0, error) ||
        !(server = admin_find_server(call, &args->srv, error)) ||
        !typed_params_check(params, n, limit_rules, VIR_FROM_ADMIN, error))
        return false;
    limits = *server_get_limits(server);
    typed_params_get_uint(params, n, VIR_SERVER_CLIENTS_MAX, &limits.max_clients);
    typed_params_get_uint(params, n, VIR_SERVER_CLIENTS_UNAUTH_MAX, &limits.max_anonymous_clients);
    if (limits.max_clients < limits.max_anonymous_clients) {
        /* The sentence, odd as it is, is the one that scripts look for. */
        error_set(error, VIR_FROM_RPC, VIR_ERR_INVALID_ARG,
                  "The overall maximum number of clients waiting for authentication must not be "
                  "less than the overall maximum number of clients");
        return false;
    }
    if (limits.max_clients == 0) {
        error_set(error, VIR_FROM_ADMIN, VIR_ERR_INVALID_ARG,
                  "nclients_max must not be zero: nobody could connect to server '%s' any more",
                  server_get_name(server));
        return false;
    }
    server_set_limits(server, &limits);
    return true;
}

bool admin_server_update_tls(Call *call, const admin_server_update_tls_files_args *args, none *ret,
                             GError **error)
{
    Server *server;

    return call_check_flags("virAdmServerUpdateTlsFiles", args->flags, 0, error) &&
           (server = admin_find_server(call, &args->srv, error)) &&
           daemon_reload_tls(call_get_daemon(call), server, error);
}
