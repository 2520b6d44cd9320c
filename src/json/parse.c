/* The parser: yajl's events build the tree here. yajl keeps its own state on the heap too,
 * bounded by the depth that begin() allows and the bytes that one value may have. Parsing
 * one text is a stream that must give exactly one value. */
#include "json/parse.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/error.h"
#include "json/value_private.h"

struct JsonStream {
    yajl_handle parser;
    gsize value_bytes_max;
    guint64 fed;         /* bytes given to the parser before the current feed */
    guint64 value_start; /* position at which the value that is being read began */
    bool is_idle;        /* nothing but white space since the last value */
    bool is_dead;
    char *reason;    /* why a callback stopped the parser; then the reason of death */
    GPtrArray *open; /* containers that are being filled; borrowed but for the first */
    char *key;       /* of the member whose value comes next */
    GQueue done;     /* complete values */
};

/* Ends parsing. */
static int refuse(JsonStream *stream, const char *format, ...) G_GNUC_PRINTF(2, 3);

static int refuse(JsonStream *stream, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_free(stream->reason);
    stream->reason = g_strdup_vprintf(format, args);
    va_end(args);
    return 0;
}

/* In all that was ever fed: limits and errors count over the borders of feeds. */
static guint64 position(JsonStream *stream)
{
    return stream->fed + yajl_get_bytes_consumed(stream->parser);
}

static int value_done(JsonStream *stream, JsonValue *value)
{
    g_queue_push_tail(&stream->done, value);
    stream->value_start = position(stream);
    return 1;
}

/* Puts @value where it belongs and takes it. */
static void place(JsonStream *stream, JsonValue *value)
{
    JsonValue *parent = stream->open->len > 0 ? stream->open->pdata[stream->open->len - 1] : NULL;

    if (!parent)
        return;
    if (parent->type == JSON_OBJECT)
        json_object_append(parent, g_steal_pointer(&stream->key), value);
    else
        json_array_append(parent, value);
}

static int leaf(JsonStream *stream, JsonValue *value)
{
    if (stream->open->len == 0)
        return value_done(stream, value);
    place(stream, value);
    return 1;
}

static int begin(JsonStream *stream, JsonValue *value)
{
    /* Placed first, so that it has an owner when it is refused. */
    place(stream, value);
    g_ptr_array_add(stream->open, value);
    if (stream->open->len > JSON_DEPTH_MAX)
        return refuse(stream, "more than %d levels deep", JSON_DEPTH_MAX);
    return 1;
}

/* Duplicate keys are refused: which of the two counts would depend on the reader. */
static int end(JsonStream *stream)
{
    JsonValue *value = stream->open->pdata[stream->open->len - 1];
    const char *twice = value->type == JSON_OBJECT ? json_object_find_duplicate(value) : NULL;

    if (twice)
        return refuse(stream, "key '%.64s' is given twice", twice);
    g_ptr_array_set_size(stream->open, (int)stream->open->len - 1);
    return stream->open->len == 0 ? value_done(stream, value) : 1;
}

/* yajl checks the raw bytes, but makes invalid UTF-8 of its own from a lone "\udc00". */
static char *text_dup(JsonStream *stream, const unsigned char *bytes, size_t length)
{
    if (!g_utf8_validate_len((const char *)bytes, length, NULL)) {
        refuse(stream, memchr(bytes, 0, length) ? "string with a NUL character"
                                                : "string that is not valid UTF-8");
        return NULL;
    }
    return g_strndup((const char *)bytes, length);
}

static int on_null(void *stream)
{
    return leaf(stream, json_null());
}

static int on_boolean(void *stream, int value)
{
    return leaf(stream, json_bool(value));
}

static int on_number(void *stream, const char *text, size_t length)
{
    return leaf(stream, json_text_take(JSON_NUMBER, g_strndup(text, length)));
}

static int on_string(void *stream, const unsigned char *bytes, size_t length)
{
    char *text = text_dup(stream, bytes, length);

    return text ? leaf(stream, json_text_take(JSON_STRING, text)) : 0;
}

static int on_key(void *data, const unsigned char *bytes, size_t length)
{
    JsonStream *stream = data;

    g_free(stream->key);
    stream->key = text_dup(stream, bytes, length);
    return stream->key ? 1 : 0;
}

static int on_begin_object(void *stream)
{
    return begin(stream, json_object());
}

static int on_begin_array(void *stream)
{
    return begin(stream, json_array());
}

static int on_end(void *stream)
{
    return end(stream);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_begin_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_begin_array,
    .yajl_end_array = on_end,
};

