/* The tree: making, changing, freeing, copying and comparing it. Whatever goes through a
 * whole tree keeps its own stack on the heap, so that no peer's depth is ours. */
#include "json/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json/value_private.h"
#include "json/walk.h"

static JsonValue *value_new(JsonType type)
{
    JsonValue *value = g_new0(JsonValue, 1);

    value->type = type;
    return value;
}

/* Numbers are kept as text: what a peer sends with 64 bits, or more, comes out as it went in. */
JsonValue *json_text_take(JsonType type, char *text)
{
    JsonValue *value = value_new(type);

    value->text = text;
    return value;
}

JsonValue *json_null(void)
{
    return value_new(JSON_NULL);
}

JsonValue *json_bool(bool boolean)
{
    JsonValue *value = value_new(JSON_BOOL);

    value->boolean = boolean;
    return value;
}

JsonValue *json_int64(int64_t value)
{
    return json_text_take(JSON_NUMBER, g_strdup_printf("%" G_GINT64_FORMAT, value));
}

JsonValue *json_uint64(uint64_t value)
{
    return json_text_take(JSON_NUMBER, g_strdup_printf("%" G_GUINT64_FORMAT, value));
}

/* Not in the user's language: a comma would be no JSON. */
JsonValue *json_double(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_return_val_if_fail(isfinite(value), json_null());
    return json_text_take(JSON_NUMBER, g_strdup(g_ascii_dtostr(text, sizeof(text), value)));
}

static const char *skip_digits(const char *text)
{
    while (g_ascii_isdigit(*text))
        text++;
    return text;
}

/* The grammar of RFC 8259, section 6. */
static bool is_number(const char *text)
{
    if (*text == '-')
        text++;
    if (!g_ascii_isdigit(*text))
        return false;
    text = *text == '0' ? text + 1 : skip_digits(text);
    if (*text == '.') {
        if (!g_ascii_isdigit(text[1]))
            return false;
        text = skip_digits(text + 1);
    }
    if (*text == 'e' || *text == 'E') {
        text += text[1] == '+' || text[1] == '-' ? 2 : 1;
        if (!g_ascii_isdigit(*text))
            return false;
        text = skip_digits(text);
    }
    return *text == '\0';
}

JsonValue *json_number(const char *text)
{
    return is_number(text) ? json_text_take(JSON_NUMBER, g_strdup(text)) : NULL;
}

/* Bytes that are not UTF-8 are replaced: names of files may hold any, and JSON must not. */
JsonValue *json_string(const char *value)
{
    return json_text_take(JSON_STRING, g_utf8_make_valid(value, -1));
}

JsonValue *json_array(void)
{
    return value_new(JSON_ARRAY);
}

JsonValue *json_object(void)
{
    return value_new(JSON_OBJECT);
}

/* A container has no children any more when it comes here; its block is freed as the text of
 * others. */
static void leaf_free(JsonValue *value)
{
    if (value->type != JSON_NULL && value->type != JSON_BOOL)
        g_free(value->text);
    g_free(value);
}

/* Takes the last child out of a container. */
static JsonValue *pop_child(JsonValue *value)
{
    value->length--;
    if (value->type == JSON_ARRAY)
        return value->items[value->length];
    g_free(value->members[value->length].key);
    return value->members[value->length].value;
}

void json_free(JsonValue *value)
{
    g_autoptr(GPtrArray) open = NULL;

    if (!value)
        return;
    if (json_length(value) == 0)
        return leaf_free(value);
    /* As long as the tree is deep, not as it is large. */
    open = g_ptr_array_new();
    g_ptr_array_add(open, value);
    while (open->len > 0) {
        JsonValue *top = open->pdata[open->len - 1];

        if (json_length(top) == 0) {
            leaf_free(top);
            g_ptr_array_set_size(open, (int)open->len - 1);
            continue;
        }
        g_ptr_array_add(open, pop_child(top));
    }
}

JsonType json_type(const JsonValue *value)
{
    return value->type;
}

const char *json_type_name(JsonType type)
{
    static const char *const names[] = { "null", "boolean", "number", "string", "array", "object" };

    return type < G_N_ELEMENTS(names) ? names[type] : "unknown";
}

/* Room for one more: grown whenever the length is a power of two. */
static void *grow(void *block, guint length, gsize size)
{
    if (length != 0 && !((length & (length - 1)) == 0))
        return block;
    return g_realloc_n(block, length == 0 ? 1 : (gsize)length * 2, size);
}

void json_array_append(JsonValue *array, JsonValue *item)
{
    g_return_if_fail(array->type == JSON_ARRAY);
    array->items = grow(array->items, array->length, sizeof(*array->items));
    array->items[array->length++] = item;
}

guint json_length(const JsonValue *value)
{
    return json_is_container(value) ? value->length : 0;
}

