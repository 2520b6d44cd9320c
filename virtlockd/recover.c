#include "virtlockd/recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "fiber/process.h"
#include "virtlockd/lock_state.h"
#include "virtlockd/owner_watch.h"

#include "base/log.h"

LOG_INIT("locking.recover");

/* A thousand locks have some 300 KiB. */
#define STATE_BYTES_MAX (64 * 1024 * 1024)
/* For looking again whether a lock is held; whoever does not answer is believed. */
#define CHECK_PATIENCE_MS 5000

/* An empty table when there is no file, or none that can be used. */
static LockTable *read_table(const char *path)
{
    g_autoptr(LockTable) table = lock_table_new();
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    size_t length;

    if (!file_read_if_exists(path, STATE_BYTES_MAX, &text, &length, &error)) {
        LOG_GERROR(error);
    } else if (text && !lock_state_parse(text, length, table, &error)) {
        LOG_ERROR("the locks in '%s' cannot be read, only who has them is known: %s", path,
                  error->message);
        lock_table_free(table);
        table = lock_table_new();
    }
    return g_steal_pointer(&table);
}

/* A record without a descriptor is of a call that was never answered, or of a daemon whose
 * descriptors nobody kept. */
static void claim_locks(LockDaemon *lockd)
{
    g_autoptr(GPtrArray) locks = lock_table_get_locks(lockd->table);

    for (guint i = 0; i < locks->len; i++) {
        Lock *lock = g_ptr_array_index(locks, i);

        lock->kept_name = lock_state_kept_name(lock);
        lock->facts = lock_state_format_lock(lock);
        lock->fd = kept_fds_claim(lockd->kept, lock->kept_name);
        if (lock->fd >= 0)
            continue;
        LOG_WARN("the lock of '%s' (process %d) on '%s' is not held any more: nobody has kept its "
                 "descriptor", lock->owner->name, (int)lock->owner->pid, lock->resource->path);
        lock_table_remove(lockd->table, lock);
    }
}

