/* The frame around every message: a length word, the six words of the header (all big endian,
 * RFC 4506), for some types the number of descriptors, and the payload. Descriptors themselves
 * come behind the frame, which is the channel's business. */
#include "wire/frame.h"

#include <string.h>

#include "base/error.h"

/* bytes, as everything in XDR is counted */
#define WORD 4

/* By copying: nothing says that a frame is aligned in its buffer. */
static uint32_t get_word(const uint8_t *bytes, size_t index)
{
    uint32_t word;

    memcpy(&word, bytes + index * WORD, WORD);
    return GUINT32_FROM_BE(word);
}

static void put_word(uint8_t *bytes, size_t index, uint32_t word)
{
    word = GUINT32_TO_BE(word);
    memcpy(bytes + index * WORD, &word, WORD);
}

void frame_header_decode(const uint8_t *bytes, FrameHeader *ret_header)
{
    *ret_header = (FrameHeader){
        .length = get_word(bytes, 0),
        .program = get_word(bytes, 1),
        .version = get_word(bytes, 2),
        .procedure = (int32_t)get_word(bytes, 3),
        .type = get_word(bytes, 4),
        .serial = get_word(bytes, 5),
        .status = get_word(bytes, 6),
    };
}

void frame_header_encode(const FrameHeader *header, uint8_t *bytes)
{
    put_word(bytes, 0, header->length);
    put_word(bytes, 1, header->program);
    put_word(bytes, 2, header->version);
    put_word(bytes, 3, (uint32_t)header->procedure);
    put_word(bytes, 4, header->type);
    put_word(bytes, 5, header->serial);
    put_word(bytes, 6, header->status);
}

/* The length word counts itself, and the header. */
bool frame_length_is_valid(uint32_t length, uint32_t max)
{
    return length >= FRAME_HEADER_SIZE && length <= MIN(max, FRAME_LENGTH_MAX);
}

bool frame_type_has_fds(uint32_t type)
{
    return type == VIR_NET_CALL_WITH_FDS || type == VIR_NET_REPLY_WITH_FDS;
}

/* Opens a frame at the end of @buffer: the header is written when its length is known. */
static size_t begin(GByteArray *buffer)
{
    size_t start = buffer->len;

    g_byte_array_set_size(buffer, start + FRAME_HEADER_SIZE);
    return start;
}

static void finish(GByteArray *buffer, size_t start, const FrameHeader *header)
{
    FrameHeader final = *header;

    final.length = buffer->len - start;
    frame_header_encode(&final, buffer->data + start);
}

/* Without a codec there is no payload. */
static bool add_value(GByteArray *buffer, size_t start, xdrproc_t proc, const void *value,
                      GError **error)
{
    if (!proc)
        return true;
    return codec_encode(buffer, start + FRAME_LENGTH_MAX, proc, value, error);
}

/* On failure the buffer is as it was: callers put several frames into one. */
bool frame_encode(GByteArray *buffer, const FrameHeader *header, xdrproc_t proc, const void *value,
                  GError **error)
{
    size_t start = begin(buffer);

    if (!add_value(buffer, start, proc, value, error)) {
        g_byte_array_set_size(buffer, start);
        return false;
    }
    finish(buffer, start, header);
    return true;
}

bool frame_encode_with_fds(GByteArray *buffer, const FrameHeader *header, uint32_t n_fds,
                           xdrproc_t proc, const void *value, GError **error)
{
    size_t start = begin(buffer);

    g_byte_array_set_size(buffer, buffer->len + WORD);
    put_word(buffer->data + start + FRAME_HEADER_SIZE, 0, n_fds);
    if (!add_value(buffer, start, proc, value, error)) {
        g_byte_array_set_size(buffer, start);
        return false;
    }
    finish(buffer, start, header);
    return true;
}

bool frame_encode_raw(GByteArray *buffer, const FrameHeader *header, const uint8_t *payload,
                      size_t length, GError **error)
{
    size_t start;

    if (length > FRAME_LENGTH_MAX - FRAME_HEADER_SIZE) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "cannot send a payload of %zu bytes in one message", length);
        return false;
    }
    start = begin(buffer);
    g_byte_array_append(buffer, payload, length);
    finish(buffer, start, header);
    return true;
}
