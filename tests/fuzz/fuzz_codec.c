#include "tests/fuzz/fuzz_codec.h"

#include <string.h>

#include "base/error.h"
#include "wire/codec.h"
#include "wire/codec_table.h"
#include "wire/procedure.h"

#define CHOICE_SIZE 3

static void assert_same(const GByteArray *one, const GByteArray *two)
{
    g_assert_cmpmem(one->data, one->len, two->data, two->len);
}

static GByteArray *encode(xdrproc_t proc, const void *value)
{
    GByteArray *buffer = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    codec_encode(buffer, 1 << 26, proc, value, &error);
    g_assert_no_error(error);
    return buffer;
}

static void decode_and_encode(xdrproc_t proc, size_t value_size, const uint8_t *payload,
                              size_t size)
{
    g_autofree void *value = g_malloc0(value_size);
    g_autofree void *again = g_malloc0(value_size);
    g_autoptr(GByteArray) encoded = NULL;
    g_autoptr(GByteArray) encoded_again = NULL;
    g_autoptr(GError) error = NULL;

    if (!codec_decode(payload, size, proc, value, "input", &error)) {
        g_assert_nonnull(error);
        return;
    }
    encoded = encode(proc, value);
    /* What may differ from the input is padding and the sign of bytes. */
    g_assert_cmpuint(encoded->len, ==, size);
    g_assert_true(codec_decode(encoded->data, encoded->len, proc, again, "own bytes", NULL));
    encoded_again = encode(proc, again);
    assert_same(encoded, encoded_again);
    codec_free(proc, value);
    codec_free(proc, again);
}

static const WireCodec *find_codec(uint32_t program, uint32_t number)
{
    for (const WireCodec *codec = wire_codecs; codec->program; codec++) {
        if (codec->program == program && codec->number == number)
            return codec;
    }
    return NULL;
}

void fuzz_codec(uint32_t program, const uint8_t *data, size_t size)
{
    const WireProgram *facts = wire_program_find(program);
    const WireCodec *codec;

    if (size < CHOICE_SIZE)
        return;
    codec = find_codec(program, (data[0] << 8 | data[1]) % facts->n_procedures);
    if (!codec)
        return;
    if (data[2] % 2 == 0 && codec->args)
        decode_and_encode(codec->args, codec->args_size, data + CHOICE_SIZE, size - CHOICE_SIZE);
    if (data[2] % 2 == 1 && codec->ret)
        decode_and_encode(codec->ret, codec->ret_size, data + CHOICE_SIZE, size - CHOICE_SIZE);
}
