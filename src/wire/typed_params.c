/* Lists of named values, each with a type of its own: making them, checking those of a client
 * against what a call takes, and looking values up. Lists are short (a few dozen items at
 * most), so look-ups go through them from the front. */
#include "wire/typed_params.h"

#include <string.h>

#include "wire/codec.h"

/* One implementation for both programs' lists. */
G_STATIC_ASSERT(sizeof(remote_typed_param) == sizeof(admin_typed_param));
G_STATIC_ASSERT(offsetof(remote_typed_param, field) == offsetof(admin_typed_param, field));
G_STATIC_ASSERT(offsetof(remote_typed_param, value) == offsetof(admin_typed_param, value));
G_STATIC_ASSERT(offsetof(remote_typed_param_value, type) ==
                offsetof(admin_typed_param_value, type));
G_STATIC_ASSERT(offsetof(remote_typed_param_value, remote_typed_param_value_u) ==
                offsetof(admin_typed_param_value, admin_typed_param_value_u));

struct TypedParams {
    GArray *values; /* of remote_typed_param */
};

static void clear_value(gpointer value)
{
    codec_free(XDR_PROC(remote_typed_param), value);
}

static GArray *new_values(void)
{
    GArray *values = g_array_new(FALSE, TRUE, sizeof(remote_typed_param));

    g_array_set_clear_func(values, clear_value);
    return values;
}

TypedParams *typed_params_new(void)
{
    TypedParams *params = g_new0(TypedParams, 1);

    params->values = new_values();
    return params;
}

void typed_params_free(TypedParams *params)
{
    if (!params)
        return;
    g_array_unref(params->values);
    g_free(params);
}

/* Takes what @value holds. A name that the protocol cannot carry is our own mistake: it is
 * left out. */
static void add(TypedParams *params, const char *name, remote_typed_param_value value)
{
    remote_typed_param param = { .value = value };

    if (strlen(name) >= VIR_TYPED_PARAM_FIELD_LENGTH) {
        clear_value(&param);
        return;
    }
    param.field = g_strdup(name);
    g_array_append_val(params->values, param);
}

/* A value of the type VIR_TYPED_PARAM_@suffix, held by @member of the union. */
#define VALUE(suffix, member, what)                                                                \
    ((remote_typed_param_value){ .type = VIR_TYPED_PARAM_##suffix,                                 \
                                 .remote_typed_param_value_u.member = (what) })

void typed_params_add_int(TypedParams *params, const char *name, int value)
{
    add(params, name, VALUE(INT, i, value));
}

void typed_params_add_uint(TypedParams *params, const char *name, unsigned int value)
{
    add(params, name, VALUE(UINT, ui, value));
}

void typed_params_add_llong(TypedParams *params, const char *name, int64_t value)
{
    add(params, name, VALUE(LLONG, l, value));
}

void typed_params_add_ullong(TypedParams *params, const char *name, uint64_t value)
{
    add(params, name, VALUE(ULLONG, ul, value));
}

void typed_params_add_double(TypedParams *params, const char *name, double value)
{
    add(params, name, VALUE(DOUBLE, d, value));
}

void typed_params_add_boolean(TypedParams *params, const char *name, bool value)
{
    add(params, name, VALUE(BOOLEAN, b, value));
}

void typed_params_add_string(TypedParams *params, const char *name, const char *value)
{
    add(params, name, VALUE(STRING, s, g_strdup(value)));
}

void typed_params_steal(TypedParams *params, remote_typed_param **ret_values, u_int *ret_n)
{
    *ret_n = params->values->len;
    /* Not g_array_steal(): it leaves the array without its clear function. */
    *ret_values = (gpointer)g_array_free(params->values, FALSE);
    params->values = new_values();
}

void typed_params_steal_admin(TypedParams *params, admin_typed_param **ret_values, u_int *ret_n)
{
    remote_typed_param *values = NULL;

    typed_params_steal(params, &values, ret_n);
    *ret_values = (admin_typed_param *)values;
}

