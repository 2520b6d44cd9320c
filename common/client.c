/* One connection of a client: its account (calls, bytes, descriptors), its identity, and its
 * end. What it says is dispatch.c's, what it sends goes through its channel. A client ends
 * once, in client_close(); the struct stays for calls that still run, which find everything
 * there but a connection. */
#include "common/client_private.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/error.h"
#include "base/wipe.h"
#include "common/call_private.h"
#include "common/daemon.h"
#include "common/events_private.h"
#include "common/router.h"
#include "common/server_private.h"
#include "common/stream_private.h"
#include "net/address.h"
#include "wire/wire_error.h"

#include "base/log.h"

LOG_INIT("rpc.client");

/* Output that may wait for a client before it is disconnected. */
#define MAX_QUEUED_BYTES (64 * 1024 * 1024)

typedef struct CloseFunc {
    ClientCloseFunc func;
    void *data;
} CloseFunc;

static void client_on_message(Channel *channel, const Message *message, void *owner)
{
    Client *client = owner;

    if (client->greeting_timer)
        client_remote_greeted(client);
    client_dispatch(client, message);
}

/* The end of the connection that we did not bring about ourselves. */
static void client_on_closed(Channel *channel, const GError *reason, void *owner)
{
    Client *client = owner;

    if (client->greeting_timer && reason)
        client_remote_failed(client, reason);
    client_close(client, reason ? reason->message : "the client has gone");
}

/* Whoever waits for this client to read: its streams, its calls that were held back, and
 * siblings that send to it. */
static void client_on_drained(Channel *channel, void *owner)
{
    Client *client = owner;

    streams_on_drained(client);
    workers_run_waiting(&client->server->workers);
    if (client->router)
        router_client_on_drained(client);
}

static const ChannelHandler client_handler = {
    .message = client_on_message,
    .closed = client_on_closed,
    .drained = client_on_drained,
};

/* Only what a process cannot choose is believed: the kernel's note of who connected. Over the
 * network there is no such note; who the peer is, TLS says. */
static bool client_read_identity(Client *client, NetSocket *socket, GError **error)
{
    Server *server = client->server;
    NetCredentials credentials = { 0 };
    int fd = net_socket_get_fd(socket);

    if (client->listener->spec.transport != SERVER_UNIX) {
        client->identity = identity_new_from_credentials(NULL);
        client->is_identity_complete = true;
        return true;
    }
    if (!net_credentials_read(fd, &credentials, error))
        return false;
    if (!server->has_probed_kernel) {
        server->has_probed_kernel = true;
        server->reads_identity_late = net_credentials_can_wait(fd);
    }
    client->identity = identity_new_from_credentials(&credentials);
    client->has_peer_uid = true;
    client->peer_uid = credentials.uid;
    return true;
}

/* Most clients are never asked for more than their uid, and the rest costs system calls. */
static void client_complete_identity(Client *client)
{
    g_auto(NetCredentials) credentials = { 0 };
    NetSocket *socket = channel_get_socket(client->channel);

    if (client->is_identity_complete || !socket)
        return;
    client->is_identity_complete = true;
    if (!net_credentials_read(net_socket_get_fd(socket), &credentials, NULL))
        return;
    net_credentials_complete(net_socket_get_fd(socket), &credentials);
    identity_free(client->identity);
    client->identity = identity_new_from_credentials(&credentials);
}

/* What costs system calls (the process's start time, its label) is read on first use. The
 * socket keeps it until then where the kernel can do that; see server's reads_identity_late. */
const Identity *client_get_identity(Client *client)
{
    client_complete_identity(client);
    return client->identity;
}

void client_set_identity(Client *client, Identity *identity)
{
    identity_free(client->identity);
    client->identity = identity;
    client->is_identity_complete = true;
    client->n_identities++;
}

/* What a stranger may say takes no descriptors: those of all clients are the daemon's to share. */
void client_update_limits(Client *client)
{
    bool is_stranger = client->auth != CLIENT_AUTH_DONE || client->is_rejected;
    size_t most = client->is_rejected ? CLIENT_MAX_REJECTED_FRAME_BYTES
                                      : CLIENT_MAX_STRANGER_FRAME_BYTES;
    ChannelLimits limits = { client->server->limits.max_frame_bytes, MAX_QUEUED_BYTES,
                             is_stranger };

    if (is_stranger)
        limits.max_frame_bytes = MIN(limits.max_frame_bytes, most);
    channel_set_limits(client->channel, &limits);
}

