/* Typed parameters: lists of named values of seven types, in which many calls take and give
 * settings and statistics (VIR_TYPED_PARAM_* in api_common.x). The admin program has them
 * under a name of its own with the same layout, and so the same functions. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/admin.h"
#include "wire/remote_types.h"

/* A list that is being built. */
typedef struct TypedParams TypedParams;

TypedParams *typed_params_new(void);
void typed_params_free(TypedParams *params);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TypedParams, typed_params_free)

/* These append a value. @name is shorter than VIR_TYPED_PARAM_FIELD_LENGTH bytes: clients
 * refuse a whole list for one longer name, so a value with such a name is left out. Names
 * and strings are copied. */
void typed_params_add_int(TypedParams *params, const char *name, int value);
void typed_params_add_uint(TypedParams *params, const char *name, unsigned int value);
void typed_params_add_llong(TypedParams *params, const char *name, int64_t value);
void typed_params_add_ullong(TypedParams *params, const char *name, uint64_t value);
void typed_params_add_double(TypedParams *params, const char *name, double value);
void typed_params_add_boolean(TypedParams *params, const char *name, bool value);
void typed_params_add_string(TypedParams *params, const char *name, const char *value);

/* Hands the list over to a result, whose codec frees it, and leaves @params empty:
 * typed_params_steal(params, &ret->params.params_val, &ret->params.params_len). */
void typed_params_steal(TypedParams *params, remote_typed_param **ret_values, u_int *ret_n);
void typed_params_steal_admin(TypedParams *params, admin_typed_param **ret_values, u_int *ret_n);

/* The admin program's list, for the functions below. */
const remote_typed_param *typed_params_from_admin(const admin_typed_param *values);

/* What a call accepts; an array of these ends with a NULL name. */
typedef struct TypedParamRule {
    const char *name;
    int type; /* virTypedParameterType */
    bool is_required;
    bool is_repeatable;
} TypedParamRule;

/* Checks a received list. Errors, each naming the parameter: ARGUMENT_UNSUPPORTED for one
 * without a rule; INVALID_ARG for one of another type than its rule's, one that is repeated,
 * and a required one that is missing. */
bool typed_params_check(const remote_typed_param *values, u_int n, const TypedParamRule *rules,
                        ErrorFrom from, GError **error);

/* Look a value up (the first with that name) in a list that was checked. False when the list
 * has none of that name and type: then @ret_value is untouched, and may hold a default.
 * Strings belong to the list. */
bool typed_params_get_int(const remote_typed_param *values, u_int n, const char *name,
                          int *ret_value);
bool typed_params_get_uint(const remote_typed_param *values, u_int n, const char *name,
                           unsigned int *ret_value);
bool typed_params_get_llong(const remote_typed_param *values, u_int n, const char *name,
                            int64_t *ret_value);
bool typed_params_get_ullong(const remote_typed_param *values, u_int n, const char *name,
                             uint64_t *ret_value);
bool typed_params_get_double(const remote_typed_param *values, u_int n, const char *name,
                             double *ret_value);
bool typed_params_get_boolean(const remote_typed_param *values, u_int n, const char *name,
                              bool *ret_value);
bool typed_params_get_string(const remote_typed_param *values, u_int n, const char *name,
                             const char **ret_value);
