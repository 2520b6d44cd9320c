#include "common/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

#include "base/log.h"

LOG_INIT("daemon.notify");

/* More than a daemon says in its life, unless it is told to reload again and again. */
#define MAX_WAITING 64

struct Notifier {
    FiberLoop *loop;
    GQueue waiting; /* of char *, owned */
    bool is_working; /* a fiber says what waits */
    uint64_t watchdog_us;
    sd_event_source *watchdog;
};

int notify_socket_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = path ? strlen(path) : 0;
    int fd;

    if (length == 0 || length >= sizeof(address.sun_path))
        return -EINVAL;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
        int reason = errno;

        close(fd);
        return -reason;
    }
    return fd;
}

bool notify_set_error(int errnum, GError **error)
{
    error_set_errno(error, VIR_FROM_SYSTEMD, errnum, "cannot reach the service manager");
    return false;
}

bool notify_socket_send(int fd, const struct msghdr *message, uint64_t deadline_us, GError **error)
{
    while (sendmsg(fd, message, MSG_NOSIGNAL) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return notify_set_error(errno, error);
        if (!fiber_wait_fd(fd, EPOLLOUT, deadline_us, NULL, error))
            return false;
    }
    return true;
}

Notifier *notifier_new(FiberLoop *loop)
{
    Notifier *notifier = g_new0(Notifier, 1);

    notifier->loop = loop;
    return notifier;
}

void notifier_free(Notifier *notifier)
{
    if (!notifier)
        return;
    sd_event_source_disable_unref(notifier->watchdog);
    g_queue_clear_full(&notifier->waiting, g_free);
    g_free(notifier);
}

/* False: there is no room for it now. A manager that cannot be reached at all hears nothing. */
static bool try_to_say(const char *state)
{
    int fd = notify_socket_open();
    bool is_full;

    if (fd < 0)
        return true;
    is_full = send(fd, state, strlen(state), MSG_NOSIGNAL) < 0 && errno == EAGAIN;
    close(fd);
    return !is_full;
}

/* For as long as it takes: a manager has limits of its own for what it has started, and the wait
 * ends with the daemon. */
SUSPENDS static void say_first(Notifier *notifier)
{
    g_autofree char *state = g_queue_pop_head(&notifier->waiting);
    struct iovec iov = { state, strlen(state) };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
    g_autoptr(GError) error = NULL;
    int fd = notify_socket_open();

    if (fd < 0)
        return;
    if (!notify_socket_send(fd, &message, FIBER_FOREVER, &error))
        LOG_DEBUG("%s: not said: %s", state, error->message);
    close(fd);
}

static void notifier_work(void *data)
{
    Notifier *notifier = data;

    while (!g_queue_is_empty(&notifier->waiting) && !fiber_is_cancelled(fiber_current()))
        say_first(notifier);
    notifier->is_working = false;
}

void notifier_say(Notifier *notifier, const char *state)
{
    if (!getenv("NOTIFY_SOCKET") || (!notifier->is_working && try_to_say(state)))
        return;
    g_queue_push_tail(&notifier->waiting, g_strdup(state));
    if (g_queue_get_length(&notifier->waiting) > MAX_WAITING)
        g_free(g_queue_pop_head(&notifier->waiting));
    if (notifier->is_working)
        return;
    LOG_WARN("the service manager does not read what it is told: '%s' waits", state);
    /* Before the fiber runs: called from the loop, it does so at once. */
    notifier->is_working = true;
    if (!fiber_spawn(notifier->loop, "notify", notifier_work, notifier, NULL, NULL))
        notifier->is_working = false;
}

/* Behind what waits already it would say nothing new. */
static int on_watchdog(sd_event_source *source, uint64_t usec, void *data)
{
    Notifier *notifier = data;

    if (!notifier->is_working)
        try_to_say("WATCHDOG=1");
    sd_event_source_set_time_relative(source, notifier->watchdog_us);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

/* sd_watchdog_enabled(3): meant is the process whose number stands there, or any without one; half
 * of the time is how often it should be fed. */
void notifier_feed_watchdog(Notifier *notifier)
{
    const char *text = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    guint64 limit_us;

    if (!text || (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()) ||
        !g_ascii_string_to_unsigned(text, 10, 2, G_MAXINT64, &limit_us, NULL))
        return;
    notifier->watchdog_us = limit_us / 2;
    sd_event_add_time_relative(fiber_loop_get_event(notifier->loop), &notifier->watchdog,
                               CLOCK_MONOTONIC, 0, notifier->watchdog_us / 2, on_watchdog,
                               notifier);
}
