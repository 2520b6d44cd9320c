/* What a channel still has to send: copies of frames, in order, and descriptors, each on
 * a byte of its own behind its frame. */
#pragma once

#include <glib.h>
#include <sys/uio.h>

#include "net/stream_socket.h"

typedef struct OutputChunk OutputChunk;

typedef struct OutputQueue {
    OutputChunk *first, *last;
    size_t n_bytes;
    size_t n_offered; /* bytes at the front that TLS wants to be offered again as they are */
} OutputQueue;

void output_queue_clear(OutputQueue *queue);
/* Copies @iov without its first @skip bytes. @skip is 0 for a frame of which nothing has
 * been sent; otherwise the rest belongs to a frame that is already on its way. */
void output_queue_append(OutputQueue *queue, const struct iovec *iov, int n_iov, size_t skip);
/* Takes @fd. */
void output_queue_append_fd(OutputQueue *queue, int fd);
/* Puts a small frame in front of every frame that has not begun to be sent. */
void output_queue_insert_urgent(OutputQueue *queue, const uint8_t *bytes, size_t length);
/* Sends as much as the socket takes. 0: all sent; -EAGAIN; -errno. */
int output_queue_flush(OutputQueue *queue, NetSocket *socket);