Client *client_new(Server *server, const ServerListener *listener, NetSocket *socket,
                   GError **error)
{
    g_autoptr(Client) client = NULL;
    ChannelLimits limits = { CLIENT_MAX_STRANGER_FRAME_BYTES, MAX_QUEUED_BYTES, true };

    client = g_new0(Client, 1);
    client->n_refs = 1;
    client->server = server;
    client->listener = listener;
    client->id = ++server->next_client_id;
    client->connected_at_s = time(NULL);
    if (!client_read_identity(client, socket, error)) {
        net_socket_free(socket);
        return NULL;
    }
    client->is_read_only = listener->spec.is_read_only;
    client->auth = listener->spec.auth == SERVER_AUTH_NONE || client_is_trusted(client)
                       ? CLIENT_AUTH_DONE
                       : CLIENT_AUTH_NEEDED;
    client->link.data = client->turn.data = client;
    if (listener->spec.transport != SERVER_UNIX)
        client->address = net_address_peer(net_socket_get_fd(socket));
    client->channel = channel_new(daemon_get_channel_pool(server->daemon), socket, &limits,
                                  &client_handler, client);
    if (!channel_start(client->channel, error))
        return NULL;
    if (listener->spec.transport != SERVER_UNIX && !client_remote_begin(client, error))
        return NULL;
    client_update_limits(client);
    if (!server->reads_identity_late)
        client_complete_identity(client);
    LOG_DEBUG("client %" G_GUINT64_FORMAT " of server %s connected", client->id, server->name);
    /* The first reference is the connection's: client_close() drops it. */
    return g_steal_pointer(&client);
}

Client *client_ref(Client *client)
{
    client->n_refs++;
    return client;
}

void client_unref(Client *client)
{
    if (!client || --client->n_refs > 0)
        return;
    channel_unref(client->channel);
    identity_free(client->identity);
    g_clear_error(&client->rejection);
    g_clear_pointer(&client->close_funcs, g_array_unref);
    g_free(client->uri);
    g_free(client->address);
    g_free(client);
}

/* Taken off before it runs: a function may add or remove others. */
static void client_run_close_funcs(Client *client)
{
    while (client->close_funcs && client->close_funcs->len > 0) {
        guint last = client->close_funcs->len - 1;
        CloseFunc entry = g_array_index(client->close_funcs, CloseFunc, last);

        g_array_set_size(client->close_funcs, last);
        entry.func(client, entry.data);
    }
}

/* Queries of a client that has gone are of no use to anybody; what changes something
 * goes on to its end. */
static void client_cancel_queries(Client *client)
{
    for (GList *link = client->running_calls.head; link; link = link->next) {
        Call *call = link->data;

        if (call->fiber && !call->wire->is_write)
            fiber_cancel(call->fiber);
    }
}

/* The order matters: first the connection, so that nothing more is sent to it; then the lists
 * that others find it by; then what waits for it, which fails now; last what drivers keep. The
 * reference that is dropped at the end is the connection's own. */
void client_close(Client *client, const char *reason)
{
    if (client->has_closed)
        return;
    client->has_closed = true;
    LOG_DEBUG("client %" G_GUINT64_FORMAT " of server %s: %s", client->id, client->server->name,
              reason);
    client->greeting_timer = sd_event_source_disable_unref(client->greeting_timer);
    client->stranger_timer = sd_event_source_disable_unref(client->stranger_timer);
    /* The last reply may be on its way. */
    channel_close(client->channel);
    server_remove_client(client->server, client);
    client_cancel_queries(client);
    streams_client_closed(client);
    events_client_closed(client);
    router_client_closed(client);
    client_run_close_funcs(client);
    client_unref(client);
}

bool client_send_frame(Client *client, const FrameHeader *header, xdrproc_t codec,
                       const void *value, const int *fds, size_t n_fds, GError **error)
{
    GByteArray *buffer = daemon_get_encode_buffer(client->server->daemon);
    struct iovec iov;
    bool is_encoded;

    g_byte_array_set_size(buffer, 0);
    /* The buffer is shared by all clients. Between here and channel_send(), which copies or
     * sends, nothing may wait or call anybody. */
    if (n_fds > 0)
        is_encoded = frame_encode_with_fds(buffer, header, (uint32_t)n_fds, codec, value, error);
    else
        is_encoded = frame_encode(buffer, header, codec, value, error);
    if (!is_encoded)
        return false;
    iov = (struct iovec){ buffer->data, buffer->len };
    channel_send(client->channel, &iov, 1, fds, n_fds);
    /* There may have been a password in it. */
    wipe(buffer->data, buffer->len);
    return true;
}

