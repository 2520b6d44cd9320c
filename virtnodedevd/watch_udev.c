#include "virtnodedevd/watch_udev.h"

#include <errno.h>
#include <libudev.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "virtnodedevd/kind.h"

/* Where udevd takes its commands. */
#define CONTROL "/run/udev/control"
#define BUFFER_BYTES (16 * 1024 * 1024)
#define SYS "/sys"

struct UdevWatch {
    struct udev *udev;
    struct udev_monitor *monitor;
};

/* Somebody listens there: udevd, or the service manager for it. The file alone, which libudev goes
 * by, may be one that a former udevd has left. */
static bool udevd_runs(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONTROL };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_refused = fd < 0 || (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
                                 (errno == ENOENT || errno == ECONNREFUSED));

    if (fd >= 0)
        close(fd);
    return !is_refused;
}

UdevWatch *udev_watch_open(GError **error)
{
    UdevWatch *watch;

    if (!udevd_runs())
        return NULL;
    watch = g_new0(UdevWatch, 1);
    watch->udev = udev_new();
    watch->monitor = watch->udev ? udev_monitor_new_from_netlink(watch->udev, "udev") : NULL;
    if (watch->monitor) {
        /* Without root the buffer stays as it is. */
        udev_monitor_set_receive_buffer_size(watch->monitor, BUFFER_BYTES);
        if (udev_monitor_enable_receiving(watch->monitor) >= 0)
            return watch;
    }
    error_set_errno(error, VIR_FROM_NODEDEV, errno, "cannot listen to udevd's device events");
    udev_watch_close(watch);
    return NULL;
}

void udev_watch_close(UdevWatch *watch)
{
    if (!watch)
        return;
    udev_monitor_unref(watch->monitor);
    udev_unref(watch->udev);
    g_free(watch);
}

int udev_watch_get_fd(const UdevWatch *watch)
{
    return udev_monitor_get_fd(watch->monitor);
}

static WatchEvent *event_from(struct udev_device *device)
{
    const char *path = udev_device_get_syspath(device);
    const char *old_path = udev_device_get_property_value(device, "DEVPATH_OLD");
    const char *subsystem = udev_device_get_subsystem(device);
    const char *action = udev_device_get_action(device);

    if (!path || !g_str_has_prefix(path, SYS "/") || !action || !subsystem)
        return NULL;
    return watch_event_new(uevent_action(action), path + strlen(SYS), old_path, subsystem);
}

WatchEvent *udev_watch_take(UdevWatch *watch, bool *lost)
{
    for (;;) {
        struct udev_device *device;
        WatchEvent *event;

        errno = 0;
        device = udev_monitor_receive_device(watch->monitor);
        if (!device && errno == ENOBUFS)
            *lost = true;
        else if (!device && errno != EINTR)
            return NULL;
        event = device ? event_from(device) : NULL;
        udev_device_unref(device);
        if (event)
            return event;
    }
}
