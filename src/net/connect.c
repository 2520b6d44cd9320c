#include "net/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/offload.h"
#include "net/address.h"

/* A full queue has no event to wait for; the pause grows from the first to the second. */
#define RETRY_FIRST_US 1000
#define RETRY_MAX_US 50000

/* The errno that stands for a wait's error. */
static int wait_reason(const GError *error)
{
    return error->code == VIR_ERR_OPERATION_TIMEOUT ? ETIMEDOUT : ECANCELED;
}

/* Prefixes a wait's error with what it was for. */
static int wait_failed(GError *wait_error, const char *target, GError **error)
{
    int reason = wait_reason(wait_error);

    error_set(error, VIR_FROM_RPC, wait_error->code, "cannot connect to %s: %s", target,
              error_detail(wait_error));
    g_error_free(wait_error);
    return reason;
}

static int connect_failed(int reason, const char *target, GError **error)
{
    error_set_errno(error, VIR_FROM_RPC, reason, "cannot connect to %s", target);
    return reason;
}

/* Sleeps between two attempts, never past the deadline. */
SUSPENDS static bool retry_pause(uint64_t *pause_us, uint64_t deadline_us, GError **error)
{
    uint64_t now_us = fiber_now_us();

    if (now_us >= deadline_us) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_TIMEOUT,
                  "its queue of connections is full");
        return false;
    }
    uint64_t duration_us = MIN(*pause_us, deadline_us - now_us);
    *pause_us = MIN(*pause_us * 2, RETRY_MAX_US);
    return fiber_sleep(duration_us, error);
}

/* Returns 0 or the reason. */
SUSPENDS static int unix_connect(int fd, const NetUnixAddress *address, const char *path,
                                 uint64_t deadline_us, GError **error)
{
    uint64_t pause_us = RETRY_FIRST_US;

    while (connect(fd, (const struct sockaddr *)&address->address, address->length) < 0) {
        GError *wait_error = NULL;
        if (errno != EAGAIN)
            return connect_failed(errno, path, error);
        if (!retry_pause(&pause_us, deadline_us, &wait_error))
            return wait_failed(wait_error, path, error);
    }
    return 0;
}

NetSocket *net_connect_unix(const char *path, uint64_t deadline_us, GError **error)
{
    g_auto(NetUnixAddress) address = { .folder_fd = -1 };

    if (!net_unix_address_init(&address, path, error))
        return NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int reason = fd < 0 ? connect_failed(errno, path, error)
                        : unix_connect(fd, &address, path, deadline_us, error);
    if (reason == 0)
        return net_socket_new(fd);
    if (fd >= 0)
        close(fd);
    errno = reason;
    return NULL;
}

typedef struct Resolution {
    const char *host;
    const char *port;
    struct addrinfo *found;
} Resolution;

static bool resolve_in_thread(void *data, GError **error)
{
    Resolution *resolution = data;

    resolution->found =
        net_address_resolve(resolution->host, resolution->port, AI_ADDRCONFIG, error);
    return resolution->found != NULL;
}

/* Returns 0 and the descriptor, or the reason. */
SUSPENDS static int tcp_connect(const struct addrinfo *info, uint64_t deadline_us, int *ret_fd,
                                GError **error)
{
    g_autofree char *target = net_address_format(info->ai_addr, info->ai_addrlen);
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    int reason = 0;
    socklen_t length = sizeof(reason);
    GError *wait_error = NULL;

    if (fd < 0)
        return connect_failed(errno, target, error);
    if (connect(fd, info->ai_addr, info->ai_addrlen) < 0 && errno != EINPROGRESS)
        reason = connect_failed(errno, target, error);
    else if (!fiber_wait_fd(fd, EPOLLOUT, deadline_us, NULL, &wait_error))
        reason = wait_failed(wait_error, target, error);
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length) < 0 || reason != 0)
        reason = connect_failed(reason ? reason : errno, target, error);
    if (reason == 0)
        *ret_fd = fd;
    else
        close(fd);
    return reason;
}

NetSocket *net_connect_tcp(const char *host, const char *port, uint64_t deadline_us, GError **error)
{
    Resolution resolution = { .host = host, .port = port };

    if (!fiber_offload(resolve_in_thread, &resolution, error)) {
        errno = EHOSTUNREACH;
        return NULL;
    }
    int fd = -1;
    int reason = EHOSTUNREACH;
    for (const struct addrinfo *info = resolution.found; info; info = info->ai_next) {
        g_clear_error(error);
        reason = tcp_connect(info, deadline_us, &fd, error);
        /* Out of time, or no longer wanted: the other addresses would be no better. */
        if (reason == 0 || reason == ECANCELED || fiber_now_us() >= deadline_us)
            break;
    }
    freeaddrinfo(resolution.found);
    if (reason == 0)
        return net_socket_new(fd);
    errno = reason;
    return NULL;
}
