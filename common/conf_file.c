/* A parser by recursive descent: each function begins where its part of the syntax begins
 * and leaves the cursor behind it. On failure the cursor's place means nothing. */
#include "common/conf_file.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"

/* Where the parser is in the text. */
typedef struct Cursor {
    const char *path;
    const char *at;
    const char *end;
    int line;
} Cursor;

static ConfValue *value_parse(Cursor *cursor, int depth, GError **error);

static void value_free(gpointer data)
{
    ConfValue *value = data;

    if (!value) {
        return;
    }
    g_free(value->string);
    /* Recursion ends at CONF_FILE_MAX_DEPTH. */
    g_clear_pointer(&value->items, g_ptr_array_unref);
    g_free(value);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfValue, value_free)

/* With the line that it begins in: errors about a value name that. */
static ConfValue *value_new(ConfType type, int line)
{
    ConfValue *value = g_new0(ConfValue, 1);

    value->type = type;
    value->line = line;
    return value;
}

static void entry_free(gpointer data)
{
    ConfEntry *entry = data;

    if (!entry) {
        return;
    }
    g_free(entry->key);
    value_free(entry->value);
    g_free(entry);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfEntry, entry_free)

/* "FILE:LINE: reason": the form that editors understand. */
static void fail_at(const Cursor *cursor, int line, const char *reason, GError **error)
{
    error_set(error, VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX, "%s:%d: %s", cursor->path, line, reason);
}

/* The next byte, without passing it. NUL stands for the end, too: no part of the syntax
 * has a NUL, so a real one is refused wherever it stands. */
static char peek(const Cursor *cursor)
{
    return cursor->at < cursor->end ? *cursor->at : '\0';
}

static bool at_end(const Cursor *cursor)
{
    return cursor->at == cursor->end;
}

/* The text has no NUL at its end: everything is bounded by the cursor's. */
static bool looking_at(const Cursor *cursor, const char *text)
{
    size_t length = strlen(text);

    return (size_t) (cursor->end - cursor->at) >= length && memcmp(cursor->at, text, length) == 0;
}

static void skip_blanks(Cursor *cursor)
{
    while (peek(cursor) == ' ' || peek(cursor) == '\t' || peek(cursor) == '\r') {
        cursor->at++;
    }
}

static void skip_comment(Cursor *cursor)
{
    if (peek(cursor) != '#') {
        return;
    }
    while (!at_end(cursor) && *cursor->at != '\n') {
        cursor->at++;
    }
}

/* Blanks, comments and newlines: what may stand before a key, and within a list. */
static void skip_lines(Cursor *cursor)
{
    while (true) {
        skip_blanks(cursor);
        skip_comment(cursor);
        if (peek(cursor) != '\n') {
            return;
        }
        cursor->at++;
        cursor->line++;
    }
}

/* [+-]DIGITS. Leading zeros mean nothing: existing daemons read 010 as ten. */
static ConfValue *integer_parse(Cursor *cursor, GError **error)
{
    g_autoptr(ConfValue) value = value_new(CONF_INTEGER, cursor->line);
    bool is_negative = *cursor->at == '-';
    int64_t number = 0;

    if (*cursor->at == '-' || *cursor->at == '+') {
        cursor->at++;
    }
    if (!g_ascii_isdigit(peek(cursor))) {
        fail_at(cursor, cursor->line, "expected digits after the sign", error);
        return NULL;
    }
    for (; g_ascii_isdigit(peek(cursor)); cursor->at++) {
        int digit = *cursor->at - '0';

        /* Counted downwards for negative numbers, whose range is one larger. */
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, is_negative ? -digit : digit, &number)) {
            fail_at(cursor, cursor->line, "the number does not fit into 64 bits", error);
            return NULL;
        }
    }
    value->integer = number;
    return g_steal_pointer(&value);
}

/* The end of a string that is closed by @quote; NULL if it is not closed. */
static const char *string_end(const Cursor *cursor, const char *quote)
{
    size_t length = strlen(quote);
    size_t left = cursor->end - cursor->at;
    const char *end = memmem(cursor->at, left, quote, length);

    if (!end || length > 1) {
        return end;
    }
    return memchr(cursor->at, '\n', end - cursor->at) ? NULL : end;
}

