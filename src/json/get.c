/* Typed access. Numbers are converted only here, from their text, so that the error can
 * quote exactly what was sent. */
#include "json/get.h"

#include <math.h>

#include "base/error.h"
#include "json/value_private.h"

/* @what names the value in the error: "member 'x'", or what the caller calls it. */
static bool expect(const JsonValue *value, JsonType type, const char *what, GError **error)
{
    if (value->type == type)
        return true;
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "JSON %s must be %s, not %s", what,
              json_type_name(type), json_type_name(value->type));
    return false;
}

static bool out_of_range(const JsonValue *value, const char *what, const char *kind, GError **error)
{
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "JSON %s must be %s, not %.64s", what,
              kind, value->text);
    return false;
}

bool json_as_string(const JsonValue *value, const char *what, const char **ret, GError **error)
{
    if (!expect(value, JSON_STRING, what, error))
        return false;
    *ret = value->text;
    return true;
}

/* Only integers as they are written: 1.0 and 1e3 are none, as nobody who means a count writes
 * those. */
bool json_as_int64(const JsonValue *value, const char *what, int64_t *ret, GError **error)
{
    gint64 number;

    if (!expect(value, JSON_NUMBER, what, error))
        return false;
    if (!g_ascii_string_to_signed(value->text, 10, G_MININT64, G_MAXINT64, &number, NULL))
        return out_of_range(value, what, "a 64-bit integer", error);
    *ret = number;
    return true;
}

bool json_as_uint64(const JsonValue *value, const char *what, uint64_t *ret, GError **error)
{
    guint64 number;

    if (!expect(value, JSON_NUMBER, what, error))
        return false;
    if (!g_ascii_string_to_unsigned(value->text, 10, 0, G_MAXUINT64, &number, NULL))
        return out_of_range(value, what, "an unsigned 64-bit integer", error);
    *ret = number;
    return true;
}

/* What is too large for a double would be infinite. */
bool json_as_double(const JsonValue *value, const char *what, double *ret, GError **error)
{
    double number;

    if (!expect(value, JSON_NUMBER, what, error))
        return false;
    number = g_ascii_strtod(value->text, NULL);
    if (!isfinite(number))
        return out_of_range(value, what, "a number of double precision", error);
    *ret = number;
    return true;
}

bool json_as_bool(const JsonValue *value, const char *what, bool *ret, GError **error)
{
    if (!expect(value, JSON_BOOL, what, error))
        return false;
    *ret = value->boolean;
    return true;
}

bool json_as_array(const JsonValue *value, const char *what, const JsonValue **ret, GError **error)
{
    if (!expect(value, JSON_ARRAY, what, error))
        return false;
    *ret = value;
    return true;
}

bool json_as_object(const JsonValue *value, const char *what, const JsonValue **ret,
                    GError **error)
{
    if (!expect(value, JSON_OBJECT, what, error))
        return false;
    *ret = value;
    return true;
}

/* The member and its name for errors. */
static bool find(const JsonValue *object, const char *key, const JsonValue **ret_value,
                 char **ret_what, GError **error)
{
    g_autofree char *what = g_strdup_printf("member '%s'", key);

    if (object->type != JSON_OBJECT) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                  "JSON member '%s' is wanted of a value that is %s, not object", key,
                  json_type_name(object->type));
        return false;
    }
    *ret_value = json_object_peek(object, key);
    *ret_what = g_steal_pointer(&what);
    return true;
}

static bool missing(const char *key, GError **error)
{
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "JSON member '%s' is missing", key);
    return false;
}

/* One pair of getters per type: the member must be there, or may be missing or null. */
#define DEFINE_GETTERS(NAME, TYPE)                                                                 \
    bool json_object_get_##NAME(const JsonValue *object, const char *key, TYPE *ret,               \
                                GError **error)                                                    \
    {                                                                                              \
        g_autofree char *what = NULL;                                                              \
        const JsonValue *value = NULL;                                                             \
                                                                                                   \
        if (!find(object, key, &value, &what, error))                                              \
            return false;                                                                          \
        return value ? json_as_##NAME(value, what, ret, error) : missing(key, error);              \
    }                                                                                              \
                                                                                                   \
    static bool opt_##NAME(const JsonValue *object, const char *key, TYPE fallback, TYPE *ret,     \
                           GError **error)                                                         \
    {                                                                                              \
        g_autofree char *what = NULL;                                                              \
        const JsonValue *value = NULL;                                                             \
                                                                                                   \
        if (!find(object, key, &value, &what, error))                                              \
            return false;                                                                          \
        if (value && value->type != JSON_NULL)                                                     \
            return json_as_##NAME(value, what, ret, error);                                        \
        *ret = fallback;                                                                           \
        return true;                                                                               \
    }

#define DEFINE_OPT(NAME, TYPE)                                                                     \
    bool json_object_opt_##NAME(const JsonValue *object, const char *key, TYPE fallback,           \
                                TYPE *ret, GError **error)                                         \
    {                                                                                              \
        return opt_##NAME(object, key, fallback, ret, error);                                      \
    }

/* Types in one word each, for the definitions below: public functions of get.h. */
typedef const char *JsonText;
typedef const JsonValue *JsonTree;

DEFINE_GETTERS(string, JsonText)
DEFINE_OPT(string, JsonText)
DEFINE_GETTERS(int64, int64_t)
DEFINE_OPT(int64, int64_t)
DEFINE_GETTERS(uint64, uint64_t)
DEFINE_OPT(uint64, uint64_t)
DEFINE_GETTERS(double, double)
DEFINE_OPT(double, double)
DEFINE_GETTERS(bool, bool)
DEFINE_OPT(bool, bool)
DEFINE_GETTERS(array, JsonTree)
DEFINE_GETTERS(object, JsonTree)

bool json_object_opt_array(const JsonValue *object, const char *key, const JsonValue **ret,
                           GError **error)
{
    return opt_array(object, key, NULL, ret, error);
}

bool json_object_opt_object(const JsonValue *object, const char *key, const JsonValue **ret,
                            GError **error)
{
    return opt_object(object, key, NULL, ret, error);
}
