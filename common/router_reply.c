/* What siblings say: replies, streams and events on their way to the client. */
#include <string.h>

#include "base/error.h"
#include "common/daemon.h"
#include "common/router_callbacks.h"
#include "wire/api_common.h"
#include "wire/remote.h"
#include "wire/remote_connect.h"

#include "base/log.h"

LOG_INIT("rpc.router");

/* Events kept for a client whose registrations are being made again. */
#define MAX_EARLY_BYTES (1024 * 1024)

/* Serials are the client's choice: nothing keeps it from using one twice. Calls with the same
 * serial form a list, which keeps the last one at hand so that a thousand of them cost no
 * search. */
void upstream_add_call(Upstream *upstream, RouterCall *call)
{
    gpointer key = GUINT_TO_POINTER(call->header.serial);
    RouterCall *first = g_hash_table_lookup(upstream->calls, key);

    client_charge_call(upstream->client, call->charged_bytes);
    upstream->client->n_call_fds += call->n_fds;
    if (first) {
        first->last->next = call;
        first->last = call;
    } else {
        call->last = call;
        g_hash_table_insert(upstream->calls, key, call);
    }
}

/* The oldest call that @header can be the reply to, taken out of the table. */
static RouterCall *upstream_take_call(Upstream *upstream, const FrameHeader *header)
{
    gpointer key = GUINT_TO_POINTER(header->serial);
    RouterCall *first = g_hash_table_lookup(upstream->calls, key);
    RouterCall *previous = NULL;
    RouterCall *call = first;

    while (call && (call->header.procedure != header->procedure ||
                    call->header.program != header->program)) {
        previous = call;
        call = call->next;
    }
    if (!call)
        return NULL;
    if (previous) {
        previous->next = call->next;
        if (first->last == call)
            first->last = previous;
    } else if (call->next) {
        call->next->last = call->last;
        g_hash_table_insert(upstream->calls, key, call->next);
    } else {
        g_hash_table_remove(upstream->calls, key);
    }
    return call;
}

/* Gives everything back that was charged to the client when the call was forwarded. */
static void router_call_free(Upstream *upstream, RouterCall *call)
{
    router_callbacks_release(upstream, call);
    upstream->client->n_call_fds -= call->n_fds;
    client_discharge_call(upstream->client, call->charged_bytes);
    g_free(call);
}

/* The tables are replaced before anything is sent: they stay consistent whatever an answer
 * leads to. */
void upstream_fail_calls(Upstream *upstream, const GError *error)
{
    g_autoptr(GHashTable) streams = g_steal_pointer(&upstream->streams);
    g_autoptr(GHashTable) calls = g_steal_pointer(&upstream->calls);
    GHashTableIter iter;
    gpointer value;

    upstream->calls = g_hash_table_new(NULL, NULL);
    upstream->streams = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_hash_table_iter_init(&iter, calls);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        for (RouterCall *call = value, *next; call; call = next) {
            next = call->next;
            if (error)
                client_send_error(upstream->client, &call->header, error);
            router_call_free(upstream, call);
        }
    }
    g_hash_table_iter_init(&iter, streams);
    while (error && g_hash_table_iter_next(&iter, NULL, &value)) {
        RouterStream *stream = value;

        stream->header.type = VIR_NET_STREAM;
        /* The others had their answer as calls. */
        if (stream->is_open)
            client_send_error(upstream->client, &stream->header, error);
    }
}

/* Sends @message on; @number, when it is not negative, in place of its first word. */
static void upstream_pass_on(Upstream *upstream, const Message *message, int32_t number)
{
    uint32_t word = GUINT32_TO_BE((uint32_t)number);
    size_t before = (size_t)(message->payload - message->bytes);
    struct iovec iov[3] = {
        { (void *)message->bytes, before },
        { &word, sizeof(word) },
        { (void *)(message->payload + sizeof(word)), message->length - before - sizeof(word) },
    };
    struct iovec whole = { (void *)message->bytes, message->length };

    if (number >= 0)
        client_send_raw(upstream->client, iov, message->payload_length > sizeof(word) ? 3 : 2,
                        message->fds->fds, message->fds->n_fds);
    else
        client_send_raw(upstream->client, &whole, 1, message->fds->fds, message->fds->n_fds);
}

