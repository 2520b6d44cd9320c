#include "virtnodedevd/watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "virtnodedevd/kind.h"
#include "virtnodedevd/watch_udev.h"

#define FC_HOST "fc_host"

/* The group that the kernel sends to; udevd's messages go to another. */
#define KERNEL_GROUP 1
/* Of a message (the kernel's buffer for its strings has 2048). */
#define MESSAGE_LIMIT 8192
/* For bursts: a message takes about a KiB of it. Without root it is as much as is allowed. */
#define BUFFER_BYTES (16 * 1024 * 1024)

struct Watch {
    UdevWatch *udev; /* NULL: the kernel's socket is @fd */
    int fd;
    bool is_lost;
};

/* ".../host5" of ".../host5/fc_host/host5". */
static char *host_path(const char *path)
{
    g_autofree char *class = g_path_get_dirname(path);

    return g_path_get_dirname(class);
}

WatchEvent *watch_event_new(UeventAction action, const char *path, const char *old_path,
                            const char *subsystem)
{
    bool is_fc_host = g_str_equal(subsystem, FC_HOST);
    WatchEvent *event;

    if (!is_fc_host && !kind_has_subsystem(subsystem))
        return NULL;
    event = g_new0(WatchEvent, 1);
    event->action = is_fc_host ? UEVENT_CHANGE : action;
    event->path = is_fc_host ? host_path(path) : g_strdup(path);
    event->old_path = is_fc_host ? NULL : g_strdup(old_path);
    return event;
}

void watch_event_free(WatchEvent *event)
{
    if (!event)
        return;
    g_free(event->path);
    g_free(event->old_path);
    g_free(event);
}

static int open_socket(GError **error)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
    int bytes = BUFFER_BYTES;
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        error_set_errno(error, VIR_FROM_NODEDEV, errno, "cannot listen to the kernel's device events");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return fd;
}

Watch *watch_open(GError **error)
{
    g_autoptr(Watch) watch = g_new0(Watch, 1);
    g_autoptr(GError) reason = NULL;

    watch->fd = -1;
    watch->udev = udev_watch_open(&reason);
    if (watch->udev)
        return g_steal_pointer(&watch);
    if (reason) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    watch->fd = open_socket(error);
    return watch->fd < 0 ? NULL : g_steal_pointer(&watch);
}

void watch_close(Watch *watch)
{
    if (!watch)
        return;
    udev_watch_close(watch->udev);
    if (watch->fd >= 0)
        close(watch->fd);
    g_free(watch);
}

int watch_get_fd(const Watch *watch)
{
    return watch->udev ? udev_watch_get_fd(watch->udev) : watch->fd;
}

/* The size of the next message; 0 when there is none. Anybody may send to this socket, but only
 * the kernel's port is 0. */
static size_t receive(Watch *watch, char *bytes)
{
    for (;;) {
        struct sockaddr_nl sender = { .nl_pid = 0 };
        struct iovec part = { bytes, MESSAGE_LIMIT };
        struct msghdr message = {
            .msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &part, .msg_iovlen = 1,
        };
        ssize_t got = recvmsg(watch->fd, &message, MSG_DONTWAIT);

        if (got > 0 && sender.nl_pid == 0 && !(message.msg_flags & MSG_TRUNC))
            return (size_t)got;
        if (got < 0 && errno == ENOBUFS)
            watch->is_lost = true;
        else if (got <= 0 && errno != EINTR)
            return 0;
    }
}

static WatchEvent *take_from_kernel(Watch *watch)
{
    char bytes[MESSAGE_LIMIT];
    size_t size;

    while ((size = receive(watch, bytes)) > 0) {
        Uevent event;
        WatchEvent *copy = NULL;

        if (uevent_parse(bytes, size, &event))
            copy = watch_event_new(event.action, event.path, event.old_path, event.subsystem);
        if (copy)
            return copy;
    }
    return NULL;
}

WatchEvent *watch_take(Watch *watch)
{
    return watch->udev ? udev_watch_take(watch->udev, &watch->is_lost) : take_from_kernel(watch);
}

bool watch_take_lost(Watch *watch)
{
    bool is_lost = watch->is_lost;

    watch->is_lost = false;
    return is_lost;
}
