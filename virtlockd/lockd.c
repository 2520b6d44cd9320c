#include "virtlockd/lockd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "virtlockd/conflict.h"
#include "virtlockd/lock_state.h"

#include "base/log.h"

LOG_INIT("locking");

/* For an answer of a file system: longer than an NFS server that was started again makes its
 * clients wait (90 seconds). Who waits is the guest that is being started, and nobody else. */
#define FILE_PATIENCE_MS (100 * 1000)
#define STATE_MODE 0600

bool lockd_is_busy(Daemon *daemon, void *data)
{
    const LockDaemon *lockd = data;

    return lock_table_get_n_locks(lockd->table) > 0;
}

bool lockd_save(LockDaemon *lockd, GError **error)
{
    g_autofree char *text = lock_state_format(lockd->table);

    return file_replace_volatile(lockd->state_path, text, strlen(text), STATE_MODE, error);
}

/* ---- Names ---- */

static bool check_space(const LockDaemon *lockd, const char *space, GError **error)
{
    if (lock_table_has_space(lockd->table, space))
        return true;
    error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
              "Lockspace for path %s does not exist", space);
    return false;
}

/* A client says what is locked, but not where: a name leads to no other folder. */
static bool check_resource(const LockDaemon *lockd, const char *space, const char *name,
                           GError **error)
{
    if (!check_space(lockd, space, error))
        return false;
    if (*space == '\0' && name[0] != '/') {
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INVALID_ARG,
                  "'%s' is not the absolute path that names a resource of the direct lock space",
                  name);
        return false;
    }
    if (*space != '\0' && (*name == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 ||
                           strcmp(name, "..") == 0)) {
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INVALID_ARG,
                  "'%s' cannot be the name of a file in lock space '%s'", name, space);
        return false;
    }
    return true;
}

/* ---- Resources, one change at a time ---- */

/* A reference to one whose mutex is ours, until the reference is given back. */
typedef LockResource EnteredResource;

static void resource_leave(EnteredResource *resource)
{
    fiber_mutex_unlock(&resource->mutex);
    lock_resource_unref(resource);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EnteredResource, resource_leave)

SUSPENDS static EnteredResource *resource_enter(LockResource *resource, uint64_t deadline_us,
                                                GError **error)
{
    g_autoptr(GError) wait_error = NULL;

    if (fiber_mutex_lock(&resource->mutex, deadline_us, &wait_error))
        return lock_resource_ref(resource);
    error_set(error, VIR_FROM_LOCKSPACE, (ErrorCode)wait_error->code,
              "waited for another call about resource '%s': %s", resource->name,
              error_detail(wait_error));
    return NULL;
}

SUSPENDS static EnteredResource *enter_named(LockDaemon *lockd, const char *space,
                                             const char *name, uint64_t deadline_us, GError **error)
{
    if (!check_resource(lockd, space, name, error))
        return NULL;
    g_autoptr(LockResource) resource = lock_table_get_resource(lockd->table, space, name);
    return resource_enter(resource, deadline_us, error);
}

/* False with @error when the worker says that it failed. */
static bool check_reply(const LockDaemon *lockd, const LockResource *resource,
                        const LockWorkerReply *reply, const char *verb, GError **error)
{
    const Lock *holder;

    if (reply->errnum == 0)
        return true;
    holder = reply->errnum == EAGAIN
                 ? lock_table_find_file(lockd->table, reply->device, reply->inode)
                 : NULL;
    if (holder)
        conflict_set(error, resource, holder);
    else if (reply->errnum == EAGAIN)
        conflict_set_foreign(error, resource, reply);
    else if (reply->errnum == EINVAL)
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INVALID_ARG,
                  "'%s' is neither a file nor a block device", resource->path);
    else
        error_set_errno(error, VIR_FROM_LOCKSPACE, reply->errnum, "Unable to %s resource %s", verb,
                        resource->path);
    return false;
}

static bool check_owner(const LockOwner *owner, const LockResource *resource, GError **error)
{
    if (owner->start_time != 0 && !owner->has_ended)
        return true;
    error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_OPERATION_INVALID,
              "resource '%s' cannot be locked for '%s': there is no process %d", resource->name,
              owner->name, (int)owner->pid);
    return false;
}

void lock_set_file(Lock *lock, const LockWorkerReply *reply)
{
    lock->device = reply->device;
    lock->inode = reply->inode;
    lock->is_local = reply->is_local;
}

