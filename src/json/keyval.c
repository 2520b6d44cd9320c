/* Values in QEMU's key=value form. The path of the member that is being written is kept as
 * text that grows at BEGIN and shrinks at END, since it is also what errors name. */
#include <string.h>

#include "base/error.h"
#include "json/value_private.h"
#include "json/walk.h"
#include "json/write.h"

typedef struct Keyval {
    GString *text;
    GString *path;  /* of the container that is open, ending in '.', or empty */
    GArray *starts; /* the length of the path outside each open container */
} Keyval;

static Keyval *keyval_new(void)
{
    Keyval *keyval = g_new0(Keyval, 1);

    keyval->text = g_string_new(NULL);
    keyval->path = g_string_new(NULL);
    keyval->starts = g_array_new(FALSE, FALSE, sizeof(gsize));
    return keyval;
}

static void keyval_free(Keyval *keyval)
{
    if (!keyval)
        return;
    if (keyval->text)
        g_string_free(keyval->text, TRUE);
    g_string_free(keyval->path, TRUE);
    g_array_unref(keyval->starts);
    g_free(keyval);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keyval, keyval_free)

static bool is_plain_key(const char *key)
{
    return *key && key[strspn(key, "-_" G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS)] == '\0';
}

static bool refuse(const Keyval *keyval, const char *what, GError **error)
{
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
              "'%s' has no form as a key=value option: %s", keyval->path->str, what);
    return false;
}

/* Adds the name of @step to the path. */
static bool path_add(Keyval *keyval, const JsonStep *step, GError **error)
{
    if (step->depth == 0)
        return true;
    if (!step->key) {
        g_string_append_printf(keyval->path, "%u", step->index);
        return true;
    }
    g_string_append(keyval->path, step->key);
    return is_plain_key(step->key) || refuse(keyval, "character in the key", error);
}

static void append_value(GString *text, const char *value)
{
    for (; *value; value++) {
        if (*value == ',')
            g_string_append_c(text, ',');
        g_string_append_c(text, *value);
    }
}

static bool add_leaf(Keyval *keyval, const JsonValue *value, GError **error)
{
    if (value->type == JSON_NULL)
        return refuse(keyval, "null", error);
    if (keyval->text->len > 0)
        g_string_append_c(keyval->text, ',');
    g_string_append_printf(keyval->text, "%s=", keyval->path->str);
    if (value->type == JSON_BOOL)
        g_string_append(keyval->text, value->boolean ? "on" : "off");
    else
        append_value(keyval->text, value->text);
    return true;
}

static bool add_step(Keyval *keyval, const JsonStep *step, GError **error)
{
    gsize start = keyval->path->len;

    if (step->kind == JSON_STEP_END) {
        g_string_truncate(keyval->path,
                          g_array_index(keyval->starts, gsize, keyval->starts->len - 1));
        g_array_set_size(keyval->starts, keyval->starts->len - 1);
        return true;
    }
    if (!path_add(keyval, step, error))
        return false;
    if (step->kind == JSON_STEP_BEGIN) {
        if (json_length(step->value) == 0)
            return refuse(keyval, "empty", error);
        g_array_append_val(keyval->starts, start);
        if (step->depth > 0)
            g_string_append_c(keyval->path, '.');
        return true;
    }
    if (!add_leaf(keyval, step->value, error))
        return false;
    g_string_truncate(keyval->path, start);
    return true;
}

char *json_to_keyval(const JsonValue *object, GError **error)
{
    g_autoptr(Keyval) keyval = keyval_new();
    g_autoptr(JsonWalk) walk = json_walk_new(object);
    JsonStep step;

    if (object->type != JSON_OBJECT) {
        refuse(keyval, "not an object", error);
        return NULL;
    }
    while (json_walk_next(walk, &step)) {
        if (!add_step(keyval, &step, error))
            return NULL;
    }
    return g_string_free(g_steal_pointer(&keyval->text), FALSE);
}
