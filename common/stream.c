/* Both directions of a stream on one channel with everything else. Towards the client the
 * channel's queue is the limit: stream_send() waits while it is long. From the client the
 * items that its function has not taken yet are: over MAX_AHEAD_BYTES the whole connection is
 * not read from, for frames of one stream cannot be left in the socket and others taken.
 * Serials tell streams apart; a stream is found by its serial until it is over. */
#include "common/stream_private.h"

#include <string.h>

#include "base/error.h"
#include "common/call_private.h"
#include "common/server_private.h"
#include "fiber/sync.h"
#include "wire/message.h"
#include "wire/wire_error.h"

/* Streams of one client at once, those included that have ended for it but whose function
 * still runs. */
#define MAX_STREAMS 256
/* What a client may have sent ahead of the stream's function before it is not read from
 * any more, and when it is again. */
#define MAX_AHEAD_BYTES (4 * 1024 * 1024)
#define RESUME_AHEAD_BYTES (1024 * 1024)
/* What an item costs besides its data: empty ones must not be free. */
#define ITEM_BYTES 128

struct Stream {
    Client *client; /* a reference */
    FrameHeader header; /* of the call that opened it */
    bool is_upload;
    StreamFunc func;
    void *data;
    GDestroyNotify destroy;
    Fiber *fiber;

    GQueue items; /* of StreamItem, received and not yet taken */
    size_t ahead_bytes;
    bool has_paused_channel;
    bool has_end;   /* the client has said that it sends no more */
    bool is_over;   /* finished or aborted, by either side: nothing is sent any more */
    GError *failure; /* what waits fail with */
    FiberCond changed;
};

void stream_item_clear(StreamItem *item)
{
    g_clear_pointer(&item->data, g_bytes_unref);
}

static size_t stream_item_cost(const StreamItem *item)
{
    return ITEM_BYTES + (item->data ? g_bytes_get_size(item->data) : 0);
}

static void stream_item_free(void *data)
{
    stream_item_clear(data);
    g_free(data);
}

/* After is_over, so it is in no table, and after its function has ended. */
static void stream_free(Stream *stream)
{
    stream->client->n_streams--;
    g_queue_clear_full(&stream->items, stream_item_free);
    g_clear_error(&stream->failure);
    fiber_unref(stream->fiber);
    client_unref(stream->client);
    g_free(stream);
}

/* NULL also after the connection has ended. */
static Stream *stream_find(const Client *client, uint32_t serial)
{
    return client->streams ? g_hash_table_lookup(client->streams, GUINT_TO_POINTER(serial)) : NULL;
}

static void stream_let_read(Stream *stream)
{
    if (!stream->has_paused_channel)
        return;
    stream->has_paused_channel = false;
    channel_resume(stream->client->channel);
}

/* Nothing goes in or out any more; frames that still come for it are dropped. */
static void stream_end(Stream *stream, GError *failure)
{
    if (!stream->failure)
        stream->failure = failure;
    else
        g_clear_error(&failure);
    if (stream->failure) {
        g_queue_clear_full(&stream->items, stream_item_free);
        stream->ahead_bytes = 0;
    }
    fiber_cond_broadcast(&stream->changed);
    if (stream->is_over)
        return;
    /* The serial is free again from here on, although the function may still run. */
    stream->is_over = true;
    stream_let_read(stream);
    if (stream_find(stream->client, stream->header.serial) == stream)
        g_hash_table_remove(stream->client->streams, GUINT_TO_POINTER(stream->header.serial));
}

void stream_free_unstarted(Stream *stream)
{
    if (!stream)
        return;
    stream_end(stream, NULL);
    if (stream->destroy)
        stream->destroy(stream->data);
    stream_free(stream);
}

/* On failure @data is still the caller's; on success it is freed by @destroy in any case, also
 * when the call fails later and the stream never starts. */
bool stream_open(Call *call, StreamFunc func, void *data, GDestroyNotify destroy, GError **error)
{
    Client *client = call->client;
    Stream *stream;

    if (call->wire->stream == WIRE_STREAM_NONE || call->stream) {
        error_set(error, VIR_FROM_STREAMS, VIR_ERR_INTERNAL_ERROR, "%s has no stream to open",
                  wire_procedure_title(call->wire));
        return false;
    }
    if (client->has_closed) {
        error_set(error, VIR_FROM_STREAMS, VIR_ERR_OPERATION_ABORTED, "the client has gone");
        return false;
    }
    if (client->n_streams >= MAX_STREAMS || stream_find(client, call->header.serial)) {
        error_set(error, VIR_FROM_STREAMS, VIR_ERR_RESOURCE_BUSY,
                  "%u streams are open on this connection, at most %d may be, each with a serial "
                  "of its own",
                  client->n_streams, MAX_STREAMS);
        return false;
    }
    stream = g_new0(Stream, 1);
    stream->client = client_ref(client);
    stream->header = call->header;
    stream->is_upload = call->wire->stream == WIRE_STREAM_WRITE;
    stream->func = func;
    stream->data = data;
    stream->destroy = destroy;
    call->stream = stream;
    /* From here on its serial is taken, and it ends with the connection. */
    if (!client->streams)
        client->streams = g_hash_table_new(NULL, NULL);
    g_hash_table_insert(client->streams, GUINT_TO_POINTER(call->header.serial), stream);
    client->n_streams++;
    return true;
}

