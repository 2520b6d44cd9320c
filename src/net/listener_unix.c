#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process_flags.h"
#include "net/address.h"
#include "net/listener_private.h"

#define LOCK_WAIT_US 1000000
#define LOCK_RETRY_US 10000
/* A daemon that was killed may leave a child that was just being made, and has its sockets until
 * it becomes another program. */
#define CHILD_WAIT_MS 200

/* The lock on taking over a path: a file beside it that exists only meanwhile. */
typedef struct PathLock {
    int fd;
    char *path;
} PathLock;

static void path_lock_clear(PathLock *lock)
{
    /* Removed while it is still held: who waits for it finds out and makes a new one. */
    if (lock->fd >= 0) {
        unlink(lock->path);
        close(lock->fd);
    }
    g_free(lock->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PathLock, path_lock_clear)

/* True when @fd still is the file at @path. */
static bool file_is_at(int fd, const char *path)
{
    struct stat by_fd;
    struct stat by_path;

    return fstat(fd, &by_fd) == 0 && lstat(path, &by_path) == 0 && by_fd.st_dev == by_path.st_dev &&
           by_fd.st_ino == by_path.st_ino;
}

/* One attempt; false with errno EWOULDBLOCK when another process has the lock. */
static bool path_lock_try(PathLock *lock)
{
    /* No other user may open it: a lock can be taken through any descriptor. */
    int fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return false;
    }
    if (!file_is_at(fd, lock->path)) {
        close(fd);
        errno = EWOULDBLOCK;
        return false;
    }
    lock->fd = fd;
    return true;
}

static bool path_lock_take(PathLock *lock, const char *path, GError **error)
{
    lock->path = g_strconcat(path, ".lock", NULL);
    for (int waited_us = 0; !path_lock_try(lock); waited_us += LOCK_RETRY_US) {
        if (errno != EWOULDBLOCK || waited_us >= LOCK_WAIT_US) {
            error_set_errno(error, VIR_FROM_RPC, errno, "cannot lock %s to listen at socket %s",
                            lock->path, path);
            return false;
        }
        g_usleep(LOCK_RETRY_US);
    }
    return true;
}

/* Whether the process that listens at the other end has been killed. Its sockets stay while a file
 * that it had open cannot be closed, and nobody accepts what comes. */
static bool is_listener_exiting(int fd)
{
    struct ucred listener;
    socklen_t length = sizeof(listener);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &length) == 0 &&
           process_is_exiting(listener.pid);
}

/* Connects, and waits for a hang-up when that succeeds and @waits. Returns 0 or the errno of
 * connect(); ECONNRESET after a hang-up, ECONNREFUSED where nobody will ever answer. */
static int socket_try(const NetUnixAddress *address, bool waits)
{
    struct pollfd poll_fd = { .events = POLLIN };
    int reason = 0;

    poll_fd.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (poll_fd.fd < 0)
        return errno;
    if (connect(poll_fd.fd, (const struct sockaddr *)&address->address, address->length) < 0)
        reason = errno;
    else if (is_listener_exiting(poll_fd.fd))
        reason = ECONNREFUSED;
    /* What nobody has accepted is hung up with the last descriptor of the listener. */
    else if (waits && poll(&poll_fd, 1, CHILD_WAIT_MS) == 1 && poll_fd.revents & POLLHUP)
        reason = ECONNRESET;
    close(poll_fd.fd);
    return reason;
}

/* Removes the socket file when nobody listens there. A regular file refuses connections
 * as well, so its type is looked at first. */