/* What stands between quotes, as it is. */
static ConfValue *string_parse(Cursor *cursor, GError **error)
{
    g_autoptr(ConfValue) value = value_new(CONF_STRING, cursor->line);
    const char *quote = looking_at(cursor, "\"\"\"") ? "\"\"\"" : *cursor->at == '"' ? "\"" : "'";
    const char *end;
    g_autofree char *message = NULL;

    cursor->at += strlen(quote);
    end = string_end(cursor, quote);
    if (!end) {
        message = g_strdup_printf("the string is not closed with %s", quote);
        fail_at(cursor, cursor->line, message, error);
        return NULL;
    }
    /* Also refuses NUL bytes. */
    if (!g_utf8_validate_len(cursor->at, end - cursor->at, NULL)) {
        fail_at(cursor, cursor->line, "the string is not valid UTF-8", error);
        return NULL;
    }
    value->string = g_strndup(cursor->at, end - cursor->at);
    for (; cursor->at < end; cursor->at++) {
        cursor->line += *cursor->at == '\n';
    }
    cursor->at += strlen(quote);
    return g_steal_pointer(&value);
}

/* After the item of a list: passes the comma. Sets @ret_closed at the bracket. */
static bool list_separator_parse(Cursor *cursor, int opened, bool *ret_closed, GError **error)
{
    g_autofree char *message = NULL;

    skip_lines(cursor);
    if (peek(cursor) == ',') {
        cursor->at++;
        skip_lines(cursor);
    } else if (peek(cursor) != ']' && !at_end(cursor)) {
        fail_at(cursor, cursor->line, "expected ',' or ']' after an item of a list", error);
        return false;
    }
    if (at_end(cursor)) {
        message = g_strdup_printf("the list that begins in line %d is not closed with ]", opened);
        fail_at(cursor, cursor->line, message, error);
        return false;
    }
    *ret_closed = *cursor->at == ']';
    return true;
}

/* Lists within lists are syntax; no key takes them. */
static ConfValue *list_parse(Cursor *cursor, int depth, GError **error)
{
    g_autoptr(ConfValue) list = value_new(CONF_LIST, cursor->line);
    bool is_closed;

    list->items = g_ptr_array_new_with_free_func(value_free);
    if (depth == CONF_FILE_MAX_DEPTH) {
        fail_at(cursor, cursor->line, "lists are nested too deeply", error);
        return NULL;
    }
    cursor->at++;
    skip_lines(cursor);
    is_closed = peek(cursor) == ']';
    while (!is_closed) {
        ConfValue *item;

        if (list->items->len == CONF_FILE_MAX_ITEMS) {
            fail_at(cursor, cursor->line, "the list has too many items", error);
            return NULL;
        }
        item = value_parse(cursor, depth + 1, error);
        if (!item) {
            return NULL;
        }
        g_ptr_array_add(list->items, item);
        if (!list_separator_parse(cursor, list->line, &is_closed, error)) {
            return NULL;
        }
    }
    cursor->at++;
    return g_steal_pointer(&list);
}

static ConfValue *value_parse(Cursor *cursor, int depth, GError **error)
{
    char first = peek(cursor);

    if (g_ascii_isdigit(first) || first == '-' || first == '+') {
        return integer_parse(cursor, error);
    }
    if (first == '"' || first == '\'') {
        return string_parse(cursor, error);
    }
    if (first == '[') {
        return list_parse(cursor, depth, error);
    }
    fail_at(cursor, cursor->line, "expected a value: a number, a quoted string or a [list]", error);
    return NULL;
}

/* What follows a value up to the next entry. */
static bool entry_end_parse(Cursor *cursor, GError **error)
{
    skip_blanks(cursor);
    if (peek(cursor) == ';') {
        cursor->at++;
        return true;
    }
    if (at_end(cursor) || *cursor->at == '\n' || *cursor->at == '#') {
        return true;
    }
    fail_at(cursor, cursor->line, "expected the end of the line after the value", error);
    return false;
}