Client *stream_get_client(Stream *stream)
{
    return stream->client;
}

/* In a fiber of its own. It is not cancelled when the client goes, but all its waits fail. */
static void stream_run(void *data)
{
    Stream *stream = data;

    stream->func(stream, stream->data);
    if (!stream->is_over) {
        g_autoptr(GError) error = NULL;

        error_set(&error, VIR_FROM_STREAMS, VIR_ERR_OPERATION_ABORTED, "the stream has ended early");
        stream_abort(stream, error);
    }
    if (stream->destroy)
        stream->destroy(stream->data);
    stream_free(stream);
}

void stream_start(Stream *stream)
{
    Client *client = stream->client;
    g_autoptr(GError) error = NULL;

    if (fiber_spawn(client->server->loop, "stream", stream_run, stream, &stream->fiber, &error))
        return;
    stream_abort(stream, error);
    stream_free_unstarted(stream);
}

/* Frames of a stream carry the numbers of the call that opened it. */
static void stream_send_frame(Stream *stream, uint32_t type, uint32_t status, const void *payload,
                              size_t length)
{
    FrameHeader header = stream->header;
    uint8_t head[FRAME_HEADER_SIZE];
    struct iovec iov[2] = { { head, sizeof(head) }, { (void *)payload, length } };

    header.type = type;
    header.status = status;
    header.length = (uint32_t)(sizeof(head) + length);
    frame_header_encode(&header, head);
    client_send_raw(stream->client, iov, length > 0 ? 2 : 1, NULL, 0);
}

/* Whether anything can still be sent or received. A stream that goes both ways may be ended by one
 * of its fibers while the other is in the middle of something. */
static bool stream_check(const Stream *stream, GError **error)
{
    if (stream->failure) {
        if (error)
            *error = g_error_copy(stream->failure);
        return false;
    }
    if (stream->is_over)
        error_set(error, VIR_FROM_STREAMS, VIR_ERR_OPERATION_ABORTED, "the stream has ended");
    return !stream->is_over;
}

/* Waits until the client has taken most of what was sent. */
static bool stream_wait_drained(Stream *stream, GError **error)
{
    while (!stream->is_over &&
           channel_get_queued_bytes(stream->client->channel) > CHANNEL_HIGH_WATER_BYTES) {
        /* Forever: for a client that reads slowly or not at all; it holds only itself up. */
        if (!fiber_cond_wait(&stream->changed, FIBER_FOREVER, error))
            return false;
    }
    return stream_check(stream, error);
}

/* Frame by frame: a large piece of data waits for the client several times, and does not sit
 * in the queue as a whole. */
bool stream_send(Stream *stream, const void *data, size_t length, GError **error)
{
    const uint8_t *bytes = data;

    while (length > 0) {
        size_t part = MIN(length, STREAM_CHUNK_BYTES);

        if (!stream_wait_drained(stream, error))
            return false;
        stream_send_frame(stream, VIR_NET_STREAM, VIR_NET_CONTINUE, bytes, part);
        bytes += part;
        length -= part;
    }
    return stream_check(stream, error);
}

bool stream_send_hole(Stream *stream, int64_t length, GError **error)
{
    virNetStreamHole hole = { .length = length };
    FrameHeader header = stream->header;

    if (!stream_wait_drained(stream, error))
        return false;
    header.type = VIR_NET_STREAM_HOLE;
    header.status = VIR_NET_CONTINUE;
    return client_send_frame(stream->client, &header, (xdrproc_t)xdr_virNetStreamHole, &hole, NULL,
                             0, error);
}

bool stream_receive(Stream *stream, StreamItem *ret_item, GError **error)
{
    StreamItem *item;

    while (!(item = g_queue_pop_head(&stream->items))) {
        if (!stream_check(stream, error))
            return false;
        /* Forever: a console is silent for as long as its user is. */
        if (!fiber_cond_wait(&stream->changed, FIBER_FOREVER, error))
            return false;
    }
    *ret_item = *item;
    stream->ahead_bytes -= stream_item_cost(item);
    g_free(item);
    if (stream->ahead_bytes < RESUME_AHEAD_BYTES)
        stream_let_read(stream);
    return true;
}

/* An empty CONTINUE frame says "no more data", which the client confirms with OK; that in turn
 * is confirmed by us. In an upload the client has said it, and one OK of ours ends it. */
void stream_send_end(Stream *stream)
{
    if (!stream->is_over)
        stream_send_frame(stream, VIR_NET_STREAM, VIR_NET_CONTINUE, NULL, 0);
}

void stream_confirm_end(Stream *stream)
{
    if (stream->is_over)
        return;
    stream_send_frame(stream, VIR_NET_STREAM, VIR_NET_OK, NULL, 0);
    stream_end(stream, NULL);
}

