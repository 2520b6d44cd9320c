/* The table of the admin program, and the procedures about the daemon as a whole. Who reaches
 * the admin socket is trusted with everything in here. */
#include "common/admin.h"

#include "common/admin_private.h"
#include "common/client_private.h"
#include "common/connect.h"
#include "wire/api_admin.h"
#include "wire/api_host.h"

#include "base/log.h"

LOG_INIT("daemon.admin");

static bool admin_open(Call *call, const admin_connect_open_args *args, none *ret, GError **error)
{
    /* Aliases of URIs are the client's own affair. */
    if (!call_check_flags("virAdmConnectOpen", args->flags, VIR_CONNECT_NO_ALIASES, error))
        return false;
    call_get_client(call)->is_open = true;
    return true;
}

static bool admin_close(Call *call, const none *args, none *ret, GError **error)
{
    call_get_client(call)->is_open = false;
    client_close_after_reply(call_get_client(call));
    return true;
}

static bool admin_get_lib_version(Call *call, const none *args,
                                  admin_connect_get_lib_version_ret *ret, GError **error)
{
    ret->libVer = CONNECT_LIB_VERSION;
    return true;
}

/* Until the next reload or restart, as everything that is set by this interface. */
static bool admin_set_timeout(Call *call, const admin_connect_set_daemon_timeout_args *args,
                              none *ret, GError **error)
{
    if (!call_check_flags("virAdmConnectSetDaemonTimeout", args->flags, 0, error))
        return false;
    daemon_set_timeout_us(call_get_daemon(call), args->timeout * (uint64_t)G_USEC_PER_SEC);
    return true;
}

static bool admin_shutdown(Call *call, const admin_connect_daemon_shutdown_args *args, none *ret,
                           GError **error)
{
    /* What a daemon owns outlives it in any case: there is nothing more to preserve. */
    if (!call_check_flags("virAdmConnectDaemonShutdown", args->flags, VIR_DAEMON_SHUTDOWN_PRESERVE,
                          error))
        return false;
    LOG_INFO("told by the admin interface to end");
    daemon_shutdown(call_get_daemon(call));
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(ADMIN_PROC_CONNECT_OPEN, admin_open, admin_connect_open_args, none),
    PROCEDURE(ADMIN_PROC_CONNECT_CLOSE, admin_close, none, none),
    PROCEDURE(ADMIN_PROC_CONNECT_GET_LIB_VERSION, admin_get_lib_version, none,
              admin_connect_get_lib_version_ret),
    PROCEDURE(ADMIN_PROC_CONNECT_LIST_SERVERS, admin_server_list, admin_connect_list_servers_args,
              admin_connect_list_servers_ret),
    PROCEDURE(ADMIN_PROC_CONNECT_LOOKUP_SERVER, admin_server_lookup,
              admin_connect_lookup_server_args, admin_connect_lookup_server_ret),
    PROCEDURE(ADMIN_PROC_SERVER_GET_THREADPOOL_PARAMETERS, admin_server_get_workers,
              admin_server_get_threadpool_parameters_args,
              admin_server_get_threadpool_parameters_ret),
    PROCEDURE(ADMIN_PROC_SERVER_SET_THREADPOOL_PARAMETERS, admin_server_set_workers,
              admin_server_set_threadpool_parameters_args, none),
    PROCEDURE(ADMIN_PROC_SERVER_LIST_CLIENTS, admin_client_list, admin_server_list_clients_args,
              admin_server_list_clients_ret),
    PROCEDURE(ADMIN_PROC_SERVER_LOOKUP_CLIENT, admin_client_lookup,
              admin_server_lookup_client_args, admin_server_lookup_client_ret),
    PROCEDURE(ADMIN_PROC_CLIENT_GET_INFO, admin_client_get_info, admin_client_get_info_args,
              admin_client_get_info_ret),
    PROCEDURE(ADMIN_PROC_CLIENT_CLOSE, admin_client_close, admin_client_close_args, none),
    PROCEDURE(ADMIN_PROC_SERVER_GET_CLIENT_LIMITS, admin_server_get_limits,
              admin_server_get_client_limits_args, admin_server_get_client_limits_ret),
    PROCEDURE(ADMIN_PROC_SERVER_SET_CLIENT_LIMITS, admin_server_set_limits,
              admin_server_set_client_limits_args, none),
    PROCEDURE(ADMIN_PROC_CONNECT_GET_LOGGING_OUTPUTS, admin_log_get_outputs,
              admin_connect_get_logging_outputs_args, admin_connect_get_logging_outputs_ret),
    PROCEDURE(ADMIN_PROC_CONNECT_GET_LOGGING_FILTERS, admin_log_get_filters,
              admin_connect_get_logging_filters_args, admin_connect_get_logging_filters_ret),
    PROCEDURE(ADMIN_PROC_CONNECT_SET_LOGGING_OUTPUTS, admin_log_set_outputs,
              admin_connect_set_logging_outputs_args, none),
    PROCEDURE(ADMIN_PROC_CONNECT_SET_LOGGING_FILTERS, admin_log_set_filters,
              admin_connect_set_logging_filters_args, none),
    PROCEDURE(ADMIN_PROC_SERVER_UPDATE_TLS_FILES, admin_server_update_tls,
              admin_server_update_tls_files_args, none),
    PROCEDURE(ADMIN_PROC_CONNECT_SET_DAEMON_TIMEOUT, admin_set_timeout,
              admin_connect_set_daemon_timeout_args, none),
    PROCEDURE(ADMIN_PROC_CONNECT_DAEMON_SHUTDOWN, admin_shutdown,
              admin_connect_daemon_shutdown_args, none),
};

const ProcedureTable admin_procedures = { ADMIN_PROGRAM, procedures, G_N_ELEMENTS(procedures) };
