/* One key's value on its way from the file into the struct of settings (DaemonConfig, or that
 * of another file with a table of its own): the types of the tables of keys. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "common/conf_file.h"
#include "common/config.h"

/* Checks @value against @key and puts it into @config's field, which gives up what it had.
 * On failure the field is untouched and @ret_reason has why ("expected ..."), to be freed. */
bool config_value_set(void *config, const ConfigKey *key, const ConfValue *value,
                      char **ret_reason);

/* The same for the default of a table, @text in the file's own syntax; a wrong one is a fault of
 * the table, and ends the program. */
void config_value_set_default(void *config, const ConfigKey *key, const char *text);

/* Frees what @key's field owns. */
void config_value_clear(void *config, const ConfigKey *key);
