/* A frame from a peer: its header, the facts about what it calls, and the payloads that
 * belong to no procedure (errors, stream holes). */
#include <string.h>

#include "base/error.h"
#include "wire/frame.h"
#include "wire/procedure.h"
#include "wire/wire_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_facts(const FrameHeader *header)
{
    const WireProgram *program = wire_program_find(header->program);
    const WireProcedure *procedure =
        program ? wire_procedure_find(program, header->procedure) : NULL;

    if (procedure) {
        g_assert_cmpint(procedure->number, ==, header->procedure);
        g_assert_cmpuint(strlen(wire_procedure_title(procedure)), >, 0);
    }
}

static void check_error(const uint8_t *payload, size_t size)
{
    virNetMessageError wire = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) buffer = g_byte_array_new();

    if (!codec_decode(payload, size, XDR_PROC(virNetMessageError), &wire, "error", NULL))
        return;
    error = wire_error_to_gerror(&wire);
    wire_error_clear(&wire);
    wire_error_from_gerror(error, &wire);
    g_assert_true(
        codec_encode(buffer, FRAME_LENGTH_MAX, XDR_PROC(virNetMessageError), &wire, NULL));
    wire_error_clear(&wire);
}

static void check_hole(const uint8_t *payload, size_t size)
{
    virNetStreamHole hole = { 0 };

    if (codec_decode(payload, size, XDR_PROC(virNetStreamHole), &hole, "stream hole", NULL))
        g_assert_cmpuint(size, ==, 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FrameHeader header;
    uint8_t bytes[FRAME_HEADER_SIZE];
    g_autoptr(GByteArray) buffer = g_byte_array_new();

    if (size < FRAME_HEADER_SIZE)
        return 0;
    frame_header_decode(data, &header);
    frame_header_encode(&header, bytes);
    g_assert_cmpmem(bytes, sizeof(bytes), data, FRAME_HEADER_SIZE);
    check_facts(&header);
    data += FRAME_HEADER_SIZE;
    size -= FRAME_HEADER_SIZE;
    if (header.status == VIR_NET_ERROR)
        check_error(data, size);
    else if (header.type == VIR_NET_STREAM_HOLE)
        check_hole(data, size);
    g_assert_true(frame_encode_raw(buffer, &header, data, size, NULL));
    frame_header_decode(buffer->data, &header);
    g_assert_true(frame_length_is_valid(header.length, UINT32_MAX));
    return 0;
}
