/* Clients as the admin interface shows them. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "base/error.h"
#include "common/admin_private.h"
#include "common/client_private.h"
#include "common/server_private.h"
#include "fiber/offload.h"
#include "wire/api_admin.h"
#include "wire/typed_params.h"

/* An entry of the user data base may be as long as a group has members; more is no name
 * that anybody gave. */
#define ENTRY_FIRST_GUESS 1024
#define ENTRY_MAX (1024 * 1024)

/* By the name that was asked for, which may be a legacy one. */
static void fill_client(admin_nonnull_client *ret, const Client *client, const char *server_name)
{
    ret->srv.name = g_strdup(server_name);
    ret->id = client->id;
    ret->timestamp = client->connected_at_s;
    ret->transport = client->listener->spec.transport;
}

bool admin_client_list(Call *call, const admin_server_list_clients_args *args,
                       admin_server_list_clients_ret *ret, GError **error)
{
    admin_nonnull_client *next;
    Server *server;
    size_t n;

    if (!call_check_flags("virAdmServerListClients", args->flags, 0, error) ||
        !(server = admin_find_server(call, &args->srv, error)))
        return false;
    n = server_get_n_clients(server);
    if (n > ADMIN_CLIENT_LIST_MAX) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC,
                  "server '%s' has %zu clients, a list holds at most %d", server_get_name(server),
                  n, ADMIN_CLIENT_LIST_MAX);
        return false;
    }
    ret->ret = (u_int)n;
    if (!args->need_results)
        return true;
    ret->clients.clients_len = (u_int)n;
    ret->clients.clients_val = next = g_new0(admin_nonnull_client, n);
    for (GList *link = server->clients.head; link; link = link->next)
        fill_client(next++, link->data, args->srv.name);
    return true;
}

/* No reference: callers that wait take one. */
static Client *find_client(Call *call, const admin_nonnull_server *server_name, uint64_t id,
                           GError **error)
{
    Server *server = admin_find_server(call, server_name, error);
    Client *client = server ? server_find_client(server, id) : NULL;

    if (server && !client)
        error_set(error, VIR_FROM_RPC, VIR_ERR_NO_CLIENT,
                  "No client with matching ID '%" G_GUINT64_FORMAT "'", id);
    return client;
}

bool admin_client_lookup(Call *call, const admin_server_lookup_client_args *args,
                         admin_server_lookup_client_ret *ret, GError **error)
{
    Client *client;

    if (!call_check_flags("virAdmServerLookupClient", args->flags, 0, error) ||
        !(client = find_client(call, &args->srv, args->id, error)))
        return false;
    fill_client(&ret->clnt, client, args->srv.name);
    return true;
}

/* May be the client that asks: its reply is dropped then. */
bool admin_client_close(Call *call, const admin_client_close_args *args, none *ret,
                        GError **error)
{
    Client *client;

    if (!call_check_flags("virAdmClientClose", args->flags, 0, error) ||
        !(client = find_client(call, &args->clnt.srv, args->clnt.id, error)))
        return false;
    client_close(client, "closed by the admin interface");
    return true;
}

typedef enum NameOf { NAME_OF_USER, NAME_OF_GROUP } NameOf;

/* NULL for one that has no name; the number is shown all the same. */
static char *read_name(NameOf of, id_t id)
{
    for (size_t size = ENTRY_FIRST_GUESS; size <= ENTRY_MAX; size *= 4) {
        g_autofree char *buffer = g_malloc(size);
        struct passwd user, *found_user = NULL;
        struct group group, *found_group = NULL;
        int result = of == NAME_OF_USER ? getpwuid_r(id, &user, buffer, size, &found_user)
                                        : getgrgid_r(id, &group, buffer, size, &found_group);

        if (result == ERANGE)
            continue;
        if (found_user)
            return g_strdup(found_user->pw_name);
        return found_group ? g_strdup(found_group->gr_name) : NULL;
    }
    return NULL;
}

/* In a thread: the user data base may be a server somewhere. */
static bool read_names(void *data, GError **error)
{
    Identity *identity = data;

    if (identity->has_user && !identity->user_name)
        identity->user_name = read_name(NAME_OF_USER, identity->uid);
    if (identity->has_group && !identity->group_name)
        identity->group_name = read_name(NAME_OF_GROUP, identity->gid);
    return true;
}

static void add_string(TypedParams *params, const char *name, const char *value)
{
    if (value)
        typed_params_add_string(params, name, value);
}

/* Signed integers, as the protocol has them: ids above 2^31 come out negative. */
static void add_unix(TypedParams *params, const Identity *identity)
{
    if (identity->has_user)
        typed_params_add_int(params, VIR_CLIENT_INFO_UNIX_USER_ID, (int)identity->uid);
    add_string(params, VIR_CLIENT_INFO_UNIX_USER_NAME, identity->user_name);
    if (identity->has_group)
        typed_params_add_int(params, VIR_CLIENT_INFO_UNIX_GROUP_ID, (int)identity->gid);
    add_string(params, VIR_CLIENT_INFO_UNIX_GROUP_NAME, identity->group_name);
    if (identity->has_process)
        typed_params_add_int(params, VIR_CLIENT_INFO_UNIX_PROCESS_ID, identity->pid);
}

bool admin_client_get_info(Call *call, const admin_client_get_info_args *args,
                           admin_client_get_info_ret *ret, GError **error)
{
    g_autoptr(TypedParams) params = typed_params_new();
    g_autoptr(Identity) identity = NULL;
    g_autoptr(Client) client = NULL;
    Client *found;

    if (!call_check_flags("virAdmClientGetInfo", args->flags, 0, error) ||
        !(found = find_client(call, &args->clnt.srv, args->clnt.id, error)))
        return false;
    client = client_ref(found);
    /* A copy: the client may be given another identity, or go, while we wait. */
    identity = identity_copy(client_get_identity(client));
    if (!fiber_offload(read_names, identity, error))
        return false;
    typed_params_add_boolean(params, VIR_CLIENT_INFO_READONLY, client_is_read_only(client));
    add_string(params, VIR_CLIENT_INFO_SOCKET_ADDR, client->address);
    add_string(params, VIR_CLIENT_INFO_SASL_USER_NAME, identity->sasl_user_name);
    add_string(params, VIR_CLIENT_INFO_X509_DISTINGUISHED_NAME, identity->x509_dname);
    add_unix(params, identity);
    add_string(params, VIR_CLIENT_INFO_SELINUX_CONTEXT, identity->selinux_context);
    typed_params_steal_admin(params, &ret->params.params_val, &ret->params.params_len);
    return true;
}
