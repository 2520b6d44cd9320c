/* The queue of a channel's output: a list of chunks, each with whole frames, the rest of one,
 * or a single byte that carries a descriptor. Descriptors go behind their frame on bytes of
 * their own because a byte carries one message of them, and the receiver counts those bytes. */
#include "common/output_queue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"

#define MAX_GATHERED 32 /* chunks in one system call */
/* Most bytes that TLS can have encrypted and not yet sent: one record (RFC 8446, 5.1). */
#define TLS_RECORD_BYTES 16384
/* Room for a few small replies, so that a pipelining client costs one allocation. */
#define SMALL_CHUNK_BYTES 2048

struct OutputChunk {
    OutputChunk *next;
    size_t offset, length, capacity;
    int fd;           /* sent with this chunk's only byte, -1: none */
    bool starts_frame; /* a frame begins at offset 0 */
    uint8_t data[];
};

/* Data lives behind the struct: one allocation for each. */
static OutputChunk *chunk_new(size_t capacity)
{
    OutputChunk *chunk = g_malloc(sizeof(*chunk) + capacity);

    *chunk = (OutputChunk){ .capacity = capacity, .fd = -1 };
    return chunk;
}

static void chunk_free(OutputChunk *chunk)
{
    if (chunk->fd >= 0)
        close(chunk->fd);
    /* There may have been a password in it. */
    wipe(chunk->data, chunk->length);
    g_free(chunk);
}

static void output_queue_push(OutputQueue *queue, OutputChunk *chunk)
{
    if (queue->last)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    queue->last = chunk;
}

static void output_queue_pop(OutputQueue *queue)
{
    OutputChunk *chunk = queue->first;

    queue->first = chunk->next;
    if (!queue->first)
        queue->last = NULL;
    chunk_free(chunk);
}

void output_queue_clear(OutputQueue *queue)
{
    while (queue->first)
        output_queue_pop(queue);
    queue->n_bytes = 0;
    queue->n_offered = 0;
}

void output_queue_append(OutputQueue *queue, const struct iovec *iov, int n_iov, size_t skip)
{
    OutputChunk *chunk = queue->last;
    size_t total = 0;

    for (int i = 0; i < n_iov; i++)
        total += iov[i].iov_len;
    total -= skip;
    /* A byte with a descriptor is never joined by others: the descriptor goes with the first
     * byte of the send, and has to be behind its frame. */
    if (!chunk || chunk->fd >= 0 || chunk->capacity - chunk->length < total) {
        chunk = chunk_new(MAX(total, SMALL_CHUNK_BYTES));
        chunk->starts_frame = skip == 0;
        output_queue_push(queue, chunk);
    }
    for (int i = 0; i < n_iov; i++) {
        size_t omit = MIN(skip, iov[i].iov_len);

        memcpy(chunk->data + chunk->length, (const uint8_t *)iov[i].iov_base + omit,
               iov[i].iov_len - omit);
        chunk->length += iov[i].iov_len - omit;
        skip -= omit;
    }
    queue->n_bytes += total;
}

void output_queue_append_fd(OutputQueue *queue, int fd)
{
    OutputChunk *chunk = chunk_new(1);

    chunk->data[0] = 0;
    chunk->length = 1;
    chunk->fd = fd;
    queue->n_bytes++;
    output_queue_push(queue, chunk);
}

void output_queue_insert_urgent(OutputQueue *queue, const uint8_t *bytes, size_t length)
{
    OutputChunk **place = &queue->first;
    OutputChunk *chunk;
    size_t n_before = 0;

    /* Only a chunk boundary at which a frame starts is a place: the first one behind all
     * that has been sent or offered. */
    while (*place && (n_before < queue->n_offered || !(*place)->starts_frame ||
                      (*place)->offset > 0)) {
        n_before += (*place)->length - (*place)->offset;
        place = &(*place)->next;
    }
    chunk = chunk_new(length);
    memcpy(chunk->data, bytes, length);
    chunk->length = length;
    chunk->starts_frame = true;
    chunk->next = *place;
    *place = chunk;
    if (!chunk->next)
        queue->last = chunk;
    queue->n_bytes += length;
}

/* Drops @sent bytes from the front. */
static void output_queue_advance(OutputQueue *queue, size_t sent)
{
    queue->n_bytes -= sent;
    while (sent > 0) {
        OutputChunk *chunk = queue->first;
        size_t part = MIN(sent, chunk->length - chunk->offset);

        chunk->offset += part;
        sent -= part;
        if (chunk->offset == chunk->length)
            output_queue_pop(queue);
    }
}

int output_queue_flush(OutputQueue *queue, NetSocket *socket)
{
    while (queue->first) {
        struct iovec iov[MAX_GATHERED];
        int n_iov = 0;
        int fd = queue->first->fd;
        ssize_t sent;

        for (OutputChunk *chunk = queue->first; chunk && n_iov < MAX_GATHERED;
             chunk = chunk->next) {
            /* What is before a descriptor is sent without it. */
            if (chunk->fd >= 0 && n_iov > 0)
                break;
            iov[n_iov].iov_base = chunk->data + chunk->offset;
            iov[n_iov++].iov_len = chunk->length - chunk->offset;
            if (chunk->fd >= 0)
                break;
        }
        sent = net_socket_send(socket, iov, n_iov, &fd, fd >= 0 ? 1 : 0);
        queue->n_offered = sent == -EAGAIN ? MIN(queue->n_bytes, TLS_RECORD_BYTES) : 0;
        if (sent < 0)
            return (int)sent;
        output_queue_advance(queue, (size_t)sent);
    }
    return 0;
}
