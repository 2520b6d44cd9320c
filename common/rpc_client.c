/* Calls to a sibling: each has a serial and an entry in a table until it is answered, fails,
 * or is not waited for any more. Replies are kept as bytes and decoded by the fiber that
 * waits, with the codec that it brought: a reply that nobody wants costs no decoding. */
#include "common/rpc_client.h"

#include <string.h>

#include "base/error.h"
#include "fiber/sync.h"
#include "net/connect.h"
#include "wire/wire_error.h"

#include "base/log.h"

LOG_INIT("rpc.sibling");

/* The client of a router may have 64 MiB of calls waiting, and a stream besides. */
#define MAX_QUEUED_BYTES (256 * 1024 * 1024)

struct RpcClient {
    unsigned n_refs;
    Channel *channel;
    const RpcClientHandler *handler;
    void *owner;
    uint32_t next_serial;
    GHashTable *replies; /* serial → RpcReply, owned by those who wait */
};

struct RpcReply {
    RpcClient *rpc; /* a reference */
    FrameHeader call;
    bool is_error;
    GBytes *payload;
    MessageFds fds;
    GError *failure;
    FiberCompletion answered;
};

/* Waking a fiber only queues it: the table does not change under the iteration. */
static void rpc_client_fail_all(RpcClient *rpc, const GError *reason)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, rpc->replies);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        RpcReply *reply = value;

        error_set(&reply->failure, VIR_FROM_RPC, VIR_ERR_RPC, "%s",
                  reason ? reason->message : "the connection was closed by the peer");
        fiber_completion_signal(&reply->answered);
        g_hash_table_iter_remove(&iter);
    }
}

/* Serial, program and procedure must agree: a sibling that mixes them up, or a late reply to
 * an earlier call, is not taken for an answer. The bytes are copied, they are gone when this
 * returns. */
static bool rpc_client_take_reply(RpcClient *rpc, const Message *message)
{
    const FrameHeader *header = &message->header;
    gpointer key = GUINT_TO_POINTER(header->serial);
    RpcReply *reply;

    if (header->type != VIR_NET_REPLY && header->type != VIR_NET_REPLY_WITH_FDS)
        return false;
    reply = g_hash_table_lookup(rpc->replies, key);
    if (!reply || reply->call.program != header->program ||
        reply->call.procedure != header->procedure)
        return false;
    reply->is_error = header->status != VIR_NET_OK;
    reply->payload = g_bytes_new(message->payload, message->payload_length);
    reply->fds = *message->fds;
    message->fds->n_fds = 0;
    g_hash_table_remove(rpc->replies, key);
    fiber_completion_signal(&reply->answered);
    return true;
}

/* The handler may drop the last reference but this one. */
static void rpc_client_on_message(Channel *channel, const Message *message, void *owner)
{
    g_autoptr(RpcClient) rpc = rpc_client_ref(owner);

    if (rpc_client_take_reply(rpc, message))
        return;
    if (rpc->handler && rpc->handler->message)
        rpc->handler->message(rpc, message, rpc->owner);
    else
        LOG_DEBUG("dropped: message of type %u, procedure %d, serial %u", message->header.type,
                  message->header.procedure, message->header.serial);
}

static void rpc_client_on_closed(Channel *channel, const GError *reason, void *owner)
{
    g_autoptr(RpcClient) rpc = rpc_client_ref(owner);

    rpc_client_fail_all(rpc, reason);
    if (rpc->handler && rpc->handler->closed)
        rpc->handler->closed(rpc, reason, rpc->owner);
}

static void rpc_client_on_drained(Channel *channel, void *owner)
{
    RpcClient *rpc = owner;

    if (rpc->handler && rpc->handler->drained)
        rpc->handler->drained(rpc, rpc->owner);
}

static const ChannelHandler channel_handler = {
    .message = rpc_client_on_message,
    .closed = rpc_client_on_closed,
    .drained = rpc_client_on_drained,
};

/* Takes @socket, also when it fails. */
RpcClient *rpc_client_new(ChannelPool *pool, NetSocket *socket, const RpcClientHandler *handler,
                          void *owner, GError **error)
{
    g_autoptr(RpcClient) rpc = g_new0(RpcClient, 1);
    ChannelLimits limits = { FRAME_LENGTH_MAX, MAX_QUEUED_BYTES, false };

    rpc->n_refs = 1;
    rpc->handler = handler;
    rpc->owner = owner;
    rpc->next_serial = RPC_CLIENT_FIRST_SERIAL;
    rpc->replies = g_hash_table_new(NULL, NULL);
    rpc->channel = channel_new(pool, socket, &limits, &channel_handler, rpc);
    if (!channel_start(rpc->channel, error))
        return NULL;
    return g_steal_pointer(&rpc);
}

/* errno says why when this returns NULL: callers make their own text of it. */
RpcClient *rpc_client_open(ChannelPool *pool, const char *path, const RpcClientHandler *handler,
                           void *owner, uint64_t deadline_us, GError **error)
{
    NetSocket *socket = net_connect_unix(path, deadline_us, error);

    return socket ? rpc_client_new(pool, socket, handler, owner, error) : NULL;
}

RpcClient *rpc_client_ref(RpcClient *rpc)
{
    rpc->n_refs++;
    return rpc;
}

/* No reply is left in the table: each holds a reference. */
void rpc_client_unref(RpcClient *rpc)
{
    if (!rpc || --rpc->n_refs > 0)
        return;
    if (rpc->channel)
        channel_close(rpc->channel);
    channel_unref(rpc->channel);
    g_hash_table_unref(rpc->replies);
    g_free(rpc);
}