/* Where a number of a callback stands, in replies and events alike. */
static bool message_read_word(const Message *message, int32_t *ret_word)
{
    uint32_t word;

    if (message->payload_length < sizeof(word))
        return false;
    memcpy(&word, message->payload, sizeof(word));
    *ret_word = (int32_t)GUINT32_FROM_BE(word);
    return true;
}

/* An error changes no registration: the sibling has none, or still has it. */
static void upstream_pass_reply(Upstream *upstream, const Message *message, RouterCall *call)
{
    bool is_ok = message->header.status == VIR_NET_OK;
    gpointer key = GUINT_TO_POINTER(call->header.serial);
    int32_t number = -1;

    if (is_ok && call->effect != ROUTER_EFFECT_NONE) {
        bool has_number = message_read_word(message, &number);

        if (call->effect != ROUTER_EFFECT_ADD || has_number)
            number = router_callbacks_apply(upstream, call, number);
        if (call->effect != ROUTER_EFFECT_ADD)
            number = -1;
    }
    if (call->wire->stream != WIRE_STREAM_NONE) {
        RouterStream *stream = g_hash_table_lookup(upstream->streams, key);

        if (!is_ok)
            g_hash_table_remove(upstream->streams, key);
        else if (stream)
            stream->is_open = true;
    }
    upstream_pass_on(upstream, message, number);
}

/* A client that does not take what it has asked for: its sibling is not read from until it does,
 * and holds its calls back then. Those that share the connection with a stream wait with it. */
static void upstream_hold_back(Upstream *upstream)
{
    if (upstream->is_paused ||
        channel_get_queued_bytes(upstream->client->channel) <= CHANNEL_HIGH_WATER_BYTES)
        return;
    upstream->is_paused = true;
    channel_pause(rpc_client_get_channel(upstream->rpc));
}

static void upstream_on_reply(Upstream *upstream, const Message *message)
{
    RouterCall *call = upstream_take_call(upstream, &message->header);
    NetSocket *socket = channel_get_socket(upstream->client->channel);
    g_autoptr(GError) error = NULL;

    if (!call) {
        LOG_DEBUG("%s answers a call that nobody waits for: procedure %d, serial %u",
                  upstream->sibling->program, message->header.procedure, message->header.serial);
        return;
    }
    /* The client may have come over the network, where descriptors cannot go. */
    if (message->fds->n_fds > 0 && (!socket || !net_socket_is_unix(socket))) {
        error_set(&error, VIR_FROM_RPC, VIR_ERR_NO_SUPPORT,
                  "%s: its result is a descriptor, which only a unix socket can carry",
                  wire_procedure_title(call->wire));
        client_send_error(upstream->client, &call->header, error);
    } else {
        upstream_pass_reply(upstream, message, call);
    }
    router_call_free(upstream, call);
    upstream_hold_back(upstream);
}

/* A stream is over when its sibling has confirmed the end, or has aborted it. */
static void upstream_on_stream(Upstream *upstream, const Message *message)
{
    const FrameHeader *header = &message->header;
    gpointer key = GUINT_TO_POINTER(header->serial);
    RouterStream *stream = g_hash_table_lookup(upstream->streams, key);

    if (!stream || stream->header.program != header->program ||
        stream->header.procedure != header->procedure)
        return;
    upstream_pass_on(upstream, message, -1);
    if (header->type == VIR_NET_STREAM && header->status != VIR_NET_CONTINUE)
        g_hash_table_remove(upstream->streams, key);
    upstream_hold_back(upstream);
}

/* Events of a kind that nobody knows come from a sibling that is newer than we are. */
static void upstream_on_event(Upstream *upstream, const Message *message)
{
    const WireProgram *program = wire_program_find(message->header.program);
    const WireProcedure *wire = program ? wire_procedure_find(program, message->header.procedure)
                                        : NULL;
    RouterCallback *callback;
    int32_t number = -1;

    if (!wire || wire->kind < WIRE_CALLBACK_EVENT || wire->kind == WIRE_MESSAGE) {
        LOG_DEBUG("%s sends an event that is not known: %d", upstream->sibling->program,
                  message->header.procedure);
        return;
    }
    if (wire->kind == WIRE_CALLBACK_EVENT) {
        if (!message_read_word(message, &number))
            return;
        callback = g_hash_table_lookup(upstream->numbers, GINT_TO_POINTER(number));
        /* The client has just taken it back. */
        if (!callback)
            return;
        number = callback->key;
    }
    upstream_pass_on(upstream, message, number);
}