void client_send_raw(Client *client, const struct iovec *iov, int n_iov, const int *fds,
                     size_t n_fds)
{
    channel_send(client->channel, iov, n_iov, fds, n_fds);
}

/* The answer to a call is a reply, to a frame of a stream one of that stream; both keep the
 * serial and procedure of what they answer. */
void client_send_error(Client *client, const FrameHeader *call_header, const GError *error)
{
    FrameHeader header = *call_header;
    virNetMessageError wire_error;
    g_autoptr(GError) ignored = NULL;

    LOG_INFO("client %" G_GUINT64_FORMAT ": %s", client->id, error->message);
    if (header.type == VIR_NET_CALL || header.type == VIR_NET_CALL_WITH_FDS)
        header.type = VIR_NET_REPLY;
    else
        header.type = VIR_NET_STREAM;
    header.status = VIR_NET_ERROR;
    wire_error_from_gerror(error, &wire_error);
    client_send_frame(client, &header, (xdrproc_t)xdr_virNetMessageError, &wire_error, NULL, 0,
                      &ignored);
    wire_error_clear(&wire_error);
}

uint64_t client_get_id(const Client *client)
{
    return client->id;
}

Server *client_get_server(Client *client)
{
    return client->server;
}

Daemon *client_get_daemon(Client *client)
{
    return client->server->daemon;
}

bool client_is_read_only(const Client *client)
{
    return client->is_read_only;
}

bool client_is_closed(const Client *client)
{
    return client->has_closed || channel_is_closed(client->channel);
}

const char *client_get_uri(const Client *client)
{
    return client->uri;
}

/* By the kernel's word, not by the identity, which a trusted peer may have replaced with that
 * of its own client. */
bool client_is_trusted(const Client *client)
{
    return client->has_peer_uid &&
           daemon_trusts_user(client->server->daemon, client->peer_uid);
}

bool client_is_driver(const Client *client)
{
    return client_is_trusted(client) && client->identity->is_driver;
}

void client_close_after_reply(Client *client)
{
    client->is_closing = true;
}

unsigned client_get_max_requests(const Client *client)
{
    return client->server->limits.max_client_requests;
}

/* Accounts are opened when a call has been decoded and closed when it is freed, also by calls
 * that the router keeps. */
void client_charge_call(Client *client, size_t bytes)
{
    client->n_calls++;
    client->n_call_bytes += bytes;
    client->server->n_calls++;
}

void client_discharge_call(Client *client, size_t bytes)
{
    client->n_calls--;
    client->n_call_bytes -= bytes;
    client->server->n_calls--;
    daemon_touch(client->server->daemon);
}

int client_duplicate_fd(int fd, GError **error)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (copy < 0)
        error_set_errno(error, VIR_FROM_RPC, errno, "Cannot duplicate descriptor %d", fd);
    return copy;
}

/* Numbers of our own callbacks and of those at siblings come from here, so that they never
 * meet. */
int32_t client_new_callback_id(Client *client)
{
    /* Numbers are never used again while the connection lives, but for the far end of
     * the range, which no connection reaches. */
    if (client->next_callback == G_MAXINT32)
        client->next_callback = 0;
    return client->next_callback++;
}

void client_add_close_func(Client *client, ClientCloseFunc func, void *data)
{
    CloseFunc entry = { func, data };

    /* Added by a call that outlives its connection: there will be no other occasion. */
    if (client->has_closed) {
        func(client, data);
        return;
    }
    if (!client->close_funcs)
        client->close_funcs = g_array_new(FALSE, FALSE, sizeof(CloseFunc));
    g_array_append_val(client->close_funcs, entry);
}

void client_remove_close_func(Client *client, ClientCloseFunc func, void *data)
{
    /* By function and data, as it was added. Not finding it is no error: it may have run. */
    for (guint i = 0; client->close_funcs && i < client->close_funcs->len; i++) {
        CloseFunc *entry = &g_array_index(client->close_funcs, CloseFunc, i);

        if (entry->func == func && entry->data == data) {
            g_array_remove_index(client->close_funcs, i);
            return;
        }
    }
}
