/* Cutting the input into messages. A frame is handed out straight from the receive buffer when
 * it is whole there; only a frame that spans two reads is put together in a buffer of its own,
 * which grows as bytes come and not by what the length word promises. */
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"

#include "base/error.h"
#include "common/channel_private.h"
#include "wire/keepalive.h"

/* A descriptor arrives attached to a byte. Frames claim the descriptors of the bytes
 * right behind them; one at any other place belongs to nobody and is closed. */
typedef struct PendingFd {
    uint64_t position;
    int fd;
} PendingFd;

#define MAX_PENDING_FDS 64 /* twice what a frame may announce */

/* The place is marked empty, so that the end of the handler closes those alone that nobody
 * took. */
int message_take_fd(const Message *message, size_t index)
{
    int fd = -1;

    if (index < message->fds->n_fds) {
        fd = message->fds->fds[index];
        message->fds->fds[index] = -1;
    }
    return fd;
}

void message_fds_close(MessageFds *fds)
{
    for (size_t i = 0; i < fds->n_fds; i++) {
        if (fds->fds[i] >= 0)
            close(fds->fds[i]);
    }
    fds->n_fds = 0;
}

/* The partial frame stays: the parser that called whoever closes the channel may be in its
 * middle. It goes with the struct. */
void channel_input_clear(Channel *channel)
{
    if (!channel->pending_fds)
        return;
    for (guint i = 0; i < channel->pending_fds->len; i++)
        close(g_array_index(channel->pending_fds, PendingFd, i).fd);
    g_clear_pointer(&channel->pending_fds, g_array_unref);
}

/* Wiped: there may be a password in it. */
void channel_drop_partial(Channel *channel)
{
    if (!channel->partial)
        return;
    wipe(channel->partial->data, channel->partial->len);
    g_clear_pointer(&channel->partial, g_byte_array_unref);
}

/* Room is doubled as bytes come, into a new array: growing in place would leave what was there
 * behind in freed memory. */
static void channel_append_partial(Channel *channel, const uint8_t *bytes, size_t length)
{
    size_t used = channel->partial ? channel->partial->len : 0;
    GByteArray *grown;

    if (!channel->partial || used + length > channel->partial_room) {
        channel->partial_room = 2 * (used + length);
        grown = g_byte_array_sized_new((guint)channel->partial_room);
        if (channel->partial)
            g_byte_array_append(grown, channel->partial->data, (guint)used);
        channel_drop_partial(channel);
        channel->partial = grown;
    }
    g_byte_array_append(channel->partial, bytes, (guint)length);
}

static void channel_break(Channel *channel, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Framing errors cannot be answered: where the next frame would begin is not known any more.
 * The connection ends. */
static void channel_break(Channel *channel, const char *format, ...)
{
    g_autofree char *detail = NULL;
    va_list list;

    va_start(list, format);
    detail = g_strdup_vprintf(format, list);
    va_end(list);
    channel_fail(channel, g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_RPC, "%s", detail));
}

static void channel_note_fds(Channel *channel, uint64_t position, const int *fds, size_t n_fds)
{
    if (!channel->pending_fds)
        channel->pending_fds = g_array_new(FALSE, FALSE, sizeof(PendingFd));
    for (size_t i = 0; i < n_fds; i++) {
        PendingFd pending = { .position = position, .fd = fds[i] };

        g_array_append_val(channel->pending_fds, pending);
    }
    /* Those of one frame at most can be waiting for the last of their bytes: a peer that
     * sends more inside of a frame only takes the descriptors of others. */
    if (channel->pending_fds->len > MAX_PENDING_FDS)
        channel_break(channel, "The peer sends descriptors where none belong: %u are waiting for "
                               "the end of a frame, at most %d may be",
                      channel->pending_fds->len, MAX_PENDING_FDS);
}

/* Moves the descriptors of the bytes [begin, end) to @fds and closes those before. */
static void channel_claim_fds(Channel *channel, uint64_t begin, uint64_t end, MessageFds *fds)
{
    guint n = 0;

    fds->n_fds = 0;
    if (!channel->pending_fds)
        return;
    for (; n < channel->pending_fds->len; n++) {
        PendingFd *pending = &g_array_index(channel->pending_fds, PendingFd, n);

        if (pending->position >= end)
            break;
        if (pending->position >= begin && fds->n_fds < G_N_ELEMENTS(fds->fds))
            fds->fds[fds->n_fds++] = pending->fd;
        else
            close(pending->fd);
    }
    g_array_remove_range(channel->pending_fds, 0, n);
    if (channel->pending_fds->len == 0)
        g_clear_pointer(&channel->pending_fds, g_array_unref);
}

