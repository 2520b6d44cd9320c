/* The lock daemon's heart: takes and gives back locks, so that a lock that was acknowledged is on
 * record and its descriptor with others (common/kept_fds.h). Killed at any instant, the next
 * daemon has every lock that anybody was told of: the state file is written first, then the
 * descriptor is kept, then the call is answered. One of the two alone means nothing. */
#pragma once

#include "common/daemon.h"
#include "common/kept_fds.h"
#include "virtlockd/lock_files.h"
#include "virtlockd/lock_table.h"

typedef struct LockDaemon {
    Daemon *daemon;
    FiberLoop *loop;
    LockTable *table;
    LockFiles *files;
    KeptFds *kept; /* the daemon's */
    char *state_path;
    GHashTable *clients; /* Client to LockClient (procedures.c) */
} LockDaemon;

/* In a daemon's spec. Starting recovers what was held before (recover.c). */
SUSPENDS bool lockd_start(Daemon *daemon, void **ret_lockd, GError **error);
void lockd_stop(Daemon *daemon, void *lockd);
bool lockd_is_busy(Daemon *daemon, void *lockd);

/* Notes what a worker has said of the file of @lock. */
void lock_set_file(Lock *lock, const LockWorkerReply *reply);
/* Writes the state file. Errors: SYSTEM_ERROR. */
bool lockd_save(LockDaemon *lockd, GError **error);

/* Locks resource @name of @space for @owner. With @owns_file the file is made and, with the last
 * lock on it, removed. Errors: RESOURCE_BUSY naming who has it, INTERNAL_ERROR without such a lock
 * space, INVALID_ARG for a name that cannot be one, OPERATION_INVALID for an owner without a
 * process, OPERATION_TIMEOUT, SYSTEM_ERROR. */
SUSPENDS bool lockd_acquire(LockDaemon *lockd, LockOwner *owner, const char *space,
                            const char *name, bool is_shared, bool owns_file, GError **error);
/* Errors: RESOURCE_BUSY when nobody has it locked, INTERNAL_ERROR when others have,
 * OPERATION_TIMEOUT (then it stays locked). */
SUSPENDS bool lockd_release(LockDaemon *lockd, LockOwner *owner, const char *space,
                            const char *name, GError **error);
/* Lock @id, if it is there still. Errors: OPERATION_TIMEOUT and the like: it stays locked. */
SUSPENDS bool lockd_release_lock(LockDaemon *lockd, LockResource *resource, uint64_t id,
                                 GError **error);

/* Makes or removes the file of a resource. Errors: as above. */
SUSPENDS bool lockd_create_resource(LockDaemon *lockd, const char *space, const char *name,
                                    GError **error);
SUSPENDS bool lockd_delete_resource(LockDaemon *lockd, const char *space, const char *name,
                                    GError **error);
/* Makes the folder @path, unless it is there, and the lock space in it. */
SUSPENDS bool lockd_create_space(LockDaemon *lockd, const char *path, GError **error);
