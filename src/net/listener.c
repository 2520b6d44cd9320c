/* A listening socket: accepting, and the traces that it leaves. Failures of single connections
 * are skipped here; the shortage of descriptors, which concerns all, is the owner's to wait
 * out. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "net/address.h"
#include "net/listener_private.h"

/* Connections that failed while they waited are skipped, this many at a time. */
#define ACCEPT_MAX_SKIPPED 16

struct NetListener {
    int fd;
    int reserve_fd; /* given up to be able to accept, and close, when all are used */
    char *address;
    bool is_unix;
    char *path; /* to remove at the end; NULL: not ours */
    dev_t path_dev;
    ino_t path_ino;
    NetWrapFunc wrap;
    void *wrap_data;
};

/* Any descriptor does: it is only there to be given up. */
static int reserve_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

NetListener *net_listener_wrap_fd(int fd, const char *address, bool is_unix)
{
    NetListener *listener = g_new0(NetListener, 1);

    listener->fd = fd;
    listener->reserve_fd = reserve_open();
    listener->address = g_strdup(address ? address : "");
    listener->is_unix = is_unix;
    return listener;
}

/* By device and inode: another daemon may have put a socket of its own in our place by the
 * time that we end. */
void net_listener_own_path(NetListener *listener, const char *path, dev_t dev, ino_t ino)
{
    listener->path = g_strdup(path);
    listener->path_dev = dev;
    listener->path_ino = ino;
}

bool net_listener_owns_path(const NetListener *listener)
{
    return listener->path != NULL;
}

bool net_listener_claim_path(NetListener *listener)
{
    struct stat st;

    if (!listener->is_unix || lstat(listener->address, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    net_listener_own_path(listener, listener->address, st.st_dev, st.st_ino);
    return true;
}

/* What a service manager hands over is configured by people. */
bool net_listener_check_fd(int fd, int *ret_family, GError **error)
{
    int type = 0;
    int is_listening = 0;
    int family = AF_UNSPEC;
    socklen_t length = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0) {
        error_set_errno(error, VIR_FROM_RPC, errno, "inherited descriptor %d is not a socket", fd);
        return false;
    }
    length = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) < 0)
        is_listening = 0;
    length = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0)
        family = AF_UNSPEC;
    if (type != SOCK_STREAM || !is_listening) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                  "inherited descriptor %d is not a listening stream socket", fd);
        return false;
    }
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                  "inherited socket %d has address family %d, which is neither unix nor TCP", fd,
                  family);
        return false;
    }
    if (ret_family)
        *ret_family = family;
    return true;
}

NetListener *net_listener_new_inherited(int fd, GError **error)
{
    int family;

    if (!net_listener_check_fd(fd, &family, error))
        return NULL;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        error_set_errno(error, VIR_FROM_RPC, errno, "cannot prepare inherited socket %d", fd);
        return NULL;
    }
    g_autofree char *address = net_address_local(fd);
    return net_listener_wrap_fd(fd, address, family == AF_UNIX);
}

/* Removes our socket file, unless another one has taken its place. */
static void listener_remove_path(const NetListener *listener)
{
    struct stat st;

    if (lstat(listener->path, &st) < 0)
        return;
    if (st.st_dev == listener->path_dev && st.st_ino == listener->path_ino)
        unlink(listener->path);
}

void net_listener_unlink(NetListener *listener)
{
    if (listener->path) {
        listener_remove_path(listener);
        /* Who found the path a moment ago and connects now is refused, which it can tell
         * from being connected and then forgotten. */
        shutdown(listener->fd, SHUT_RD);
    }
    g_clear_pointer(&listener->path, g_free);
}

void net_listener_free(NetListener *listener)
{
    if (!listener)
        return;
    net_listener_unlink(listener);
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->reserve_fd >= 0)
        close(listener->reserve_fd);
    g_free(listener->address);
    g_free(listener);
}

int net_listener_get_fd(const NetListener *listener)
{
    return listener->fd;
}

const char *net_listener_get_address(const NetListener *listener)
{
    return listener->address;
}

bool net_listener_is_unix(const NetListener *listener)
{
    return listener->is_unix;
}

void net_listener_set_wrap(NetListener *listener, NetWrapFunc wrap, void *data)
{
    listener->wrap = wrap;
    listener->wrap_data = data;
}

/* With every descriptor used, the waiting client would keep the listener readable for
 * ever and learn nothing: accept it in the place of the reserve and close it. */
static void listener_turn_away(NetListener *listener)
{
    if (listener->reserve_fd >= 0) {
        close(listener->reserve_fd);
        listener->reserve_fd = -1;
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            close(fd);
    }
    listener->reserve_fd = reserve_open();
}

static NetSocket *listener_wrap_accepted(const NetListener *listener, int fd)
{
    if (listener->wrap)
        return listener->wrap(fd, listener->wrap_data);
    return listener->is_unix ? net_socket_new_unix(fd) : net_socket_new(fd);
}

int net_listener_accept(NetListener *listener, NetSocket **ret_socket)
{
    for (int i = 0; i < ACCEPT_MAX_SKIPPED; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            *ret_socket = listener_wrap_accepted(listener, fd);
            return 0;
        }
        switch (errno) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: {
            int reason = errno;
            listener_turn_away(listener);
            return -reason;
        }
        case EBADF:
        case EINVAL:
        case ENOTSOCK:
        case EOPNOTSUPP:
        case EFAULT:
        case EAGAIN:
            return -errno;
        default:
            /* The connection's own trouble: it went away, or a network error that
             * accept(2) passes on. */
            break;
        }
    }
    return -EAGAIN;
}