/* Frames have no alignment inside the buffer. */
static uint32_t read_word(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return GUINT32_FROM_BE(word);
}

/* Finds the next frame in @bytes. Sets @message and returns the number of bytes that it
 * takes with its descriptors' bytes; 0 when more input is needed or framing is broken. */
static size_t channel_cut(Channel *channel, const uint8_t *bytes, size_t length, Message *message)
{
    FrameHeader *header = &message->header;
    size_t head = FRAME_HEADER_SIZE;
    uint32_t n_fds = 0;

    /* Who speaks another protocol is told so by its first bytes, not left waiting. */
    if (length < sizeof(uint32_t))
        return 0;
    if (read_word(bytes) < head || read_word(bytes) > channel->limits.max_frame_bytes) {
        channel_break(channel, "A frame of %u bytes: %zu to %zu are allowed", read_word(bytes),
                      head, channel->limits.max_frame_bytes);
        return 0;
    }
    /* Nothing is taken of a frame before all of it is there, descriptors included. */
    if (length < read_word(bytes))
        return 0;
    frame_header_decode(bytes, header);
    if (frame_type_has_fds(header->type)) {
        if (header->length < head + 4) {
            channel_break(channel, "A frame with descriptors does not say how many");
            return 0;
        }
        n_fds = read_word(bytes + head);
        head += 4;
        if (n_fds > G_N_ELEMENTS(message->fds->fds)) {
            channel_break(channel, "A frame announces %u descriptors, at most %zu are allowed",
                          n_fds, G_N_ELEMENTS(message->fds->fds));
            return 0;
        }
        if (length < header->length + n_fds)
            return 0;
    }
    message->bytes = bytes;
    message->length = header->length;
    message->payload = bytes + head;
    message->payload_length = header->length - head;
    channel_claim_fds(channel, channel->position + header->length,
                      channel->position + header->length + n_fds, message->fds);
    if (message->fds->n_fds != n_fds) {
        channel_break(channel, "A frame announces %u descriptors, %zu came", n_fds,
                      message->fds->n_fds);
        message_fds_close(message->fds);
        return 0;
    }
    return header->length + n_fds;
}

/* Hands out all whole frames; returns how many bytes they took. */
static size_t channel_parse(Channel *channel, const uint8_t *bytes, size_t length)
{
    size_t done = 0;

    /* The handler may have ended the channel, or begun to close it: what came behind that
     * message is dropped. */
    while (done < length && !channel_is_closed(channel) && !channel->is_lingering) {
        MessageFds fds = { .n_fds = 0 };
        Message message = { .fds = &fds };
        size_t taken = channel_cut(channel, bytes + done, length - done, &message);

        if (taken == 0)
            break;
        done += taken;
        channel->position += taken;
        if (message.header.program == KEEPALIVE_PROGRAM)
            channel_keepalive_message(channel, &message.header);
        else
            channel->handler->message(channel, &message, channel->owner);
        message_fds_close(&fds);
    }
    return done;
}

void channel_input(Channel *channel, const uint8_t *bytes, size_t length, const int *fds,
                   size_t n_fds)
{
    size_t n_partial = channel->partial ? channel->partial->len : 0;
    MessageFds none = { .n_fds = 0 };
    size_t done;

    /* The kernel ends a read behind the byte that carries descriptors. */
    if (n_fds > 0)
        channel_note_fds(channel, channel->position + n_partial + length - 1, fds, n_fds);
    if (n_partial == 0) {
        done = channel_parse(channel, bytes, length);
        if (done < length && !channel_is_closed(channel))
            channel_append_partial(channel, bytes + done, length - done);
        /* Those that came with the last frame and belong to nobody need not wait for the next. */
        channel_claim_fds(channel, channel->position, channel->position, &none);
        return;
    }
    channel_append_partial(channel, bytes, length);
    done = channel_parse(channel, channel->partial->data, channel->partial->len);
    if (done == channel->partial->len) {
        channel_drop_partial(channel);
    } else if (done > 0) {
        size_t rest = channel->partial->len - done;

        g_byte_array_remove_range(channel->partial, 0, (guint)done);
        /* What was moved down is still behind the end. */
        wipe(channel->partial->data + rest, done);
    }
}