const remote_typed_param *typed_params_from_admin(const admin_typed_param *values)
{
    return (const remote_typed_param *)values;
}

static const char *type_name(int type)
{
    static const char *const names[] = {
        [VIR_TYPED_PARAM_INT] = "int",       [VIR_TYPED_PARAM_UINT] = "uint",
        [VIR_TYPED_PARAM_LLONG] = "llong",   [VIR_TYPED_PARAM_ULLONG] = "ullong",
        [VIR_TYPED_PARAM_DOUBLE] = "double", [VIR_TYPED_PARAM_BOOLEAN] = "boolean",
        [VIR_TYPED_PARAM_STRING] = "string",
    };

    if (type < VIR_TYPED_PARAM_INT || type > VIR_TYPED_PARAM_STRING)
        return "unknown";
    return names[type];
}

/* The first of several with that name. */
static const remote_typed_param *find(const remote_typed_param *values, u_int n, const char *name)
{
    for (u_int i = 0; i < n; i++) {
        if (strcmp(values[i].field, name) == 0)
            return &values[i];
    }
    return NULL;
}

/* In this order: a parameter that is not known is told before one that is wrong. */
static bool check_one(const remote_typed_param *values, u_int index, const TypedParamRule *rules,
                      ErrorFrom from, GError **error)
{
    const remote_typed_param *param = &values[index];
    const TypedParamRule *rule = rules;

    while (rule->name && strcmp(rule->name, param->field) != 0)
        rule++;
    if (!rule->name) {
        error_set(error, from, VIR_ERR_ARGUMENT_UNSUPPORTED, "parameter '%s' not supported",
                  param->field);
        return false;
    }
    if (param->value.type != rule->type) {
        error_set(error, from, VIR_ERR_INVALID_ARG, "parameter '%s' has type %s, it must be %s",
                  param->field, type_name(param->value.type), type_name(rule->type));
        return false;
    }
    if (!rule->is_repeatable && find(values, index, param->field)) {
        error_set(error, from, VIR_ERR_INVALID_ARG, "parameter '%s' is given more than once",
                  param->field);
        return false;
    }
    return true;
}

/* After this, getters of the right type can only fail for parameters that are absent. */
bool typed_params_check(const remote_typed_param *values, u_int n, const TypedParamRule *rules,
                        ErrorFrom from, GError **error)
{
    for (u_int i = 0; i < n; i++) {
        if (!check_one(values, i, rules, from, error))
            return false;
    }
    for (const TypedParamRule *rule = rules; rule->name; rule++) {
        if (rule->is_required && !find(values, n, rule->name)) {
            error_set(error, from, VIR_ERR_INVALID_ARG, "parameter '%s' is missing", rule->name);
            return false;
        }
    }
    return true;
}

static const remote_typed_param_value *find_value(const remote_typed_param *values, u_int n,
                                                  const char *name, int type)
{
    const remote_typed_param *param = find(values, n, name);

    return param && param->value.type == type ? &param->value : NULL;
}

/* A look-up function: its name's end, the C type, and the same as in VALUE(). */
#define DEFINE_GET(suffix, ctype, TYPE, member)                                                    \
    bool typed_params_get_##suffix(const remote_typed_param *values, u_int n, const char *name,    \
                                   ctype *ret_value)                                               \
    {                                                                                              \
        const remote_typed_param_value *value =                                                    \
            find_value(values, n, name, VIR_TYPED_PARAM_##TYPE);                                   \
                                                                                                   \
        if (!value)                                                                                \
            return false;                                                                          \
        *ret_value = value->remote_typed_param_value_u.member;                                     \
        return true;                                                                               \
    }

DEFINE_GET(int, int, INT, i)
DEFINE_GET(uint, unsigned int, UINT, ui)
DEFINE_GET(llong, int64_t, LLONG, l)
DEFINE_GET(ullong, uint64_t, ULLONG, ul)
DEFINE_GET(double, double, DOUBLE, d)
DEFINE_GET(boolean, bool, BOOLEAN, b)
DEFINE_GET(string, const char *, STRING, s)
