#include "net/credentials.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/process.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5, asm-generic/socket.h */
#endif

/* Labels have no fixed limit; 255 bytes hold those in use, the kernel asks for more
 * with ERANGE. */
#define LABEL_FIRST_GUESS 256
#define LABEL_MAX 65536
#define GROUPS_FIRST_GUESS 32

/* Reads a socket option of unknown length. Returns NULL with errno set; the result has
 * a zero byte after its @ret_length bytes. */
static void *socket_get_sized_option(int fd, int option, socklen_t first_guess,
                                     socklen_t *ret_length)
{
    socklen_t capacity = first_guess;

    for (;;) {
        g_autofree char *buffer = g_malloc0((size_t)capacity + 1);
        socklen_t length = capacity;
        if (getsockopt(fd, SOL_SOCKET, option, buffer, &length) == 0) {
            *ret_length = MIN(length, capacity);
            return g_steal_pointer(&buffer);
        }
        /* On ERANGE the kernel has stored the length that it needs. */
        if (errno != ERANGE || length <= capacity || length > LABEL_MAX * sizeof(gid_t))
            return NULL;
        capacity = length;
    }
}

static char *socket_read_label(int fd)
{
    socklen_t length = 0;
    g_autofree char *label = socket_get_sized_option(fd, SO_PEERSEC, LABEL_FIRST_GUESS, &length);

    return label && length > 0 && label[0] ? g_steal_pointer(&label) : NULL;
}

bool net_credentials_read(int fd, NetCredentials *ret_credentials, GError **error)
{
    struct ucred peer = { 0 };
    socklen_t length = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
        error_set_errno(error, VIR_FROM_RPC, errno,
                        "cannot read who is at the other end of a socket");
        return false;
    }
    /* What the kernel answers for a socket that is not a connected unix one. */
    if (length != sizeof(peer) || (peer.uid == (uid_t)-1 && peer.gid == (gid_t)-1)) {
        error_set_errno(error, VIR_FROM_RPC, ENOTCONN,
                        "cannot read who is at the other end of a socket");
        return false;
    }

    NetCredentials credentials = { .uid = peer.uid, .gid = peer.gid };
    if (peer.pid > 0) {
        credentials.has_pid = true;
        credentials.pid = peer.pid;
    }
    *ret_credentials = credentials;
    return true;
}

/* A descriptor of the process that connected, -1 when the kernel has no such option. */
static int socket_open_peer(int fd)
{
    int pidfd = -1;
    socklen_t length = sizeof(pidfd);

    return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0 ? pidfd : -1;
}

bool net_credentials_can_wait(int fd)
{
    int pidfd = socket_open_peer(fd);

    if (pidfd >= 0)
        close(pidfd);
    /* Other failures than "no such option" are about this peer (it has gone). */
    return pidfd >= 0 || errno != ENOPROTOOPT;
}

/* Reads the start time of the process that connected, which is still there if its
 * descriptor says so afterwards: its number cannot have been reused meanwhile. */
static uint64_t socket_read_start_time(int fd, pid_t pid)
{
    uint64_t start_time = process_start_time(pid);
    int pidfd = socket_open_peer(fd);
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

    if (pidfd < 0)
        return errno == ENOPROTOOPT ? start_time : 0;
    if (poll(&poll_fd, 1, 0) != 0)
        start_time = 0;
    close(pidfd);
    return start_time;
}

void net_credentials_complete(int fd, NetCredentials *credentials)
{
    socklen_t length = 0;

    if (credentials->has_pid)
        credentials->process_start_time = socket_read_start_time(fd, credentials->pid);
    credentials->groups =
        socket_get_sized_option(fd, SO_PEERGROUPS, GROUPS_FIRST_GUESS * sizeof(gid_t), &length);
    credentials->n_groups = credentials->groups ? length / sizeof(gid_t) : 0;
    credentials->selinux_label = socket_read_label(fd);
}

bool net_credentials_has_group(const NetCredentials *credentials, gid_t gid)
{
    if (credentials->gid == gid)
        return true;
    for (size_t i = 0; i < credentials->n_groups; i++) {
        if (credentials->groups[i] == gid)
            return true;
    }
    return false;
}

void net_credentials_copy(const NetCredentials *credentials, NetCredentials *ret_copy)
{
    *ret_copy = *credentials;
    ret_copy->groups =
        g_memdup2(credentials->groups, credentials->n_groups * sizeof(*credentials->groups));
    ret_copy->selinux_label = g_strdup(credentials->selinux_label);
}

void net_credentials_clear(NetCredentials *credentials)
{
    g_free(credentials->groups);
    g_free(credentials->selinux_label);
    memset(credentials, 0, sizeof(*credentials));
}
