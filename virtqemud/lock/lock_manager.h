/* Lock managers, which keep two guests from writing to the same disk: a table of them, of which
 * qemu.conf chooses one (lock_manager). Each is asked to
 *
 *     plan      what a guest needs locked, before there is a process
 *     enter     make the guest's process known, when it exists and is not QEMU yet
 *     acquire   lock all of it, before processors run, and again after a pause
 *     release   give all of it back, while the guest is paused and when it has ended
 *
 * What is locked survives a restart of this daemon: it belongs to QEMU's process. */
#pragma once

#include "virtqemud/driver.h"
#include "virtqemud/lock/lock_request.h"

typedef struct LockManager LockManager;

/* Whose the locks are. */
typedef struct LockOwner {
    const char *name;
    const Uuid *uuid;
    int id;
    pid_t pid;
} LockOwner;

struct LockManager {
    const char *name; /* in qemu.conf and in status files */
    /* Adds to @requests what @def needs. Errors: CONFIG_UNSUPPORTED when that is not enough for
     * the manager's configuration. */
    bool (*plan)(const QemuConf *conf, const DomainDef *def, GPtrArray *requests, GError **error);
    /* The unix socket to which the guest's process itself is to connect, so that the manager sees
     * when it ends, to be freed. Makes sure that somebody listens. NULL here: none is wanted. */
    SUSPENDS char *(*find_socket)(Driver *driver, uint64_t deadline_us, GError **error);
    /* Or one of our programs that the process is first, and that makes it known itself: it is given
     * "enter", the number of the descriptor to put its connection in, and what to become. */
    const char *entering_program;
    /* @socket_fd is a copy of the connection to that socket, taken over. */
    SUSPENDS bool (*enter)(Driver *driver, const LockOwner *owner, int socket_fd,
                           uint64_t deadline_us, GError **error);
    /* All, or nothing. Errors: RESOURCE_BUSY naming what is locked, the lock space, and by whom
     * where that is known; SYSTEM_ERROR or OPERATION_TIMEOUT naming the manager. */
    SUSPENDS bool (*acquire)(Driver *driver, const LockOwner *owner, const GPtrArray *requests,
                             uint64_t deadline_us, GError **error);
    /* As far as it goes; what is not locked is given back already. The first error counts. */
    SUSPENDS bool (*release)(Driver *driver, const LockOwner *owner, const GPtrArray *requests,
                             uint64_t deadline_us, GError **error);
};

/* Of qemu.conf's choice; never NULL: "nop" locks nothing. */
const LockManager *lock_manager_of(const QemuConf *conf);
/* By name; NULL for one that is not here. */
const LockManager *lock_manager_find(const char *name);

extern const LockManager lock_manager_nop, lock_manager_lockd, lock_manager_sanlock;
