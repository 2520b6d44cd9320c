/* The state file of virtlockd, and the names of the descriptors that it finds: its own, or what a
 * disk with faults and other programs have made of them. */
#include <stdint.h>
#include <string.h>

#include "virtlockd/lock_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *format(LockTable *table)
{
    g_autoptr(GPtrArray) locks = lock_table_get_locks(table);

    for (guint i = 0; i < locks->len; i++) {
        Lock *lock = g_ptr_array_index(locks, i);
        g_free(lock->facts);
        lock->facts = lock_state_format_lock(lock);
    }
    return lock_state_format(table);
}

/* What was read can be written, and read again. */
static void check_again(LockTable *table)
{
    g_autoptr(LockTable) again = lock_table_new();
    g_autofree char *text = format(table);

    if (!lock_state_parse(text, strlen(text), again, NULL))
        g_error("cannot read again what was written:\n%s", text);
    g_autofree char *text_again = format(again);
    if (strcmp(text, text_again) != 0)
        g_error("it is written in another way:\n%s\n%s", text, text_again);
}

static void try_name(const uint8_t *data, size_t size)
{
    g_autofree char *name = g_strndup((const char *)data, size);
    uint64_t id, start_time;
    pid_t pid;

    if (lock_state_parse_kept_name(name, &id, &pid, &start_time) &&
        (id == 0 || pid <= 0 || start_time == 0))
        g_error("an impossible name was believed: %s", name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(LockTable) table = lock_table_new();
    g_autoptr(GError) error = NULL;

    try_name(data, size);
    if (lock_state_parse((const char *)data, size, table, &error))
        check_again(table);
    else if (!error)
        g_error("a failure without an error");
    return 0;
}
