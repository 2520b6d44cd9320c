/* Streams: bulk data beside a call, in one direction, or (consoles) in both: then one fiber may
 * receive while another sends. The handler of the call opens one;
 * when its reply has been sent, the stream's function runs in a fiber of its own. A peer
 * that does not read makes stream_send() wait; one that sends faster than the function
 * receives is not read from any more once the bounded buffer is full.
 *
 * A stream ends with its connection; waits in it then fail. */
#pragma once

#include "common/call.h"
#include "fiber/fiber.h"

#define STREAM_CHUNK_BYTES (256 * 1024 - 24) /* most data of one frame, by convention */

typedef struct Stream Stream;
/* Must end the stream by stream_finish() or stream_abort(); returning without is an abort. */
typedef void (*StreamFunc)(Stream *stream, void *data);

/* Errors: INTERNAL_ERROR when the call's procedure has no stream, RESOURCE_BUSY when the
 * client has too many, or has one with this serial. @destroy runs when all is over. */
bool stream_open(Call *call, StreamFunc func, void *data, GDestroyNotify destroy, GError **error);

Client *stream_get_client(Stream *stream);

typedef enum StreamItemKind { STREAM_ITEM_DATA, STREAM_ITEM_HOLE, STREAM_ITEM_END } StreamItemKind;
typedef struct StreamItem {
    StreamItemKind kind;
    GBytes *data;         /* DATA: owned by the receiver */
    int64_t hole_length;  /* HOLE: bytes that are zero */
} StreamItem;
void stream_item_clear(StreamItem *item);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StreamItem, stream_item_clear)

/* The next thing that the client sent. Errors: OPERATION_ABORTED when it aborted the
 * stream or has gone, or when the stream has been finished. */
SUSPENDS bool stream_receive(Stream *stream, StreamItem *ret_item, GError **error);
/* Sends data of any length (in frames of STREAM_CHUNK_BYTES), a hole. */
SUSPENDS bool stream_send(Stream *stream, const void *data, size_t length, GError **error);
SUSPENDS bool stream_send_hole(Stream *stream, int64_t length, GError **error);
/* Upload: confirms the client's end. Download: says that this was all, and waits for the
 * client's confirmation. Errors as above. */
SUSPENDS bool stream_finish(Stream *stream, GError **error);
/* The two halves of stream_finish(), for a stream that goes both ways (a console): that there is
 * no more data, which the client confirms with its own end; and the confirmation of the client's
 * end, after which the stream is over. Neither waits. */
void stream_send_end(Stream *stream);
void stream_confirm_end(Stream *stream);
/* Whether nothing is sent or received any more. */
bool stream_is_over(const Stream *stream);
/* Tells the client why there will be no more. */
void stream_abort(Stream *stream, const GError *error);