JsonStream *json_stream_new(gsize value_bytes_max)
{
    JsonStream *stream = g_new0(JsonStream, 1);

    stream->value_bytes_max = value_bytes_max;
    stream->is_idle = true;
    stream->open = g_ptr_array_new();
    stream->parser = yajl_alloc(&callbacks, NULL, stream);
    g_assert(stream->parser);
    yajl_config(stream->parser, yajl_allow_multiple_values, 1);
    return stream;
}

static void value_destroy(void *value)
{
    json_free(value);
}

void json_stream_free(JsonStream *stream)
{
    if (!stream)
        return;
    yajl_free(stream->parser);
    if (stream->open->len > 0)
        json_free(stream->open->pdata[0]);
    g_ptr_array_unref(stream->open);
    g_queue_clear_full(&stream->done, value_destroy);
    g_free(stream->key);
    g_free(stream->reason);
    g_free(stream);
}

/* yajl's own reason, without the copy of the text that it can add. */
static char *parser_reason(JsonStream *stream)
{
    unsigned char *text = yajl_get_error(stream->parser, 0, NULL, 0);
    char *reason = g_utf8_make_valid((const char *)text, -1);

    yajl_free_error(stream->parser, text);
    g_strstrip(reason);
    return reason;
}

static bool fail(JsonStream *stream, GError **error)
{
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "%s", stream->reason);
    return false;
}

/* The end of the stream at position @where, for the reason that a callback or the parser
 * gives. */
static bool die(JsonStream *stream, guint64 where, GError **error)
{
    g_autofree char *why = stream->reason ? g_utf8_make_valid(stream->reason, -1)
                                          : parser_reason(stream);

    g_free(stream->reason);
    stream->reason =
        g_strdup_printf("cannot parse JSON at byte %" G_GUINT64_FORMAT ": %s", where, why);
    stream->is_dead = true;
    return fail(stream, error);
}

static gsize count_space(const char *bytes, gsize length)
{
    gsize n = 0;

    while (n < length && strchr(" \t\r\n", bytes[n]) && bytes[n] != '\0')
        n++;
    return n;
}

/* White space between values belongs to none of them. */
static void skip_space(JsonStream *stream, const char **bytes, gsize *length)
{
    gsize n = stream->is_idle ? count_space(*bytes, *length) : 0;

    *bytes += n;
    *length -= n;
    stream->fed += n;
    stream->value_start += n;
}

static bool feed_piece(JsonStream *stream, const char *bytes, gsize length, GError **error)
{
    guint64 piece_end = stream->fed + length;
    gsize left = 0;
    gsize space = 0;

    if (yajl_parse(stream->parser, (const unsigned char *)bytes, length) != yajl_status_ok)
        return die(stream, position(stream), error);
    stream->fed = piece_end;
    left = (gsize)(piece_end - stream->value_start);
    /* The rest of the piece belongs to the next value, white space before it to none. */
    space = left <= length ? count_space(bytes + length - left, left) : 0;
    stream->value_start += space;
    stream->is_idle = left <= length && space == left;
    return true;
}

bool json_stream_feed(JsonStream *stream, const char *bytes, gsize length, GError **error)
{
    if (stream->is_dead)
        return fail(stream, error);
    skip_space(stream, &bytes, &length);
    while (length > 0) {
        guint64 used = stream->fed - stream->value_start;
        gsize piece = MIN(length, stream->value_bytes_max - used);

        if (piece == 0) {
            refuse(stream, "value of more than %" G_GSIZE_FORMAT " bytes", stream->value_bytes_max);
            return die(stream, stream->fed, error);
        }
        if (!feed_piece(stream, bytes, piece, error))
            return false;
        bytes += piece;
        length -= piece;
        skip_space(stream, &bytes, &length);
    }
    return true;
}

JsonValue *json_stream_pop(JsonStream *stream)
{
    return g_queue_pop_head(&stream->done);
}

/* The one value of a stream that is over. */
static bool finish(JsonStream *stream, GError **error)
{
    bool is_empty = stream->done.length == 0 && stream->is_idle;
    bool is_whole = !is_empty && yajl_complete_parse(stream->parser) == yajl_status_ok;

    if (is_whole && stream->done.length == 1)
        return true;
    if (is_whole)
        refuse(stream, "more than one value");
    else if (is_empty)
        refuse(stream, "no value");
    return die(stream, stream->fed, error);
}

JsonValue *json_parse_bytes(const char *bytes, gsize length, GError **error)
{
    g_autoptr(JsonStream) stream = json_stream_new(JSON_SIZE_MAX);

    if (!json_stream_feed(stream, bytes, length, error) || !finish(stream, error))
        return NULL;
    return json_stream_pop(stream);
}

JsonValue *json_parse(const char *text, GError **error)
{
    return json_parse_bytes(text, strlen(text), error);
}