JsonValue *json_at(const JsonValue *value, guint index)
{
    g_return_val_if_fail(index < json_length(value), NULL);
    return value->type == JSON_ARRAY ? value->items[index] : value->members[index].value;
}

const char *json_key_at(const JsonValue *object, guint index)
{
    g_return_val_if_fail(object->type == JSON_OBJECT && index < object->length, NULL);
    return object->members[index].key;
}

/* Does not look for @key: whoever parses checks for duplicates at the end, once. */
void json_object_append(JsonValue *object, char *key, JsonValue *value)
{
    object->members = grow(object->members, object->length, sizeof(*object->members));
    object->members[object->length++] = (JsonMember){ .key = key, .value = value };
}

/* Objects have few members, in an order that is kept: no table. */
static JsonMember *find_member(const JsonValue *object, const char *key)
{
    g_return_val_if_fail(object->type == JSON_OBJECT, NULL);
    for (guint i = 0; i < object->length; i++) {
        if (strcmp(object->members[i].key, key) == 0)
            return &object->members[i];
    }
    return NULL;
}

void json_object_put(JsonValue *object, const char *key, JsonValue *value)
{
    JsonMember *member = NULL;

    g_return_if_fail(object->type == JSON_OBJECT);
    member = find_member(object, key);
    if (!member)
        return json_object_append(object, g_utf8_make_valid(key, -1), value);
    json_free(member->value);
    member->value = value;
}

JsonValue *json_object_peek(const JsonValue *object, const char *key)
{
    JsonMember *member = find_member(object, key);

    return member ? member->value : NULL;
}

JsonValue *json_object_steal(JsonValue *object, const char *key)
{
    JsonMember *member = find_member(object, key);
    g_autoptr(JsonValue) kept = NULL;

    if (!member)
        return NULL;
    kept = g_steal_pointer(&member->value);
    g_free(member->key);
    object->length--;
    memmove(member, member + 1,
            (gsize)(object->members + object->length - member) * sizeof(*member));
    return g_steal_pointer(&kept);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *json_object_find_duplicate(const JsonValue *object)
{
    g_autofree const char **keys = NULL;

    if (object->length < 2)
        return NULL;
    /* Sorted instead of hashed: keys made to collide cost a hostile peer's victim nothing. */
    keys = g_new(const char *, object->length);
    for (guint i = 0; i < object->length; i++)
        keys[i] = object->members[i].key;
    qsort(keys, object->length, sizeof(*keys), compare_keys);
    for (guint i = 1; i < object->length; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0)
            return keys[i];
    }
    return NULL;
}

/* Without its children, if it has any. */
static JsonValue *copy_one(const JsonValue *value)
{
    switch (value->type) {
    case JSON_BOOL:
        return json_bool(value->boolean);
    case JSON_NUMBER:
    case JSON_STRING:
        return json_text_take(value->type, g_strdup(value->text));
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return value_new(value->type);
}

JsonValue *json_copy(const JsonValue *value)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    g_autoptr(JsonValue) root = NULL;
    g_autoptr(JsonWalk) walk = json_walk_new(value);
    JsonStep step;

    while (json_walk_next(walk, &step)) {
        JsonValue *copy = NULL;
        JsonValue *parent = open->len > 0 ? open->pdata[open->len - 1] : NULL;

        if (step.kind == JSON_STEP_END) {
            g_ptr_array_set_size(open, (int)open->len - 1);
            continue;
        }
        copy = copy_one(step.value);
        if (!parent)
            root = copy;
        else if (step.key)
            json_object_append(parent, g_strdup(step.key), copy);
        else
            json_array_append(parent, copy);
        if (step.kind == JSON_STEP_BEGIN)
            g_ptr_array_add(open, copy);
    }
    return g_steal_pointer(&root);
}

/* Numbers are equal as texts: 1 and 1.0 are different. */
static bool steps_equal(const JsonStep *a, const JsonStep *b)
{
    if (a->kind != b->kind || a->value->type != b->value->type ||
        g_strcmp0(a->key, b->key) != 0)
        return false;
    if (a->value->type == JSON_BOOL)
        return a->value->boolean == b->value->boolean;
    if (a->value->type == JSON_NUMBER || a->value->type == JSON_STRING)
        return strcmp(a->value->text, b->value->text) == 0;
    return true;
}

bool json_equal(const JsonValue *a, const JsonValue *b)
{
    g_autoptr(JsonWalk) walk_a = json_walk_new(a);
    g_autoptr(JsonWalk) walk_b = json_walk_new(b);
    JsonStep step_a;
    JsonStep step_b;

    /* Both end at the same step, since every step says what it is. */
    while (json_walk_next(walk_a, &step_a)) {
        if (!json_walk_next(walk_b, &step_b) || !steps_equal(&step_a, &step_b))
            return false;
    }
    return true;
}
