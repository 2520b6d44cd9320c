#include "virtlockd/lock_table.h"

#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

struct LockTable {
    GHashTable *spaces;    /* set of names */
    GHashTable *resources; /* SPACE NUL NAME (GBytes) to LockResource, borrowed */
    GPtrArray *owners;     /* of LockOwner, borrowed */
    GHashTable *locks;     /* id to Lock, borrowed */
    uint64_t next_id;
};

LockTable *lock_table_new(void)
{
    LockTable *table = g_new0(LockTable, 1);

    table->spaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    table->resources = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                             (GDestroyNotify)g_bytes_unref, NULL);
    table->owners = g_ptr_array_new();
    table->locks = g_hash_table_new(g_int64_hash, g_int64_equal);
    table->next_id = 1;
    return table;
}

void lock_table_free(LockTable *table)
{
    if (!table)
        return;
    g_autoptr(GPtrArray) locks = lock_table_get_locks(table);
    for (guint i = 0; i < locks->len; i++)
        lock_table_remove(table, g_ptr_array_index(locks, i));
    g_hash_table_unref(table->locks);
    g_hash_table_unref(table->resources);
    g_ptr_array_unref(table->owners);
    g_hash_table_unref(table->spaces);
    g_free(table);
}

bool lock_table_has_space(const LockTable *table, const char *space)
{
    return *space == '\0' || g_hash_table_contains(table->spaces, space);
}