static bool stale_socket_remove(const char *path, const NetUnixAddress *address, GError **error)
{
    struct stat st;
    int reason;

    if (lstat(path, &st) < 0) {
        if (errno == ENOENT)
            return true;
        error_set_errno(error, VIR_FROM_RPC, errno, "cannot look at socket %s", path);
        return false;
    }
    if (!S_ISSOCK(st.st_mode)) {
        error_set_errno(error, VIR_FROM_RPC, EEXIST, "cannot listen at %s, which is not a socket",
                        path);
        return false;
    }

    reason = socket_try(address, true);
    /* Or by a daemon that turns clients away. */
    if (reason == ECONNRESET)
        reason = socket_try(address, false);
    /* EAGAIN: somebody listens and is busy. */
    if (reason != ECONNREFUSED) {
        bool is_used = reason == 0 || reason == EAGAIN || reason == EINPROGRESS;
        error_set_errno(error, VIR_FROM_RPC, is_used ? EADDRINUSE : reason,
                        "cannot listen at socket %s", path);
        return false;
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        error_set_errno(error, VIR_FROM_RPC, errno, "cannot replace stale socket %s", path);
        return false;
    }
    return true;
}

/* Owner, mode, and the length of the queue, with which a socket begins to listen. */
static bool socket_set_up(int fd, const char *path, const NetUnixOptions *options, GError **error)
{
    const char *failed;

    if ((options->uid != (uid_t)-1 || options->gid != (gid_t)-1) &&
        fchownat(AT_FDCWD, path, options->uid, options->gid, AT_SYMLINK_NOFOLLOW) < 0)
        failed = "set the owner of";
    else if (fchmodat(AT_FDCWD, path, options->mode, AT_SYMLINK_NOFOLLOW) < 0)
        failed = "set the mode of";
    else if (listen(fd, options->backlog > 0 ? options->backlog : SOMAXCONN) < 0)
        failed = "listen at";
    else
        return true;
    error_set_errno(error, VIR_FROM_RPC, errno, "cannot %s socket %s", failed, path);
    return false;
}

/* Binds, sets owner and mode, listens, in this order: until the last step connections
 * are refused, so nobody gets in by the mode that the file has first. */
static bool socket_bind_and_listen(int fd, const char *path, const NetUnixAddress *address,
                                   const NetUnixOptions *options, struct stat *ret_st,
                                   GError **error)
{
    if (bind(fd, (const struct sockaddr *)&address->address, address->length) < 0) {
        error_set_errno(error, VIR_FROM_RPC, errno, "cannot bind to socket %s", path);
        return false;
    }
    if (lstat(path, ret_st) < 0)
        error_set_errno(error, VIR_FROM_RPC, errno, "cannot look at socket %s", path);
    else if (socket_set_up(fd, path, options, error))
        return true;
    unlink(path);
    return false;
}

NetListener *net_listener_new_unix(const char *path, const NetUnixOptions *options, GError **error)
{
    g_auto(NetUnixAddress) address = { .folder_fd = -1 };
    g_auto(PathLock) lock = { .fd = -1 };
    struct stat st;

    if (!net_unix_address_init(&address, path, error) || !path_lock_take(&lock, path, error) ||
        !stale_socket_remove(path, &address, error))
        return NULL;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        error_set_errno(error, VIR_FROM_RPC, errno, "cannot make a socket");
        return NULL;
    }
    if (!socket_bind_and_listen(fd, path, &address, options, &st, error)) {
        close(fd);
        return NULL;
    }
    NetListener *listener = net_listener_wrap_fd(fd, path, true);
    net_listener_own_path(listener, path, st.st_dev, st.st_ino);
    return listener;
}

/* The group of a new file: that of its folder where the folder says so, or the process's own. */
static gid_t group_of_new(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat st;

    return stat(folder, &st) == 0 && st.st_mode & S_ISGID ? st.st_gid : getegid();
}

bool net_listener_set_options(NetListener *listener, const NetUnixOptions *options, GError **error)
{
    const char *path = net_listener_get_address(listener);
    NetUnixOptions complete = *options;

    if (complete.gid == (gid_t)-1)
        complete.gid = group_of_new(path);
    return socket_set_up(net_listener_get_fd(listener), path, &complete, error);
}
