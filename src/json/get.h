/* Typed access to values that came from outside. Every error is INTERNAL_ERROR and names
 * the member, what was expected and what was found. Strings and containers are borrowed
 * from the tree. */
#pragma once

#include "json/value.h"

/* @value as a plain type; @what names it in errors ("item 3 of 'cpus'"). Integers must be
 * written without fraction or exponent and fit; a double may be any number. */
bool json_as_string(const JsonValue *value, const char *what, const char **ret, GError **error);
bool json_as_int64(const JsonValue *value, const char *what, int64_t *ret, GError **error);
bool json_as_uint64(const JsonValue *value, const char *what, uint64_t *ret, GError **error);
bool json_as_double(const JsonValue *value, const char *what, double *ret, GError **error);
bool json_as_bool(const JsonValue *value, const char *what, bool *ret, GError **error);
bool json_as_array(const JsonValue *value, const char *what, const JsonValue **ret,
                   GError **error);
bool json_as_object(const JsonValue *value, const char *what, const JsonValue **ret,
                    GError **error);

/* The member @key of @object, which must be there. @object itself must be an object. */
bool json_object_get_string(const JsonValue *object, const char *key, const char **ret,
                            GError **error);
bool json_object_get_int64(const JsonValue *object, const char *key, int64_t *ret, GError **error);
bool json_object_get_uint64(const JsonValue *object, const char *key, uint64_t *ret,
                            GError **error);
bool json_object_get_double(const JsonValue *object, const char *key, double *ret, GError **error);
bool json_object_get_bool(const JsonValue *object, const char *key, bool *ret, GError **error);
bool json_object_get_array(const JsonValue *object, const char *key, const JsonValue **ret,
                           GError **error);
bool json_object_get_object(const JsonValue *object, const char *key, const JsonValue **ret,
                            GError **error);

/* The same for a member that may be missing or null: @fallback stands for it then (NULL
 * for arrays and objects). Another type than the wanted one is an error here too. */
bool json_object_opt_string(const JsonValue *object, const char *key, const char *fallback,
                            const char **ret, GError **error);
bool json_object_opt_int64(const JsonValue *object, const char *key, int64_t fallback,
                           int64_t *ret, GError **error);
bool json_object_opt_uint64(const JsonValue *object, const char *key, uint64_t fallback,
                            uint64_t *ret, GError **error);
bool json_object_opt_double(const JsonValue *object, const char *key, double fallback, double *ret,
                            GError **error);
bool json_object_opt_bool(const JsonValue *object, const char *key, bool fallback, bool *ret,
                          GError **error);
bool json_object_opt_array(const JsonValue *object, const char *key, const JsonValue **ret,
                           GError **error);
bool json_object_opt_object(const JsonValue *object, const char *key, const JsonValue **ret,
                            GError **error);
