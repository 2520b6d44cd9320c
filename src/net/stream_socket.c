/* Plain sockets, and what all kinds of stream have in common. Descriptors are received as
 * close-on-exec from the first moment: a program that is started by another thread must not
 * inherit them. */
#include "net/stream_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union FdBuffer {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int) * NET_SOCKET_MAX_FDS)];
} FdBuffer;

/* Moves the descriptors of one control message to @fds, as many as there is room for. */
static size_t control_take_fds(const struct cmsghdr *header, int *fds, size_t max_fds,
                               bool *ret_is_over)
{
    size_t n_sent = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    size_t n_taken = 0;

    for (size_t i = 0; i < n_sent; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
        if (n_taken < max_fds) {
            fds[n_taken++] = fd;
        } else {
            close(fd);
            *ret_is_over = true;
        }
    }
    return n_taken;
}

static ssize_t plain_receive(NetSocket *socket, void *buffer, size_t size, int *fds, size_t max_fds,
                             size_t *ret_n_fds)
{
    struct iovec iov = { .iov_base = buffer, .iov_len = size };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
    FdBuffer control;

    /* Without room for them the kernel drops descriptors itself. CMSG_LEN and not
     * CMSG_SPACE: the padding would be room for one more. */
    max_fds = MIN(max_fds, NET_SOCKET_MAX_FDS);
    if (socket->is_unix && max_fds > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_LEN(max_fds * sizeof(int));
    }
    ssize_t n_bytes = recvmsg(socket->fd, &message, MSG_CMSG_CLOEXEC);
    if (n_bytes < 0)
        return -errno;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            *ret_n_fds += control_take_fds(header, fds + *ret_n_fds, max_fds - *ret_n_fds,
                                           &socket->has_lost_fds);
    }
    if (message.msg_flags & MSG_CTRUNC)
        socket->has_lost_fds = true;
    return n_bytes;
}

/* Without SIGPIPE: a peer that has gone is an ordinary result. */
static ssize_t plain_send(NetSocket *socket, const struct iovec *iov, int n_iov, const int *fds,
                          size_t n_fds)
{
    /* The kernel only reads them, its interface has no const. */
    struct msghdr message = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n_iov };
    FdBuffer control;

    if (n_fds > 0) {
        if (!socket->is_unix)
            return -EOPNOTSUPP;
        memset(&control, 0, sizeof(control));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    ssize_t n_bytes = sendmsg(socket->fd, &message, MSG_NOSIGNAL);
    return n_bytes < 0 ? -errno : n_bytes;
}

static const NetSocketOps plain_ops = {
    .receive = plain_receive,
    .send = plain_send,
};

static void socket_begin(NetSocket *socket, const NetSocketOps *ops, int fd, bool is_unix)
{
    socket->ops = ops;
    socket->fd = fd;
    socket->is_unix = is_unix;
    socket->has_lost_fds = false;
}

/* What cannot be set is no reason to fail: it would cost speed, not correctness. */
void net_socket_init(NetSocket *socket, const NetSocketOps *ops, int fd)
{
    int family = AF_UNSPEC;
    socklen_t length = sizeof(family);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0)
        family = AF_UNSPEC;
    socket_begin(socket, ops, fd, family == AF_UNIX);

    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK))
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    int enable = 1;
    if (family == AF_INET || family == AF_INET6) {
        /* A call is one small write that the peer waits for. */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &enable, sizeof(enable));
        /* A host that has lost its power says no good-bye, and not every client speaks keepalive. */
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &enable, sizeof(enable));
    }
}

NetSocket *net_socket_new(int fd)
{
    NetSocket *socket = g_new0(NetSocket, 1);

    net_socket_init(socket, &plain_ops, fd);
    return socket;
}

NetSocket *net_socket_new_unix(int fd)
{
    NetSocket *socket = g_new(NetSocket, 1);

    socket_begin(socket, &plain_ops, fd, true);
    return socket;
}

void net_socket_free(NetSocket *socket)
{
    if (!socket)
        return;
    if (socket->ops->close)
        socket->ops->close(socket);
    if (socket->fd >= 0)
        close(socket->fd);
    g_free(socket);
}

int net_socket_get_fd(const NetSocket *socket)
{
    return socket->fd;
}

bool net_socket_is_unix(const NetSocket *socket)
{
    return socket->is_unix;
}

ssize_t net_socket_receive(NetSocket *socket, void *buffer, size_t size, int *fds, size_t max_fds,
                           size_t *ret_n_fds)
{
    *ret_n_fds = 0;
    return socket->ops->receive(socket, buffer, size, fds, max_fds, ret_n_fds);
}

ssize_t net_socket_send(NetSocket *socket, const struct iovec *iov, int n_iov, const int *fds,
                        size_t n_fds)
{
    if (n_fds > NET_SOCKET_MAX_FDS)
        return -EINVAL;
    return socket->ops->send(socket, iov, n_iov, fds, n_fds);
}

bool net_socket_has_pending(const NetSocket *socket)
{
    return socket->ops->has_pending && socket->ops->has_pending(socket);
}

uint32_t net_socket_get_events(const NetSocket *socket, uint32_t wanted)
{
    return socket->ops->wants ? socket->ops->wants(socket, wanted) : wanted;
}

bool net_socket_has_lost_fds(const NetSocket *socket)
{
    return socket->has_lost_fds;
}

const char *net_socket_get_peer_name(const NetSocket *socket)
{
    return socket->ops->peer_name ? socket->ops->peer_name(socket) : NULL;
}

const char *net_socket_get_failure(const NetSocket *socket)
{
    return socket->ops->failure ? socket->ops->failure(socket) : NULL;
}
