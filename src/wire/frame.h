/* Frames: one message of the protocol is a frame, 28 bytes that say what it is and how
 * long, then its payload. Everything is big endian. The words are the length, then
 * virNetMessageHeader of message.x, whose enums name the types and states. */
#pragma once

#include "wire/codec.h"
#include "wire/message.h"

/* Bytes before the payload. No frame is shorter. */
#define FRAME_HEADER_SIZE 28
/* The longest frame of all, and the longest that an ordinary peer needs: the longest string
 * and a little more. */
#define FRAME_LENGTH_MAX (VIR_NET_MESSAGE_MAX + VIR_NET_MESSAGE_LEN_MAX)
#define FRAME_LENGTH_ORDINARY_MAX (4 * 1024 * 1024 + 64 * 1024)

typedef struct FrameHeader {
    uint32_t length; /* of the whole frame, this word included */
    uint32_t program;
    uint32_t version;
    int32_t procedure;
    uint32_t type; /* virNetMessageType */
    uint32_t serial;
    uint32_t status; /* virNetMessageStatus */
} FrameHeader;

/* Reads the FRAME_HEADER_SIZE bytes at @bytes, whatever they say. */
void frame_header_decode(const uint8_t *bytes, FrameHeader *ret_header);

/* Writes FRAME_HEADER_SIZE bytes to @bytes. */
void frame_header_encode(const FrameHeader *header, uint8_t *bytes);

/* False when no frame can be so long or so short, or when it is over @max: the stream of
 * frames is broken then and the connection has to go. */
bool frame_length_is_valid(uint32_t length, uint32_t max);

/* The types whose payload begins with the number of descriptors that follow the frame. */
bool frame_type_has_fds(uint32_t type);

/* Appends a frame to @buffer: @header (its length is ignored and computed) and @value; a
 * NULL @proc means no payload. On failure @buffer is as before. Errors: see codec_encode(). */
bool frame_encode(GByteArray *buffer, const FrameHeader *header, xdrproc_t proc, const void *value,
                  GError **error);

/* The same for a @header whose type announces @n_fds descriptors. */
bool frame_encode_with_fds(GByteArray *buffer, const FrameHeader *header, uint32_t n_fds,
                           xdrproc_t proc, const void *value, GError **error);

/* Appends a frame whose payload is given as bytes: stream data.
 * Errors: INTERNAL_ERROR when it is longer than FRAME_LENGTH_MAX. */
bool frame_encode_raw(GByteArray *buffer, const FrameHeader *header, const uint8_t *payload,
                      size_t length, GError **error);
