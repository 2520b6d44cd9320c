/* Names of enum values, as XML documents and arguments write them: a table of strings
 * at the values' places, with NULL for values that have no name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

/* The name of @value in an array of names; NULL if it has none. */
#define ENUM_TO_NAME(names, value) enum_to_name((names), G_N_ELEMENTS(names), (int) (value))

/* Sets *@ret_value to the value that @name has in an array of names; false if none. */
#define ENUM_FROM_NAME(names, name, ret_value)                                               \
    enum_from_name((names), G_N_ELEMENTS(names), (name), (ret_value))

const char *enum_to_name(const char *const *names, size_t n_names, int value);
bool enum_from_name(const char *const *names, size_t n_names, const char *name, int *ret_value);
