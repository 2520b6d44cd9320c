#include "virtqemud/libvirt_guests/connection.h"

#include <string.h>

#include "base/error.h"
#include "wire/remote.h"
#include "wire/remote_connect.h"
#include "wire/remote_domain.h"

#define PROGRAM "virtqemud"
#define URI "qemu:///system"
/* The daemon may have to be started first; starting a guest takes what it takes. */
#define CALL_MS 60000
#define START_MS (10 * 60 * 1000)

struct GuestsConnection {
    RpcClient *rpc;
};

GuestName *guest_name_new(const char *name, const Uuid *uuid)
{
    GuestName *guest = g_new0(GuestName, 1);

    guest->name = g_strdup(name);
    guest->uuid = *uuid;
    return guest;
}

void guest_name_free(void *data)
{
    GuestName *guest = data;

    g_free(guest->name);
    g_free(guest);
}

static bool call(GuestsConnection *connection, int32_t procedure, xdrproc_t args_codec,
                 const void *args, xdrproc_t ret_codec, void *ret, uint64_t patience_ms,
                 GError **error)
{
    const RpcCall made = {
        .program = REMOTE_PROGRAM,
        .version = REMOTE_PROTOCOL_VERSION,
        .procedure = procedure,
        .args_codec = args_codec,
        .args = args,
        .ret_codec = ret_codec,
        .ret = ret,
    };

    return rpc_client_call(connection->rpc, &made, fiber_deadline_ms(patience_ms), error);
}

/* Asking what it takes to get in is what marks a client as one that knows the protocol. */
static bool open_connection(GuestsConnection *connection, GError **error)
{
    char *name = (char *)URI;
    const remote_connect_open_args args = { .name = &name };
    remote_auth_list_ret auth = { 0 };
    bool is_open = call(connection, REMOTE_PROC_AUTH_LIST, NULL, NULL,
                        XDR_PROC(remote_auth_list_ret), &auth, CALL_MS, error) &&
                   call(connection, REMOTE_PROC_CONNECT_OPEN, XDR_PROC(remote_connect_open_args),
                        &args, NULL, NULL, CALL_MS, error);

    codec_free(XDR_PROC(remote_auth_list_ret), &auth);
    return is_open;
}

GuestsConnection *guests_connect(ChannelPool *pool, const Paths *paths, const char *uri,
                                 GError **error)
{
    g_autoptr(GuestsConnection) connection = NULL;
    g_autofree char *path = NULL;

    if (strcmp(uri, "default") != 0 && strcmp(uri, URI) != 0) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_NO_SUPPORT,
                  "the guests of %s are not looked after: only those of " URI " are", uri);
        return NULL;
    }
    path = paths_socket(paths->run_dir, PROGRAM, SOCKET_MAIN, error);
    if (!path)
        return NULL;
    connection = g_new0(GuestsConnection, 1);
    connection->rpc = rpc_client_open(pool, path, NULL, NULL, fiber_deadline_ms(CALL_MS), error);
    return connection->rpc && open_connection(connection, error) ? g_steal_pointer(&connection)
                                                                  : NULL;
}

void guests_connection_free(GuestsConnection *connection)
{
    if (!connection)
        return;
    if (connection->rpc)
        rpc_client_close(connection->rpc);
    rpc_client_unref(connection->rpc);
    g_free(connection);
}

GPtrArray *guests_list(GuestsConnection *connection, unsigned flags, GError **error)
{
    const remote_connect_list_all_domains_args args = { .need_results = 1, .flags = flags };
    remote_connect_list_all_domains_ret ret = { 0 };
    GPtrArray *guests = NULL;

    if (call(connection, REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS,
             XDR_PROC(remote_connect_list_all_domains_args), &args,
             XDR_PROC(remote_connect_list_all_domains_ret), &ret, CALL_MS, error)) {
        guests = g_ptr_array_new_with_free_func(guest_name_free);
        for (u_int i = 0; i < ret.domains.domains_len; i++) {
            const remote_nonnull_domain *domain = &ret.domains.domains_val[i];
            Uuid uuid;

            memcpy(&uuid, domain->uuid, sizeof(uuid));
            g_ptr_array_add(guests, guest_name_new(domain->name, &uuid));
        }
    }
    codec_free(XDR_PROC(remote_connect_list_all_domains_ret), &ret);
    return guests;
}

static remote_nonnull_domain to_wire(const GuestName *guest)
{
    remote_nonnull_domain wire = { .name = guest->name, .id = -1 };

    memcpy(wire.uuid, &guest->uuid, sizeof(wire.uuid));
    return wire;
}

bool guests_shut_down(GuestsConnection *connection, const GuestName *guest, GError **error)
{
    const remote_domain_shutdown_args args = { .dom = to_wire(guest) };

    return call(connection, REMOTE_PROC_DOMAIN_SHUTDOWN, XDR_PROC(remote_domain_shutdown_args),
                &args, NULL, NULL, CALL_MS, error);
}

bool guests_start(GuestsConnection *connection, const GuestName *guest, GError **error)
{
    const remote_domain_create_args args = { .dom = to_wire(guest) };
    g_autoptr(GError) reason = NULL;

    if (call(connection, REMOTE_PROC_DOMAIN_CREATE, XDR_PROC(remote_domain_create_args), &args,
             NULL, NULL, START_MS, &reason))
        return true;
    /* "domain is already running": it started with the host. */
    if (reason->code == VIR_ERR_OPERATION_INVALID)
        return true;
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}
