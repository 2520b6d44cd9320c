#include "common/fd_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

/* A service manager that does not read for so long is stuck, and its store of no use. */
#define SEND_PATIENCE_MS 5000

bool fd_store_is_offered(void)
{
    const char *socket_path = getenv("NOTIFY_SOCKET");
    const char *max = getenv("FDSTORE");

    return socket_path && (!max || strtoul(max, NULL, 10) > 0);
}

static bool store_fail(int errnum, GError **error)
{
    error_set_errno(error, VIR_FROM_SYSTEMD, errnum,
                    "cannot reach the service manager's descriptor store");
    return false;
}

/* Returns a connected socket, so that waiting for room means its queue; or a negative errno. */
static int store_connect(void)
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

SUSPENDS static bool store_send_on(int socket_fd, struct msghdr *message, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(SEND_PATIENCE_MS);

    while (sendmsg(socket_fd, message, MSG_NOSIGNAL) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return store_fail(errno, error);
        if (!fiber_wait_fd(socket_fd, EPOLLOUT, deadline_us, NULL, error))
            return false;
    }
    return true;
}

/* @fd: -1 for none. */
SUSPENDS static bool store_send(char *state, int fd, bool *ret_is_absent, GError **error)
{
    struct iovec iov = { state, strlen(state) };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .bytes = { 0 } };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
    int socket_fd = store_connect();
    bool is_sent;

    *ret_is_absent = socket_fd == -ENOENT || socket_fd == -ECONNREFUSED;
    if (socket_fd < 0)
        return store_fail(-socket_fd, error);
    if (fd >= 0) {
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                           .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    is_sent = store_send_on(socket_fd, &message, error);
    close(socket_fd);
    return is_sent;
}

bool fd_store_put(const char *name, int fd, bool *ret_is_absent, GError **error)
{
    g_autofree char *state = g_strdup_printf("FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);

    return store_send(state, fd, ret_is_absent, error);
}

bool fd_store_drop(const char *name, GError **error)
{
    g_autofree char *state = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);
    bool is_absent;

    return store_send(state, -1, &is_absent, error);
}
