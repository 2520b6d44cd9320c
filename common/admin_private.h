/* The handlers of the admin program, for its table. All errors of look-ups are NO_SERVER
 * and NO_CLIENT, of settings INVALID_ARG and ARGUMENT_UNSUPPORTED; nothing is changed by
 * a call that fails. */
#pragma once

#include "common/call.h"
#include "common/daemon.h"
#include "wire/admin.h"

/* The server with the name, which may be a legacy one. Errors: NO_SERVER. */
Server *admin_find_server(Call *call, const admin_nonnull_server *name, GError **error);
void admin_fill_server(admin_nonnull_server *ret, const Server *server);

/* admin_server.c */
bool admin_server_list(Call *call, const admin_connect_list_servers_args *args,
                       admin_connect_list_servers_ret *ret, GError **error);
bool admin_server_lookup(Call *call, const admin_connect_lookup_server_args *args,
                         admin_connect_lookup_server_ret *ret, GError **error);
bool admin_server_get_workers(Call *call, const admin_server_get_threadpool_parameters_args *args,
                              admin_server_get_threadpool_parameters_ret *ret, GError **error);
bool admin_server_set_workers(Call *call, const admin_server_set_threadpool_parameters_args *args,
                              none *ret, GError **error);
bool admin_server_get_limits(Call *call, const admin_server_get_client_limits_args *args,
                             admin_server_get_client_limits_ret *ret, GError **error);
bool admin_server_set_limits(Call *call, const admin_server_set_client_limits_args *args,
                             none *ret, GError **error);
bool admin_server_update_tls(Call *call, const admin_server_update_tls_files_args *args, none *ret,
                             GError **error);

/* admin_client.c */
bool admin_client_list(Call *call, const admin_server_list_clients_args *args,
                       admin_server_list_clients_ret *ret, GError **error);
bool admin_client_lookup(Call *call, const admin_server_lookup_client_args *args,
                         admin_server_lookup_client_ret *ret, GError **error);
SUSPENDS bool admin_client_get_info(Call *call, const admin_client_get_info_args *args,
                                    admin_client_get_info_ret *ret, GError **error);
bool admin_client_close(Call *call, const admin_client_close_args *args, none *ret,
                        GError **error);

/* admin_log.c */
bool admin_log_get_outputs(Call *call, const admin_connect_get_logging_outputs_args *args,
                           admin_connect_get_logging_outputs_ret *ret, GError **error);
bool admin_log_get_filters(Call *call, const admin_connect_get_logging_filters_args *args,
                           admin_connect_get_logging_filters_ret *ret, GError **error);
SUSPENDS bool admin_log_set_outputs(Call *call, const admin_connect_set_logging_outputs_args *args,
                                    none *ret, GError **error);
bool admin_log_set_filters(Call *call, const admin_connect_set_logging_filters_args *args,
                           none *ret, GError **error);
