/* The inside of JsonValue, for the files of this folder only. */
#pragma once

#include "json/value.h"

struct JsonValue {
    JsonType type;
    guint length; /* used items; arrays and objects have room for the next power of two */
    union {
        bool boolean;
        char *text; /* of a number or string */
        JsonValue **items;
        struct JsonMember *members;
    };
};

typedef struct JsonMember {
    char *key;
    JsonValue *value;
} JsonMember;

/* Adds a member without looking for one of the same name. Takes @key and @value. */
void json_object_append(JsonValue *object, char *key, JsonValue *value);

/* A number that is known to be one, or a string that is known to be UTF-8. Takes @text. */
JsonValue *json_text_take(JsonType type, char *text);

/* A key that two members share, or NULL. O(n log n) whatever the keys are. */
const char *json_object_find_duplicate(const JsonValue *object);

static inline bool json_is_container(const JsonValue *value)
{
    return value->type == JSON_ARRAY || value->type == JSON_OBJECT;
}
