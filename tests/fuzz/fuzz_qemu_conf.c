/* Fuzzes the values of qemu.conf and the files beside it: the tables of keys cope with whatever
 * they are offered. */
#include <stdlib.h>
#include <string.h>

#include "common/conf_file.h"
#include "common/config_value.h"
#include "virtqemud/qemu_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ConfigKey *key_find(const ConfigKey *keys, const char *name)
{
    for (const ConfigKey *key = keys; key->name; key++) {
        if (g_str_equal(key->name, name))
            return key;
    }
    return NULL;
}

/* Offsets of @keys are in @values, which is all zero. */
static void check(const ConfFile *file, const ConfigKey *keys, void *values)
{
    for (guint i = 0; i < file->entries->len; i++) {
        const ConfEntry *entry = g_ptr_array_index(file->entries, i);
        const ConfigKey *key = key_find(keys, entry->key);
        g_autofree char *reason = NULL;

        if (key && config_value_set(values, key, entry->value, &reason) != !reason)
            abort();
    }
    for (const ConfigKey *key = keys; key->name; key++)
        config_value_clear(values, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(ConfFile) file = conf_file_parse("fuzz.conf", (const char *)data, size, NULL);
    QemuConf conf = { 0 };

    if (!file)
        return 0;
    check(file, qemu_conf_keys, &conf);
    check(file, qemu_lockd_conf_keys, &conf.lockd);
    check(file, qemu_sanlock_conf_keys, &conf.sanlock);
    return 0;
}
