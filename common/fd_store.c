#include "common/fd_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/notify.h"

/* A service manager that does not read for so long is stuck, and its store of no use. */
#define SEND_PATIENCE_MS 5000

bool fd_store_is_offered(void)
{
    const char *socket_path = getenv("NOTIFY_SOCKET");
    const char *max = getenv("FDSTORE");

    return socket_path && (!max || strtoul(max, NULL, 10) > 0);
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
    int socket_fd = notify_socket_open();
    bool is_sent;

    *ret_is_absent = socket_fd == -ENOENT || socket_fd == -ECONNREFUSED;
    if (socket_fd < 0)
        return notify_set_error(-socket_fd, error);
    if (fd >= 0) {
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                           .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    is_sent = notify_socket_send(socket_fd, &message, fiber_deadline_ms(SEND_PATIENCE_MS), error);
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
