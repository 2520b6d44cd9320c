/* JSON from peers: what parses is written and parsed to the same again, and a stream gives
 * the same values wherever it is cut. */
#include <stdlib.h>
#include <string.h>

#include "json/parse.h"
#include "json/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        if (!(CONDITION))                                                                          \
            abort();                                                                               \
    } while (0)

#define STREAM_VALUE_MAX 4096

static void check_round_trip(const char *text, size_t size)
{
    g_autoptr(JsonValue) value = json_parse_bytes(text, size, NULL);
    g_autoptr(JsonValue) again = NULL;
    g_autoptr(JsonValue) pretty_again = NULL;
    g_autoptr(JsonValue) copy = NULL;
    g_autofree char *written = NULL;
    g_autofree char *pretty = NULL;
    g_autofree char *keyval = NULL;

    if (!value)
        return;
    written = json_write(value);
    CHECK(g_utf8_validate(written, -1, NULL));
    again = json_parse(written, NULL);
    CHECK(again && json_equal(value, again));
    pretty = json_write_pretty(value);
    pretty_again = json_parse(pretty, NULL);
    CHECK(pretty_again && json_equal(value, pretty_again));
    copy = json_copy(value);
    CHECK(json_equal(value, copy));
    keyval = json_to_keyval(value, NULL);
}

/* All that a stream gives for @text, cut into pieces by @seed. */
static char *stream_text(const char *text, size_t size, uint32_t seed)
{
    g_autoptr(JsonStream) stream = json_stream_new(STREAM_VALUE_MAX);
    g_autoptr(GError) error = NULL;
    GString *all = g_string_new(NULL);
    JsonValue *value = NULL;

    for (size_t at = 0; at < size;) {
        size_t piece = seed ? MIN(size - at, 1 + seed % 7) : size;

        if (!json_stream_feed(stream, text + at, piece, &error))
            break;
        at += piece;
        seed = seed * 1103515245u + (seed ? 12345u : 0);
    }
    while ((value = json_stream_pop(stream))) {
        json_write_to(value, all);
        g_string_append_c(all, '\n');
        json_free(value);
    }
    /* The position may move within a token that is cut. */
    if (error)
        g_string_append(all, strstr(strstr(error->message, "at byte"), ": "));
    return g_string_free(all, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    g_autofree char *whole = NULL;
    g_autofree char *cut = NULL;

    check_round_trip(text, size);
    whole = stream_text(text, size, 0);
    cut = stream_text(text, size, 2 * (uint32_t)size + 1);
    CHECK(g_strcmp0(whole, cut) == 0);
    return 0;
}