/* KEY = VALUE. Key, equals sign and the value's beginning are on one line. */
static ConfEntry *entry_parse(Cursor *cursor, GError **error)
{
    g_autoptr(ConfEntry) entry = g_new0(ConfEntry, 1);
    const char *start = cursor->at;

    entry->line = cursor->line;
    if (!g_ascii_isalpha(*start)) {
        fail_at(cursor, cursor->line, "expected a key, which begins with a letter", error);
        return NULL;
    }
    while (g_ascii_isalnum(peek(cursor)) || peek(cursor) == '_') {
        cursor->at++;
    }
    entry->key = g_strndup(start, cursor->at - start);
    skip_blanks(cursor);
    if (peek(cursor) != '=') {
        fail_at(cursor, cursor->line, "expected '=' after the key", error);
        return NULL;
    }
    cursor->at++;
    skip_blanks(cursor);
    entry->value = value_parse(cursor, 0, error);
    if (!entry->value || !entry_end_parse(cursor, error)) {
        return NULL;
    }
    return g_steal_pointer(&entry);
}

ConfFile *conf_file_parse(const char *path, const char *text, size_t length, GError **error)
{
    g_autoptr(ConfFile) file = g_new0(ConfFile, 1);
    Cursor cursor = { .path = path, .at = text, .end = text + length, .line = 1 };

    file->path = g_strdup(path);
    file->entries = g_ptr_array_new_with_free_func(entry_free);
    if (length > CONF_FILE_MAX_BYTES) {
        fail_at(&cursor, 1, "the file is larger than 1 MiB", error);
        return NULL;
    }
    for (skip_lines(&cursor); !at_end(&cursor); skip_lines(&cursor)) {
        ConfEntry *entry;

        if (file->entries->len == CONF_FILE_MAX_ENTRIES) {
            fail_at(&cursor, cursor.line, "the file has too many entries", error);
            return NULL;
        }
        entry = entry_parse(&cursor, error);
        if (!entry) {
            return NULL;
        }
        g_ptr_array_add(file->entries, entry);
    }
    return g_steal_pointer(&file);
}

ConfFile *conf_file_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    size_t length;

    /* How people say "no file, please"; it is not a regular one. */
    if (g_str_equal(path, "/dev/null")) {
        return conf_file_parse(path, "", 0, error);
    }
    if (!file_read_all(path, CONF_FILE_MAX_BYTES, &text, &length, error)) {
        return NULL;
    }
    return conf_file_parse(path, text, length, error);
}

void conf_file_free(ConfFile *file)
{
    if (!file) {
        return;
    }
    g_free(file->path);
    g_clear_pointer(&file->entries, g_ptr_array_unref);
    g_free(file);
}

const ConfEntry *conf_file_find(const ConfFile *file, const char *key)
{
    for (guint i = 0; i < file->entries->len; i++) {
        const ConfEntry *entry = g_ptr_array_index(file->entries, i);

        if (g_str_equal(entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

/* In whichever quotes can hold the string. */
static void string_format(const char *string, GString *text)
{
    bool has_newline = strchr(string, '\n');
    const char *quote = "\"\"\"";

    /* What was parsed lacks the quote that it was written in, so one of them fits. */
    if (!has_newline && !strchr(string, '"')) {
        quote = "\"";
    } else if (!has_newline && !strchr(string, '\'')) {
        quote = "'";
    }
    g_string_append_printf(text, "%s%s%s", quote, string, quote);
}

/* In the syntax that it was read in, for messages and examples. */
static void value_format(const ConfValue *value, GString *text)
{
    if (value->type == CONF_INTEGER) {
        g_string_append_printf(text, "%" G_GINT64_FORMAT, value->integer);
        return;
    }
    if (value->type == CONF_STRING) {
        string_format(value->string, text);
        return;
    }
    g_string_append(text, "[");
    for (guint i = 0; i < value->items->len; i++) {
        g_string_append(text, i > 0 ? ", " : " ");
        value_format(g_ptr_array_index(value->items, i), text);
    }
    g_string_append(text, value->items->len > 0 ? " ]" : "]");
}

char *conf_value_format(const ConfValue *value)
{
    GString *text = g_string_new(NULL);

    value_format(value, text);
    return g_string_free(text, FALSE);
}