/* The path of a file to be removed may lead elsewhere by now: that is a worker's to find out. */
SUSPENDS static bool unlock(LockDaemon *lockd, const LockResource *resource, int fd, bool is_local,
                            bool removes_file, LockWorkerReply *ret_reply, uint64_t deadline_us,
                            GError **error)
{
    unsigned flags = removes_file ? LOCK_FLAG_OWN_FILE : 0;

    if (!is_local || removes_file)
        return lock_files_call(lockd->files, LOCK_OP_RELEASE, flags, resource->path, fd,
                               deadline_us, ret_reply, NULL, error);
    lock_files_release_local(flags, resource->path, fd, ret_reply);
    return true;
}

/* Of a lock that its client will not be told of. Whoever is told so can have it at once: others
 * (the worker that has locked it, a holder) may have duplicates, which do not count any more. */
SUSPENDS static void unlock_again(LockDaemon *lockd, const LockResource *resource, int fd,
                                  bool is_local, bool removes_file)
{
    g_autoptr(GError) error = NULL;
    LockWorkerReply reply;

    if (!unlock(lockd, resource, fd, is_local, removes_file, &reply,
                fiber_deadline_ms(FILE_PATIENCE_MS), &error))
        LOG_WARN("'%s' may stay locked for a while, or be left behind: %s", resource->path,
                 error->message);
}

static bool lock_removes_file(const Lock *lock)
{
    return lock->owns_file && lock->resource->locks->len == 1;
}

/* The file is locked, by @fd, which is taken over. */
SUSPENDS static bool keep_lock(LockDaemon *lockd, Lock *lock, int fd, GError **error)
{
    g_autoptr(GError) undo_error = NULL;

    lock->kept_name = lock_state_kept_name(lock);
    lock->facts = lock_state_format_lock(lock);
    lock->fd = fd;
    bool is_saved = lockd_save(lockd, error);
    if (is_saved && kept_fds_put(lockd->kept, lock->kept_name, fd, error))
        return true;
    unlock_again(lockd, lock->resource, fd, lock->is_local, lock_removes_file(lock));
    if (is_saved)
        kept_fds_drop(lockd->kept, lock->kept_name);
    else
        close(fd);
    /* A record without a descriptor means nothing: should it stay, the next start drops it. */
    lock_table_remove(lockd->table, lock);
    if (is_saved && !lockd_save(lockd, &undo_error))
        LOG_GERROR(undo_error);
    return false;
}

SUSPENDS static bool acquire(LockDaemon *lockd, LockOwner *owner, LockResource *resource,
                             bool is_shared, bool owns_file, uint64_t deadline_us, GError **error)
{
    unsigned flags = (is_shared ? LOCK_FLAG_SHARED : 0) | (owns_file ? LOCK_FLAG_OWN_FILE : 0);
    const Lock *conflict = lock_resource_find_conflict(resource, is_shared);
    LockWorkerReply reply;
    int fd;

    if (conflict) {
        conflict_set(error, resource, conflict);
        return false;
    }
    if (!check_owner(owner, resource, error) ||
        !lock_files_call(lockd->files, LOCK_OP_ACQUIRE, flags, resource->path, -1, deadline_us,
                         &reply, &fd, error))
        return false;
    if (!check_reply(lockd, resource, &reply, "open", error) ||
        !check_owner(owner, resource, error)) {
        if (fd >= 0) {
            unlock_again(lockd, resource, fd, reply.is_local, owns_file);
            close(fd);
        }
        return false;
    }
    Lock *lock = lock_table_add(lockd->table, resource, owner, 0, is_shared, owns_file);
    lock_set_file(lock, &reply);
    return keep_lock(lockd, lock, fd, error);
}

bool lockd_acquire(LockDaemon *lockd, LockOwner *owner, const char *space, const char *name,
                   bool is_shared, bool owns_file, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(FILE_PATIENCE_MS);
    g_autoptr(EnteredResource) resource = enter_named(lockd, space, name, deadline_us, error);

    return resource &&
           acquire(lockd, owner, resource, is_shared, owns_file, deadline_us, error);
}

/* With the resource's mutex. From the moment at which it is unlocked the lock is nobody's; a
 * daemon that is killed before that is on record tries it again at its next start. */