bool stream_is_over(const Stream *stream)
{
    return stream->is_over;
}

bool stream_finish(Stream *stream, GError **error)
{
    if (!stream->is_upload) {
        stream_send_end(stream);
        /* What a client still sends in a download is of no interest. */
        for (;;) {
            g_auto(StreamItem) item = { 0 };

            if (!stream_receive(stream, &item, error))
                return false;
            if (item.kind == STREAM_ITEM_END)
                break;
        }
    }
    if (!stream_check(stream, error))
        return false;
    stream_confirm_end(stream);
    return true;
}

void stream_abort(Stream *stream, const GError *error)
{
    if (stream->is_over)
        return;
    stream->header.type = VIR_NET_STREAM;
    client_send_error(stream->client, &stream->header, error);
    stream_end(stream, g_error_copy(error));
}

static bool stream_decode_hole(const Message *message, int64_t *ret_length, GError **error)
{
    virNetStreamHole hole = { 0 };

    if (!codec_decode(message->payload, message->payload_length, (xdrproc_t)xdr_virNetStreamHole,
                      &hole, "stream hole", error))
        return false;
    *ret_length = hole.length;
    if (hole.length >= 0 && hole.flags == 0)
        return true;
    error_set(error, VIR_FROM_STREAMS, VIR_ERR_RPC,
              "a hole of %" G_GINT64_FORMAT " bytes with flags 0x%x cannot be", hole.length,
              hole.flags);
    return false;
}

/* Makes an item of what the client sent; false with @error set when it may not be sent. */
static bool stream_read_item(Stream *stream, const Message *message, StreamItem *ret_item,
                             GError **error)
{
    const FrameHeader *header = &message->header;

    if (stream->has_end) {
        error_set(error, VIR_FROM_STREAMS, VIR_ERR_RPC, "the stream goes on behind its end");
        return false;
    }
    if (header->type == VIR_NET_STREAM_HOLE) {
        ret_item->kind = STREAM_ITEM_HOLE;
        return stream_decode_hole(message, &ret_item->hole_length, error);
    }
    if (header->status == VIR_NET_CONTINUE) {
        ret_item->data = g_bytes_new(message->payload, message->payload_length);
        return true;
    }
    if (header->status == VIR_NET_OK) {
        ret_item->kind = STREAM_ITEM_END;
        stream->has_end = true;
        return true;
    }
    error_set(error, VIR_FROM_STREAMS, VIR_ERR_RPC, "the status of a frame of a stream is %u",
              header->status);
    return false;
}

/* From the loop, as the message comes in: never waits, always takes. */
static void stream_take_item(Stream *stream, const Message *message)
{
    StreamItem *item = g_new0(StreamItem, 1);
    g_autoptr(GError) error = NULL;

    if (!stream_read_item(stream, message, item, &error)) {
        g_free(item);
        stream_abort(stream, error);
        return;
    }
    stream->ahead_bytes += stream_item_cost(item);
    g_queue_push_tail(&stream->items, item);
    if (stream->ahead_bytes > MAX_AHEAD_BYTES && !stream->has_paused_channel) {
        stream->has_paused_channel = true;
        channel_pause(stream->client->channel);
    }
    fiber_cond_broadcast(&stream->changed);
}

/* The client gives up; it waits for a confirmation. */
static void stream_aborted_by_client(Stream *stream)
{
    stream_send_frame(stream, VIR_NET_STREAM, VIR_NET_OK, NULL, 0);
    stream_end(stream, g_error_new(error_quark(VIR_FROM_STREAMS), VIR_ERR_OPERATION_ABORTED,
                                   "the client has aborted the stream"));
}

bool streams_dispatch(Client *client, const Message *message)
{
    const FrameHeader *header = &message->header;
    Stream *stream = stream_find(client, header->serial);

    if (!stream || stream->header.program != header->program ||
        stream->header.procedure != header->procedure)
        return false;
    /* The text of the error is the client's own affair. */
    if (header->status == VIR_NET_ERROR)
        stream_aborted_by_client(stream);
    else
        stream_take_item(stream, message);
    return true;
}

/* The table goes first: streams that end do not look for themselves in it. */
void streams_client_closed(Client *client)
{
    g_autoptr(GHashTable) streams = g_steal_pointer(&client->streams);
    GHashTableIter iter;
    gpointer stream;

    if (!streams)
        return;
    g_hash_table_iter_init(&iter, streams);
    while (g_hash_table_iter_next(&iter, NULL, &stream))
        stream_end(stream, g_error_new(error_quark(VIR_FROM_STREAMS), VIR_ERR_OPERATION_ABORTED,
                                       "the client has gone"));
}

void streams_on_drained(Client *client)
{
    GHashTableIter iter;
    gpointer stream;

    if (!client->streams)
        return;
    g_hash_table_iter_init(&iter, client->streams);
    while (g_hash_table_iter_next(&iter, NULL, &stream))
        fiber_cond_broadcast(&((Stream *)stream)->changed);
}
