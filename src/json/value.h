/* JSON values: a tree that its maker owns. Numbers are kept as the text they came in,
 * so 64-bit integers are exact; strings and keys are valid UTF-8 without NUL; objects
 * keep the order of their members and hold each key once. Trees of any depth can be
 * freed, copied, compared and written: nothing here recurses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef enum JsonType {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
} JsonType;

typedef struct JsonValue JsonValue;

JsonValue *json_null(void);
JsonValue *json_bool(bool value);
JsonValue *json_int64(int64_t value);
JsonValue *json_uint64(uint64_t value);
/* @value is finite. */
JsonValue *json_double(double value);
/* A number by its JSON text; NULL when @text is no JSON number. */
JsonValue *json_number(const char *text);
/* Copies @value. What is not valid UTF-8 in it becomes U+FFFD. */
JsonValue *json_string(const char *value);
JsonValue *json_array(void);
JsonValue *json_object(void);

/* NULL is ignored. */
void json_free(JsonValue *value);
JsonValue *json_copy(const JsonValue *value);
/* Same types, texts and order: the numbers 1 and 1.0 differ. */
bool json_equal(const JsonValue *a, const JsonValue *b);

JsonType json_type(const JsonValue *value);
/* "null", "boolean", "number", "string", "array", "object". */
const char *json_type_name(JsonType type);

/* Takes @item. */
void json_array_append(JsonValue *array, JsonValue *item);
/* The number of items of an array or members of an object, 0 for all others. */
guint json_length(const JsonValue *value);
/* Item @index of an array or the value of member @index of an object. */
JsonValue *json_at(const JsonValue *value, guint index);
/* The key of member @index of an object. */
const char *json_key_at(const JsonValue *object, guint index);

/* Takes @value. A member of that name is replaced in its place. */
void json_object_put(JsonValue *object, const char *key, JsonValue *value);
/* The member's value (borrowed), or NULL. */
JsonValue *json_object_peek(const JsonValue *object, const char *key);
/* Takes the member out; its value goes to the caller. NULL when there is none. */
JsonValue *json_object_steal(JsonValue *object, const char *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonValue, json_free)
