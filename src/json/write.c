/* Values to JSON text. Strings are UTF-8 already, so only quotes, backslashes and control
 * characters need an escape (RFC 8259, section 7). */
#include "json/write.h"

#include "json/value_private.h"
#include "json/walk.h"

/* Those for which RFC 8259 has a letter; others are written by number. */
static const char *short_escape(char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    default:
        return NULL;
    }
}

/* Runs of ordinary characters are appended at once: monitor messages are mostly those. */
static void write_string(GString *text, const char *string)
{
    const char *from = string;
    const char *at = string;

    g_string_append_c(text, '"');
    for (; *at; at++) {
        const char *escape = short_escape(*at);

        if (!escape && (unsigned char)*at >= 0x20)
            continue;
        g_string_append_len(text, from, at - from);
        from = at + 1;
        if (escape)
            g_string_append(text, escape);
        else
            g_string_append_printf(text, "\\u%04x", (unsigned char)*at);
    }
    g_string_append_len(text, from, at - from);
    g_string_append_c(text, '"');
}

static void write_leaf(GString *text, const JsonValue *value)
{
    switch (value->type) {
    case JSON_BOOL:
        g_string_append(text, value->boolean ? "true" : "false");
        return;
    case JSON_NUMBER:
        g_string_append(text, value->text);
        return;
    case JSON_STRING:
        write_string(text, value->text);
        return;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    g_string_append(text, "null");
}

static void new_line(GString *text, bool is_pretty, guint depth)
{
    if (!is_pretty)
        return;
    g_string_append_c(text, '\n');
    for (guint i = 0; i < depth; i++)
        g_string_append(text, "  ");
}

/* An empty container stays on one line. */
static void write_end(GString *text, bool is_pretty, const JsonStep *step)
{
    if (json_length(step->value) > 0)
        new_line(text, is_pretty, step->depth);
    g_string_append_c(text, step->value->type == JSON_ARRAY ? ']' : '}');
}

/* Along a walk with a stack of its own: a deep value costs no depth of ours. */
static void write_value(GString *text, const JsonValue *value, bool is_pretty)
{
    g_autoptr(JsonWalk) walk = json_walk_new(value);
    JsonStep step;

    while (json_walk_next(walk, &step)) {
        if (step.kind == JSON_STEP_END) {
            write_end(text, is_pretty, &step);
            continue;
        }
        if (step.index > 0)
            g_string_append_c(text, ',');
        if (step.depth > 0)
            new_line(text, is_pretty, step.depth);
        if (step.key) {
            write_string(text, step.key);
            g_string_append(text, is_pretty ? ": " : ":");
        }
        if (step.kind == JSON_STEP_BEGIN)
            g_string_append_c(text, step.value->type == JSON_ARRAY ? '[' : '{');
        else
            write_leaf(text, step.value);
    }
}

void json_write_to(const JsonValue *value, GString *text)
{
    write_value(text, value, false);
}

char *json_write(const JsonValue *value)
{
    GString *text = g_string_new(NULL);

    write_value(text, value, false);
    return g_string_free(text, FALSE);
}

char *json_write_pretty(const JsonValue *value)
{
    GString *text = g_string_new(NULL);

    write_value(text, value, true);
    return g_string_free(text, FALSE);
}

void json_object_put_string(JsonValue *object, const char *key, const char *value)
{
    if (value)
        json_object_put(object, key, json_string(value));
}

void json_object_put_int64(JsonValue *object, const char *key, int64_t value)
{
    json_object_put(object, key, json_int64(value));
}

void json_object_put_uint64(JsonValue *object, const char *key, uint64_t value)
{
    json_object_put(object, key, json_uint64(value));
}

void json_object_put_bool(JsonValue *object, const char *key, bool value)
{
    json_object_put(object, key, json_bool(value));
}
