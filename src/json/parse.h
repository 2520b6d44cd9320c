/* JSON text to values, over yajl (RFC 8259). Peers that send JSON (QEMU, guest agents)
 * are not trusted: depth and size are limited, text must be UTF-8, a string with a NUL,
 * half a surrogate pair or an object with a key twice is an error. Errors are
 * INTERNAL_ERROR and tell the position in bytes, which lies in or at an end of the
 * offending token. */
#pragma once

#include <glib.h>

#include "json/value.h"

/* Arrays and objects inside each other; QEMU's deepest answer (its schema) needs 12. */
#define JSON_DEPTH_MAX 128
/* For text that is parsed at once. A parsed tree takes up to some 20 times its text. */
#define JSON_SIZE_MAX (64 * 1024 * 1024)

/* Exactly one value, with white space around it. */
JsonValue *json_parse(const char *text, GError **error);
/* @length bytes, which need no NUL behind them. */
JsonValue *json_parse_bytes(const char *bytes, gsize length, GError **error);

/* A stream of top-level values, one after the other, as a QMP or agent connection
 * carries them. */
typedef struct JsonStream JsonStream;

/* A single value may have @value_bytes_max bytes. */
JsonStream *json_stream_new(gsize value_bytes_max);
void json_stream_free(JsonStream *stream);

/* Takes the next bytes, cut anywhere. After an error the stream is dead: it gives what
 * was complete before, and every further feed fails in the same way. */
bool json_stream_feed(JsonStream *stream, const char *bytes, gsize length, GError **error);

/* The next complete value (to the caller), or NULL when there is none yet. A number at
 * top level is complete when something follows it. */
JsonValue *json_stream_pop(JsonStream *stream);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonStream, json_stream_free)