static char *read_fdinfo(int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fdinfo/%d", fd);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* 'R' or 'W' for the lock that was taken through the descriptor, '\0' for none: a line "lock: 1:
 * OFDLCK  ADVISORY  WRITE -1 fe:00:1234 0 0" of fdinfo (proc(5)). */
static char find_lock_type(int fd)
{
    g_autofree char *text = read_fdinfo(fd);
    const char *line = text ? strstr(text, "OFDLCK") : NULL;

    if (!line)
        return '\0';
    return strstr(line, " WRITE ") ? 'W' : 'R';
}

/* The file is known by where the descriptor leads, the owner by the descriptor's name. */
static void adopt(LockDaemon *lockd, const char *kept_name)
{
    static const Uuid unknown;
    uint64_t id, start_time;
    pid_t pid;

    if (!lock_state_parse_kept_name(kept_name, &id, &pid, &start_time) ||
        lock_table_has_id(lockd->table, id))
        return;
    int fd = kept_fds_claim(lockd->kept, kept_name);
    char type = find_lock_type(fd);
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *path = g_file_read_link(link, NULL);
    if (type == '\0' || !path) {
        kept_fds_drop(lockd->kept, kept_name);
        return;
    }
    g_autoptr(LockOwner) owner = lock_table_get_owner(lockd->table, &unknown, "unknown", 0, pid,
                                                      start_time);
    g_autoptr(LockResource) resource = lock_table_get_resource(lockd->table, "", path);
    Lock *lock = lock_table_add(lockd->table, resource, owner, id, type == 'R', false);
    lock->fd = fd;
    lock->kept_name = g_strdup(kept_name);
    lock->facts = lock_state_format_lock(lock);
    LOG_WARN("a lock on '%s' is held for process %d, of which nothing else is known", path,
             (int)pid);
}

static void adopt_unknown(LockDaemon *lockd)
{
    g_autoptr(GPtrArray) names = kept_fds_get_unclaimed(lockd->kept);

    for (guint i = 0; i < names->len; i++)
        adopt(lockd, g_ptr_array_index(names, i));
    kept_fds_drop_unclaimed(lockd->kept);
}

static void watch_owners(LockDaemon *lockd)
{
    g_autoptr(GPtrArray) locks = lock_table_get_locks(lockd->table);

    for (guint i = 0; i < locks->len; i++) {
        LockOwner *owner = ((Lock *)g_ptr_array_index(locks, i))->owner;
        g_autoptr(GError) error = NULL;

        if (owner->end || owner->has_ended)
            continue;
        /* Unwatched it keeps its locks for ever, which is better than losing them. */
        if (!owner_watch(lockd, owner, &error))
            LOG_GERROR(error);
        else if (owner->has_ended)
            owner_release(lockd, owner);
    }
}

/* Of the mount that the file is on, without asking its file system; 0 when it is not known. */
static int find_mount_id(int fd)
{
    g_autofree char *text = read_fdinfo(fd);
    const char *line = text ? strstr(text, "mnt_id:") : NULL;

    return line ? atoi(line + strlen("mnt_id:")) : 0;
}

/* The last daemon may have been killed between unlocking and saying so: then somebody else may
 * have it now, or nobody; here it becomes one or the other. False: it could not be seen. */
SUSPENDS static bool check_lock(LockDaemon *lockd, Lock *lock)
{
    const LockResource *resource = lock->resource;
    unsigned flags = (lock->is_shared ? LOCK_FLAG_SHARED : 0) |
                     (lock->owns_file ? LOCK_FLAG_OWN_FILE : 0);
    g_autoptr(GError) error = NULL;
    LockWorkerReply reply;

    if (!lock_files_call(lockd->files, LOCK_OP_CHECK, flags, resource->path, lock->fd,
                         fiber_deadline_ms(CHECK_PATIENCE_MS), &reply, NULL, &error)) {
        LOG_WARN("whether '%s' is still locked for '%s' cannot be seen: %s", resource->path,
                 lock->owner->name, error->message);
        return false;
    }
    lock_set_file(lock, &reply);
    if (reply.errnum != EAGAIN && reply.errnum != ENOENT)
        return true;
    if (reply.errnum == EAGAIN)
        LOG_WARN("'%s' is not locked for '%s' any more: process %d (%s) has it", resource->path,
                 lock->owner->name, reply.holder_pid, reply.holder_name);
    kept_fds_drop(lockd->kept, lock->kept_name);
    lock_table_remove(lockd->table, lock);
    if (!lockd_save(lockd, &error))
        LOG_GERROR(error);
    return true;
}

/* Beside the calls: a file system that hangs must not hold up the start. It is asked once only: each
 * question costs a process that hangs, and others would wait for their turn. */
static void run_checks(void *data)
{
    LockDaemon *lockd = data;
    g_autoptr(GPtrArray) locks = lock_table_get_locks(lockd->table);
    g_autoptr(GPtrArray) resources =
        g_ptr_array_new_with_free_func((GDestroyNotify)lock_resource_unref);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GHashTable) silent_mounts = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < locks->len; i++) {
        const Lock *lock = g_ptr_array_index(locks, i);
        g_ptr_array_add(resources, lock_resource_ref(lock->resource));
        g_array_append_val(ids, lock->id);
    }
    for (guint i = 0; i < resources->len && !fiber_is_cancelled(fiber_current()); i++) {
        LockResource *resource = g_ptr_array_index(resources, i);
        /* For ever: whoever has it gives up in time. */
        if (!fiber_mutex_lock(&resource->mutex, FIBER_FOREVER, NULL))
            return;
        Lock *lock = lock_resource_get(resource, g_array_index(ids, uint64_t, i));
        void *mount = GINT_TO_POINTER(lock ? find_mount_id(lock->fd) : 0);
        if (lock && !g_hash_table_contains(silent_mounts, mount) && !check_lock(lockd, lock) &&
            mount)
            g_hash_table_add(silent_mounts, mount);
        fiber_mutex_unlock(&resource->mutex);
    }
}

void lockd_recover(LockDaemon *lockd)
{
    g_autoptr(GError) error = NULL;

    lockd->table = read_table(lockd->state_path);
    claim_locks(lockd);
    adopt_unknown(lockd);
    if (!lockd_save(lockd, &error))
        LOG_GERROR(error);
    watch_owners(lockd);
    if (lock_table_get_n_locks(lockd->table) > 0 &&
        !fiber_spawn(lockd->loop, "check locks", run_checks, lockd, NULL, NULL))
        LOG_WARN("whether all locks are still held is not looked at");
}
