/* What virtnodedevd is while it runs: made by start(), reached from every call. */
#pragma once

#include "common/call.h"
#include "common/daemon.h"
#include "fiber/sync.h"
#include "virtnodedevd/device.h"
#include "virtnodedevd/watch.h"

typedef struct Driver {
    Daemon *daemon;
    const SysRoots *roots;
    DeviceTable *devices;
    Watch *watch; /* NULL when nothing tells of changes */
    FiberMutex look; /* one at a time, and what it has seen is in the table before the next */
    uint64_t n_whole_looks, last_whole_look; /* begun so far; the last one that came to its end */
    FiberMutex mdevctl; /* one run at a time, and its list with it */
    int mdevctl_fd;     /* inotify on its folders; -1: nothing tells of changes there */
} Driver;

/* Waits until the driver has started. NULL with the error of its start when it could not. */
SUSPENDS Driver *driver_of(Call *call, GError **error);
/* call_check_flags() with an error of this driver. */
bool nodedev_check_flags(const char *api, unsigned flags, unsigned supported, GError **error);
/* The room that a client has for a list of names. Errors: RPC, by the name of @limit. */
bool nodedev_check_room(int max_names, int limit, const char *limit_name, GError **error);
/* The device that a call is about, a new reference, and the driver. Errors: NO_NODE_DEVICE. */
SUSPENDS Device *call_get_device(Call *call, const char *name, Driver **ret_driver,
                                 GError **error);
/* The error for a device that is not there; returns false. */
bool nodedev_fail_missing(const char *name, GError **error);

/* What the daemon calls (DaemonSpec). */
SUSPENDS bool driver_start(Daemon *daemon, void **ret_driver, GError **error);
void driver_stop(Daemon *daemon, void *driver);
