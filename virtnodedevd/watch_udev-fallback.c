/* A build without libudev: the kernel's events have to do. */
#include "virtnodedevd/watch_udev.h"

UdevWatch *udev_watch_open(GError **error)
{
    return NULL;
}

void udev_watch_close(UdevWatch *watch)
{
}

int udev_watch_get_fd(const UdevWatch *watch)
{
    return -1;
}

WatchEvent *udev_watch_take(UdevWatch *watch, bool *lost)
{
    return NULL;
}
