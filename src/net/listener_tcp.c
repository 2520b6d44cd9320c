#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "net/address.h"
#include "net/listener_private.h"

/* Returns a listening descriptor, or -1 with errno set. */
static int tcp_listen(const struct addrinfo *info, int backlog)
{
    int enable = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

    if (fd < 0)
        return -1;
    /* Connections of an earlier run that still linger do not keep the port. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &enable, sizeof(enable));
    /* The IPv4 wildcard is a listener of its own. */
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &enable, sizeof(enable));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
        listen(fd, backlog > 0 ? backlog : SOMAXCONN) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* A family that the kernel lacks, or has no addresses of. */
static bool is_missing_family(int reason)
{
    return reason == EAFNOSUPPORT || reason == EADDRNOTAVAIL;
}

/* The same address again, as a hosts file with two names for it gives. */
static bool is_repeated(const struct addrinfo *first, const struct addrinfo *info)
{
    for (; first != info; first = first->ai_next) {
        if (first->ai_addrlen == info->ai_addrlen &&
            memcmp(first->ai_addr, info->ai_addr, info->ai_addrlen) == 0)
            return true;
    }
    return false;
}

bool net_listener_add_tcp(GPtrArray *listeners, const char *host, const char *port, int backlog,
                          GError **error)
{
    const char *name = host && host[0] ? host : NULL;
    struct addrinfo *found = net_address_resolve(name, port, AI_PASSIVE, error);

    if (!found)
        return false;
    guint n_before = listeners->len;
    int missing_reason = 0;
    for (const struct addrinfo *info = found; info; info = info->ai_next) {
        if (is_repeated(found, info))
            continue;
        int fd = tcp_listen(info, backlog);
        if (fd >= 0) {
            g_autofree char *address = net_address_local(fd);
            g_ptr_array_add(listeners, net_listener_wrap_fd(fd, address, false));
            continue;
        }
        int reason = errno;
        if (is_missing_family(reason)) {
            missing_reason = reason;
            continue;
        }
        g_autofree char *address = net_address_format(info->ai_addr, info->ai_addrlen);
        error_set_errno(error, VIR_FROM_RPC, reason, "cannot listen at %s", address);
        freeaddrinfo(found);
        g_ptr_array_set_size(listeners, (gint)n_before);
        return false;
    }
    freeaddrinfo(found);
    if (listeners->len == n_before) {
        error_set_errno(error, VIR_FROM_RPC, missing_reason, "cannot listen at %s port %s",
                        name ? name : "*", port);
        return false;
    }
    return true;
}
