/* A lock worker: answers one request after the other until the daemon closes the socket. When an
 * operation hangs for good the daemon abandons the worker; a lock that it gets later is gone with
 * it, as nobody takes the descriptor. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtlockd/worker/ops.h"

/* A request in one piece: a packet with room for the longest. */
typedef struct Packet {
    LockWorkerRequest request;
    char path[LOCK_WORKER_MAX_PATH];
} Packet;

typedef union Control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} Control;

static bool packet_is_valid(const Packet *packet, size_t length)
{
    if (length <= sizeof(packet->request) || packet->request.op >= N_LOCK_OPS)
        return false;
    size_t rest = length - sizeof(packet->request);
    return memchr(packet->path, '\0', rest) == packet->path + rest - 1;
}

static ssize_t receive(Packet *packet, int *ret_fd)
{
    struct iovec part = { packet, sizeof(*packet) };
    Control control;
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    ssize_t n = recvmsg(LOCK_WORKER_FD, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);

    *ret_fd = -1;
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
    return n;
}

/* Closing the file can hang, too, when the answer is on its way: the daemon asks this worker no more
 * when it may. */
static bool answer(const LockWorkerReply *reply, int fd)
{
    struct iovec part = { (void *)reply, sizeof(*reply) };
    Control control = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
    }
    bool ok = sendmsg(LOCK_WORKER_FD, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*reply);
    if (fd >= 0)
        close(fd);
    return ok;
}

int main(int argc, char **argv)
{
    static Packet packet;
    LockWorkerReply reply;
    int fd, reply_fd;

    for (;;) {
        ssize_t n = receive(&packet, &fd);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != ECONNRESET)
            fprintf(stderr, "%s is started by virtlockd alone\n", argv[0]);
        if (n <= 0 || !packet_is_valid(&packet, (size_t)n))
            return n == 0 ? 0 : 1;
        lock_op_run(&packet.request, packet.path, fd, &reply, &reply_fd);
        if (!answer(&reply, reply_fd))
            return 1;
    }
}