void lock_table_add_space(LockTable *table, const char *space)
{
    if (!lock_table_has_space(table, space))
        g_hash_table_add(table->spaces, g_strdup(space));
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *lock_table_get_spaces(const LockTable *table)
{
    GPtrArray *spaces = g_ptr_array_new();
    GHashTableIter iter;
    gpointer space;

    g_hash_table_iter_init(&iter, table->spaces);
    while (g_hash_table_iter_next(&iter, &space, NULL))
        g_ptr_array_add(spaces, space);
    g_ptr_array_sort(spaces, compare_names);
    return spaces;
}

size_t lock_table_get_n_locks(const LockTable *table)
{
    return g_hash_table_size(table->locks);
}

bool lock_table_has_id(const LockTable *table, uint64_t id)
{
    return g_hash_table_contains(table->locks, &id);
}

static gint compare_ids(gconstpointer a, gconstpointer b)
{
    uint64_t left = (*(const Lock *const *)a)->id, right = (*(const Lock *const *)b)->id;

    return left < right ? -1 : left > right;
}

GPtrArray *lock_table_get_locks(const LockTable *table)
{
    GPtrArray *locks = g_ptr_array_new();
    GHashTableIter iter;
    gpointer lock;

    g_hash_table_iter_init(&iter, table->locks);
    while (g_hash_table_iter_next(&iter, NULL, &lock))
        g_ptr_array_add(locks, lock);
    g_ptr_array_sort(locks, compare_ids);
    return locks;
}

/* One that is registered for a process that has just ended still has its locks, for a moment. */
static bool is_owner(const LockOwner *owner, const Uuid *uuid, pid_t pid, uint64_t start_time)
{
    return owner->pid == pid && (owner->start_time == start_time || start_time == 0) &&
           uuid_equal(&owner->uuid, uuid);
}

LockOwner *lock_table_get_owner(LockTable *table, const Uuid *uuid, const char *name, unsigned id,
                                pid_t pid, uint64_t start_time)
{
    for (guint i = 0; i < table->owners->len; i++) {
        LockOwner *owner = g_ptr_array_index(table->owners, i);

        if (is_owner(owner, uuid, pid, start_time)) {
            if (strcmp(owner->name, name) != 0) {
                g_free(owner->name);
                owner->name = g_strdup(name);
            }
            owner->id = id;
            return lock_owner_ref(owner);
        }
    }
    LockOwner *owner = g_new0(LockOwner, 1);
    *owner = (LockOwner){ .n_refs = 1, .table = table, .uuid = *uuid, .name = g_strdup(name),
                          .id = id, .pid = pid, .start_time = start_time, .pid_fd = -1 };
    owner->locks = g_ptr_array_new();
    g_ptr_array_add(table->owners, owner);
    return owner;
}

LockOwner *lock_owner_ref(LockOwner *owner)
{
    owner->n_refs++;
    return owner;
}

void lock_owner_unref(LockOwner *owner)
{
    if (!owner || --owner->n_refs > 0)
        return;
    g_ptr_array_remove_fast(owner->table->owners, owner);
    sd_event_source_disable_unref(owner->end);
    if (owner->pid_fd >= 0)
        close(owner->pid_fd);
    g_ptr_array_unref(owner->locks);
    g_free(owner->name);
    g_free(owner);
}

char *lock_owner_describe(const LockOwner *owner)
{
    char uuid[UUID_TEXT_SIZE];

    return g_strdup_printf("'%s' (UUID %s, process %d)", owner->name,
                           uuid_format(&owner->uuid, uuid), (int)owner->pid);
}

static GBytes *resource_key(const char *space, const char *name)
{
    g_autoptr(GByteArray) key = g_byte_array_new();

    g_byte_array_append(key, (const guint8 *)space, (guint)strlen(space) + 1);
    g_byte_array_append(key, (const guint8 *)name, (guint)strlen(name));
    return g_byte_array_free_to_bytes(g_steal_pointer(&key));
}

static void lock_free(void *data)
{
    Lock *lock = data;

    g_ptr_array_remove(lock->owner->locks, lock);
    lock_owner_unref(lock->owner);
    g_free(lock->kept_name);
    g_free(lock->facts);
    g_free(lock);
}

LockResource *lock_table_get_resource(LockTable *table, const char *space, const char *name)
{
    g_autoptr(GBytes) key = resource_key(space, name);
    LockResource *found = g_hash_table_lookup(table->resources, key);

    if (found)
        return lock_resource_ref(found);
    LockResource *resource = g_new0(LockResource, 1);
    *resource = (LockResource){ .n_refs = 1, .table = table, .space = g_strdup(space),
                                .name = g_strdup(name) };
    resource->path = *space ? g_strdup_printf("%s/%s", space, name) : g_strdup(name);
    resource->locks = g_ptr_array_new_with_free_func(lock_free);
    g_hash_table_insert(table->resources, g_steal_pointer(&key), resource);
    return resource;
}

LockResource *lock_resource_ref(LockResource *resource)
{
    resource->n_refs++;
    return resource;
}

/* Locks hold references: there is none left when the last goes. */
void lock_resource_unref(LockResource *resource)
{
    if (!resource || --resource->n_refs > 0)
        return;
    g_autoptr(GBytes) key = resource_key(resource->space, resource->name);
    g_hash_table_remove(resource->table->resources, key);
    g_ptr_array_unref(resource->locks);
    g_free(resource->space);
    g_free(resource->name);
    g_free(resource->path);
    g_free(resource);
}

Lock *lock_resource_get(const LockResource *resource, uint64_t id)
{
    for (guint i = 0; i < resource->locks->len; i++) {
        Lock *lock = g_ptr_array_index(resource->locks, i);

        if (lock->id == id)
            return lock;
    }
    return NULL;
}

Lock *lock_resource_find(const LockResource *resource, const LockOwner *owner)
{
    for (guint i = 0; i < resource->locks->len; i++) {
        Lock *lock = g_ptr_array_index(resource->locks, i);

        if (lock->owner == owner)
            return lock;
    }
    return NULL;
}

const Lock *lock_resource_find_conflict(const LockResource *resource, bool is_shared)
{
    const Lock *first = resource->locks->len > 0 ? g_ptr_array_index(resource->locks, 0) : NULL;

    return first && is_shared && first->is_shared ? NULL : first;
}

const Lock *lock_table_find_file(const LockTable *table, uint64_t device, uint64_t inode)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, table->locks);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Lock *lock = value;

        if (lock->inode == inode && lock->device == device)
            return lock;
    }
    return NULL;
}

Lock *lock_table_add(LockTable *table, LockResource *resource, LockOwner *owner, uint64_t id,
                     bool is_shared, bool owns_file)
{
    Lock *lock = g_new0(Lock, 1);

    *lock = (Lock){ .id = id ? id : table->next_id, .resource = lock_resource_ref(resource),
                    .owner = lock_owner_ref(owner), .is_shared = is_shared,
                    .owns_file = owns_file, .fd = -1 };
    table->next_id = MAX(table->next_id, lock->id + 1);
    g_ptr_array_add(resource->locks, lock);
    g_ptr_array_add(owner->locks, lock);
    g_hash_table_insert(table->locks, &lock->id, lock);
    return lock;
}

void lock_table_remove(LockTable *table, Lock *lock)
{
    LockResource *resource = lock->resource;

    g_hash_table_remove(table->locks, &lock->id);
    g_ptr_array_remove(resource->locks, lock);
    lock_resource_unref(resource);
}
