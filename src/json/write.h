/* Values to text: JSON for the wire and for logs, and QEMU's key=value form for those of
 * its options that take no JSON. */
#pragma once

#include "json/value.h"

/* On one line, without spaces; control characters are escaped, all else is as it is. */
char *json_write(const JsonValue *value);
/* Over several lines, indented by two spaces: for logs and people. */
char *json_write_pretty(const JsonValue *value);
/* Appends what json_write gives. */
void json_write_to(const JsonValue *value, GString *text);

/* An object as QEMU's -chardev, -machine and their like take it: "a=1,b.c=on,d.0=x,,y".
 * Nested objects become dotted keys and items of arrays numbered ones, booleans on and
 * off, commas in values are doubled (qemu manual page and QEMU's "keyval" syntax).
 * INTERNAL_ERROR for what the form cannot express: null, an empty array or object, a key
 * of other characters than letters, digits, '-' and '_'. */
char *json_to_keyval(const JsonValue *object, GError **error);

/* Members for building requests. A NULL string adds nothing. */
void json_object_put_string(JsonValue *object, const char *key, const char *value);
void json_object_put_int64(JsonValue *object, const char *key, int64_t value);
void json_object_put_uint64(JsonValue *object, const char *key, uint64_t value);
void json_object_put_bool(JsonValue *object, const char *key, bool value);
