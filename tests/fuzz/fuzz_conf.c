/* Fuzzes configuration files: the first byte chooses the daemon, the rest is its file.
 * What parses must be the same after being written and read again, and the table of keys
 * must cope with whatever values it is offered. */
#include <stdlib.h>
#include <string.h>

#include "common/conf_file.h"
#include "common/config_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* All entries, written by our own formatter. */
static GString *file_format(const ConfFile *file)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < file->entries->len; i++) {
        const ConfEntry *entry = g_ptr_array_index(file->entries, i);
        g_autofree char *value = conf_value_format(entry->value);

        g_string_append_printf(text, "%s = %s\n", entry->key, value);
    }
    return text;
}

static void check_round_trip(const ConfFile *file)
{
    g_autoptr(GString) text = file_format(file);
    g_autoptr(GString) text_again = NULL;
    g_autoptr(ConfFile) again = NULL;

    if (text->len > CONF_FILE_MAX_BYTES) {
        return;
    }
    again = conf_file_parse("again", text->str, text->len, NULL);
    require(again && again->entries->len == file->entries->len);
    text_again = file_format(again);
    require(g_string_equal(text, text_again));
}

/* User names are left out: looking them up reads files and may ask the network. */
static void check_values(const ConfFile *file, ConfigDaemon daemon)
{
    DaemonConfig config = { 0 };

    for (guint i = 0; i < file->entries->len; i++) {
        const ConfEntry *entry = g_ptr_array_index(file->entries, i);
        const ConfigKey *key = config_key_find(entry->key);
        g_autofree char *reason = NULL;

        if (!key) {
            config_key_find_near(daemon, entry->key);
        } else if (key->type != CONFIG_KEY_USERS) {
            require(config_value_set(&config, key, entry->value, &reason) == !reason);
        }
    }
    for (const ConfigKey *key = config_keys; key->name; key++) {
        config_value_clear(&config, key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(ConfFile) file = NULL;
    g_autoptr(GError) error = NULL;

    if (size < 1) {
        return 0;
    }
    file = conf_file_parse("fuzz.conf", (const char *) data + 1, size - 1, &error);
    require(!file == !!error);
    if (file) {
        check_round_trip(file);
        check_values(file, (ConfigDaemon) (1u << data[0] % CONFIG_DAEMON_COUNT));
    }
    return 0;
}