/* An event may come right behind the reply that tells its number, before the fiber that waits for
 * that reply has run. */
static void upstream_keep_event(Upstream *upstream, const Message *message)
{
    if (upstream->early_bytes + message->length > MAX_EARLY_BYTES) {
        LOG_WARN("%s sends more events than can be kept while it is being connected to: one is lost",
                 upstream->sibling->program);
        return;
    }
    g_queue_push_tail(&upstream->early_events, g_bytes_new(message->bytes, message->length));
    upstream->early_bytes += message->length;
}

void upstream_pass_early_events(Upstream *upstream)
{
    GBytes *frame;

    while ((frame = g_queue_pop_head(&upstream->early_events))) {
        MessageFds no_fds = { .n_fds = 0 };
        Message message = { .fds = &no_fds };

        message.bytes = g_bytes_get_data(frame, &message.length);
        message.payload = message.bytes + FRAME_HEADER_SIZE;
        message.payload_length = message.length - FRAME_HEADER_SIZE;
        frame_header_decode(message.bytes, &message.header);
        upstream_on_event(upstream, &message);
        g_bytes_unref(frame);
    }
    upstream->early_bytes = 0;
}

/* Called by the loop. Nothing in here ends the upstream: sending to the client reports trouble
 * later. */
static void upstream_on_message(RpcClient *rpc, const Message *message, void *owner)
{
    Upstream *upstream = owner;

    switch (message->header.type) {
    case VIR_NET_REPLY:
    case VIR_NET_REPLY_WITH_FDS:
        upstream_on_reply(upstream, message);
        break;
    case VIR_NET_STREAM:
    case VIR_NET_STREAM_HOLE:
        upstream_on_stream(upstream, message);
        break;
    case VIR_NET_MESSAGE:
        if (upstream->state == UPSTREAM_OPEN)
            upstream_on_event(upstream, message);
        else
            upstream_keep_event(upstream, message);
        break;
    default:
        LOG_DEBUG("%s sends a message of type %u", upstream->sibling->program,
                  message->header.type);
    }
}

/* The daemon of the client's own driver has gone: the client has asked to be told. */
static void upstream_tell_closed(Upstream *upstream)
{
    static const remote_connect_event_connection_closed_msg closed = {
        VIR_CONNECT_CLOSE_REASON_EOF
    };
    Client *client = upstream->client;
    FrameHeader header = {
        .program = REMOTE_PROGRAM,
        .version = REMOTE_PROTOCOL_VERSION,
        .procedure = REMOTE_PROC_CONNECT_EVENT_CONNECTION_CLOSED,
        .type = VIR_NET_MESSAGE,
    };

    if (client->has_close_callback && sibling_find_uri(client->uri) == upstream->sibling)
        client_send_frame(client, &header, XDR_PROC(remote_connect_event_connection_closed_msg),
                          &closed, NULL, 0, NULL);
}

void upstream_lose(Upstream *upstream, const GError *error)
{
    upstream_fail(upstream, error);
    upstream_tell_closed(upstream);
    if (upstream->n_callbacks > 0)
        upstream_start(upstream);
}

static void upstream_on_closed(RpcClient *rpc, const GError *reason, void *owner)
{
    Upstream *upstream = owner;
    g_autoptr(GError) error = NULL;

    /* While it is being opened, the fiber that does so sees it. */
    if (upstream->state != UPSTREAM_OPEN)
        return;
    error_set(&error, VIR_FROM_RPC, VIR_ERR_RPC, "connection to %s was lost: %s",
              upstream->sibling->program,
              reason ? error_detail(reason) : "it has ended, or closed the connection");
    upstream_lose(upstream, error);
}

static void upstream_on_drained(RpcClient *rpc, void *owner)
{
    upstream_let_client_read(owner);
}

const RpcClientHandler upstream_handler = {
    .message = upstream_on_message,
    .closed = upstream_on_closed,
    .drained = upstream_on_drained,
};
