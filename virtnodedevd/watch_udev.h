/* The events of udevd: the kernel's, told again when udev's database has what it knows of the
 * device, which its name may depend on. */
#pragma once

#include "virtnodedevd/watch.h"

typedef struct UdevWatch UdevWatch;

/* NULL with no @error when no udevd runs, or this build has no libudev. Errors: SYSTEM_ERROR. */
UdevWatch *udev_watch_open(GError **error);
void udev_watch_close(UdevWatch *watch);
int udev_watch_get_fd(const UdevWatch *watch);
/* As watch_take(); sets *@lost when events were lost. */
WatchEvent *udev_watch_take(UdevWatch *watch, bool *lost);