SUSPENDS static bool release(LockDaemon *lockd, Lock *lock, uint64_t deadline_us, GError **error)
{
    g_autoptr(GError) save_error = NULL;
    LockWorkerReply reply;

    if (!unlock(lockd, lock->resource, lock->fd, lock->is_local, lock_removes_file(lock), &reply,
                deadline_us, error))
        return false;
    /* Closing the last descriptor does what the file system did not do for us. */
    if (reply.errnum != 0)
        LOG_WARN("resource '%s' is given back without unlocking it: %s", lock->resource->path,
                 g_strerror(reply.errnum));
    kept_fds_drop(lockd->kept, lock->kept_name);
    lock_table_remove(lockd->table, lock);
    if (!lockd_save(lockd, &save_error))
        LOG_GERROR(save_error);
    daemon_touch(lockd->daemon);
    return true;
}

SUSPENDS static bool release_of_owner(LockDaemon *lockd, const LockOwner *owner,
                                      LockResource *resource, uint64_t deadline_us, GError **error)
{
    Lock *lock = lock_resource_find(resource, owner);

    if (lock)
        return release(lockd, lock, deadline_us, error);
    if (resource->locks->len == 0)
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_RESOURCE_BUSY,
                  "Lockspace resource '%s' is not locked", resource->name);
    else
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INTERNAL_ERROR,
                  "owner %d does not hold the resource lock on '%s'", (int)owner->pid,
                  resource->name);
    return false;
}

bool lockd_release(LockDaemon *lockd, LockOwner *owner, const char *space, const char *name,
                   GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(FILE_PATIENCE_MS);
    g_autoptr(EnteredResource) resource = enter_named(lockd, space, name, deadline_us, error);

    return resource && release_of_owner(lockd, owner, resource, deadline_us, error);
}

bool lockd_release_lock(LockDaemon *lockd, LockResource *resource, uint64_t id, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(FILE_PATIENCE_MS);
    g_autoptr(EnteredResource) entered = resource_enter(resource, deadline_us, error);

    if (!entered)
        return false;
    /* It may have been given back while we waited. */
    Lock *lock = lock_resource_get(resource, id);
    return !lock || release(lockd, lock, deadline_us, error);
}

/* ---- Files of resources, lock spaces ---- */

SUSPENDS static bool change_resource(LockDaemon *lockd, LockOp op, const char *verb,
                                     const char *space, const char *name, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(FILE_PATIENCE_MS);
    g_autoptr(EnteredResource) resource = enter_named(lockd, space, name, deadline_us, error);
    LockWorkerReply reply;

    if (!resource)
        return false;
    const Lock *holder = op == LOCK_OP_DELETE ? lock_resource_find_conflict(resource, false) : NULL;
    if (holder) {
        conflict_set(error, resource, holder);
        return false;
    }
    return lock_files_call(lockd->files, op, 0, resource->path, -1, deadline_us, &reply, NULL,
                           error) &&
           check_reply(lockd, resource, &reply, verb, error);
}

bool lockd_create_resource(LockDaemon *lockd, const char *space, const char *name, GError **error)
{
    return change_resource(lockd, LOCK_OP_CREATE, "create", space, name, error);
}

bool lockd_delete_resource(LockDaemon *lockd, const char *space, const char *name, GError **error)
{
    return change_resource(lockd, LOCK_OP_DELETE, "delete", space, name, error);
}

static bool check_new_space(const LockDaemon *lockd, const char *path, GError **error)
{
    if (*path == '\0')
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_INVALID,
                  "the default lockspace already exists");
    else if (path[0] != '/')
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INVALID_ARG,
                  "'%s' is not the absolute path of a folder", path);
    else if (lock_table_has_space(lockd->table, path))
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "Lockspace for path %s already exists", path);
    else
        return true;
    return false;
}

bool lockd_create_space(LockDaemon *lockd, const char *path, GError **error)
{
    LockWorkerReply reply;

    if (!check_new_space(lockd, path, error) ||
        !lock_files_call(lockd->files, LOCK_OP_FOLDER, 0, path, -1,
                         fiber_deadline_ms(FILE_PATIENCE_MS), &reply, NULL, error))
        return false;
    if (reply.errnum == ENOTDIR)
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INTERNAL_ERROR,
                  "Lockspace location %s exists, but is not a directory", path);
    else if (reply.errnum != 0)
        error_set_errno(error, VIR_FROM_LOCKSPACE, reply.errnum,
                        "Unable to create lockspace %s", path);
    if (reply.errnum != 0)
        return false;
    /* Two clients may have asked at the same time, and both are right. */
    lock_table_add_space(lockd->table, path);
    return lockd_save(lockd, error);
}