void rpc_client_close(RpcClient *rpc)
{
    g_autoptr(GError) reason = NULL;

    channel_close(rpc->channel);
    error_set(&reason, VIR_FROM_RPC, VIR_ERR_RPC, "the connection was closed");
    rpc_client_fail_all(rpc, reason);
}

/* True also when it has failed and the owner has not been told yet. */
bool rpc_client_is_closed(const RpcClient *rpc)
{
    return channel_is_closed(rpc->channel);
}

Channel *rpc_client_get_channel(RpcClient *rpc)
{
    return rpc->channel;
}

/* Entered in the table at once: the answer may be there before the caller waits. */
static RpcReply *rpc_reply_new(RpcClient *rpc, const RpcCall *call)
{
    RpcReply *reply = g_new0(RpcReply, 1);

    /* Round and round, past those that are still waited for. */
    do {
        reply->call.serial = rpc->next_serial++;
        if (rpc->next_serial == 0)
            rpc->next_serial = RPC_CLIENT_FIRST_SERIAL;
    } while (g_hash_table_contains(rpc->replies, GUINT_TO_POINTER(reply->call.serial)));
    reply->rpc = rpc_client_ref(rpc);
    reply->call.program = call->program;
    reply->call.version = call->version;
    reply->call.procedure = call->procedure;
    reply->call.type = call->n_fds > 0 ? VIR_NET_CALL_WITH_FDS : VIR_NET_CALL;
    reply->call.status = VIR_NET_OK;
    g_hash_table_insert(rpc->replies, GUINT_TO_POINTER(reply->call.serial), reply);
    return reply;
}

/* A call on a connection that is gone fails when it is waited for. */
static void rpc_reply_check_connection(RpcReply *reply)
{
    if (!channel_is_closed(reply->rpc->channel) || reply->answered.is_done)
        return;
    error_set(&reply->failure, VIR_FROM_RPC, VIR_ERR_RPC, "the connection was lost");
    g_hash_table_remove(reply->rpc->replies, GUINT_TO_POINTER(reply->call.serial));
    fiber_completion_signal(&reply->answered);
}

/* Not a shared buffer: callers may send several of these before anything is on its way. */
RpcReply *rpc_client_send(RpcClient *rpc, const RpcCall *call, GError **error)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();
    g_autoptr(RpcReply) reply = rpc_reply_new(rpc, call);
    struct iovec iov;
    bool is_encoded;

    if (call->n_fds > 0)
        is_encoded = frame_encode_with_fds(frame, &reply->call, (uint32_t)call->n_fds,
                                           call->args_codec, call->args, error);
    else
        is_encoded = frame_encode(frame, &reply->call, call->args_codec, call->args, error);
    if (!is_encoded)
        return NULL;
    iov = (struct iovec){ frame->data, frame->len };
    channel_send(rpc->channel, &iov, 1, call->fds, call->n_fds);
    rpc_reply_check_connection(reply);
    return g_steal_pointer(&reply);
}

RpcReply *rpc_client_send_payload(RpcClient *rpc, const RpcCall *call, const uint8_t *payload,
                                  size_t length)
{
    RpcReply *reply = rpc_reply_new(rpc, call);
    uint8_t head[FRAME_HEADER_SIZE];
    struct iovec iov[2] = { { head, sizeof(head) }, { (void *)payload, length } };

    reply->call.type = VIR_NET_CALL;
    reply->call.length = (uint32_t)(sizeof(head) + length);
    frame_header_encode(&reply->call, head);
    channel_send(rpc->channel, iov, 2, NULL, 0);
    rpc_reply_check_connection(reply);
    return reply;
}

void rpc_reply_free(RpcReply *reply)
{
    if (!reply)
        return;
    /* What is answered has left the table. */
    if (!reply->answered.is_done)
        g_hash_table_remove(reply->rpc->replies, GUINT_TO_POINTER(reply->call.serial));
    g_clear_pointer(&reply->payload, g_bytes_unref);
    message_fds_close(&reply->fds);
    g_clear_error(&reply->failure);
    rpc_client_unref(reply->rpc);
    g_free(reply);
}

/* The sibling's error becomes ours as it is: domain, code and text reach the client unchanged. */
static bool rpc_reply_read_error(const uint8_t *payload, size_t length, GError **error)
{
    virNetMessageError wire_error = { 0 };

    if (!codec_decode(payload, length, XDR_PROC(virNetMessageError), &wire_error, "error reply",
                      error))
        return false;
    if (error)
        *error = wire_error_to_gerror(&wire_error);
    wire_error_clear(&wire_error);
    return false;
}

/* A reply that comes after the deadline finds no entry, and goes to the owner's handler as any
 * frame that nobody asked for. */
bool rpc_reply_wait(RpcReply *reply_to_free, const RpcCall *call, uint64_t deadline_us,
                    GError **error)
{
    g_autoptr(RpcReply) reply = reply_to_free;
    const uint8_t *payload;
    size_t length = 0;

    if (!fiber_completion_wait(&reply->answered, deadline_us, error))
        return false;
    if (reply->failure) {
        g_propagate_error(error, g_steal_pointer(&reply->failure));
        return false;
    }
    payload = g_bytes_get_data(reply->payload, &length);
    if (reply->is_error)
        return rpc_reply_read_error(payload, length, error);
    if (call->ret_codec &&
        !codec_decode(payload, length, call->ret_codec, call->ret, "reply", error))
        return false;
    if (call->ret_fds) {
        *call->ret_fds = reply->fds;
        reply->fds.n_fds = 0;
    }
    return true;
}

bool rpc_client_call(RpcClient *rpc, const RpcCall *call, uint64_t deadline_us, GError **error)
{
    RpcReply *reply = rpc_client_send(rpc, call, error);

    return reply && rpc_reply_wait(reply, call, deadline_us, error);
}
