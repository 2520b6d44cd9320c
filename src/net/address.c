/* Addresses of sockets: as text for people, from names and ports, and unix paths that are
 * longer than a socket address can hold. */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* The kernel need not end the path with a NUL: @length counts. */
static char *unix_address_format(const struct sockaddr_un *address, socklen_t length)
{
    size_t size = length > offsetof(struct sockaddr_un, sun_path)
                      ? length - offsetof(struct sockaddr_un, sun_path)
                      : 0;

    if (size == 0)
        return g_strdup("");
    if (address->sun_path[0])
        return g_strndup(address->sun_path, size);
    /* Abstract names may hold any byte, and this is for people. */
    g_autofree char *name = g_strndup(address->sun_path + 1, size - 1);
    return g_strconcat("@", name, NULL);
}

char *net_address_format(const struct sockaddr *address, socklen_t length)
{
    char host[INET6_ADDRSTRLEN];

    if (address->sa_family == AF_UNIX)
        return unix_address_format((const void *)address, length);
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        return g_strdup_printf("%s:%u", host, ntohs(in->sin_port));
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        return g_strdup_printf("[%s]:%u", host, ntohs(in6->sin6_port));
    }
    return g_strdup_printf("address family %u", address->sa_family);
}

char *net_address_local(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return NULL;
    return net_address_format((struct sockaddr *)&address, length);
}

char *net_address_peer(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof(address);

    if (getpeername(fd, (struct sockaddr *)&address, &length) < 0)
        return NULL;
    return net_address_format((struct sockaddr *)&address, length);
}

/* getaddrinfo() takes any number and uses its low 16 bits. */
static bool port_is_valid(const char *port)
{
    guint64 number;

    if (!g_ascii_isdigit(port[0]))
        return port[0] != '\0';
    return g_ascii_string_to_unsigned(port, 10, 0, G_MAXUINT16, &number, NULL);
}

/* Blocks while a name server is asked: only numbers, or a thread. */
struct addrinfo *net_address_resolve(const char *host, const char *port, int flags, GError **error)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = flags };
    struct addrinfo *found = NULL;

    if (!port_is_valid(port)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INVALID_ARG, "'%s' is not a port", port);
        return NULL;
    }
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR, "cannot resolve %s port %s: %s",
                  host ? host : "*", port, rc == EAI_SYSTEM ? g_strerror(errno) : gai_strerror(rc));
        return NULL;
    }
    return found;
}

/* Rewrites a long path to one that goes through a descriptor of its folder. */
static char *path_through_folder(const char *path, int *ret_folder_fd, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (folder_fd < 0) {
        int reason = errno;
        error_set_errno(error, VIR_FROM_RPC, reason, "cannot open folder %s of socket %s", folder,
                        name);
        errno = reason;
        return NULL;
    }
    g_autofree char *short_path = g_strdup_printf("/proc/self/fd/%d/%s", folder_fd, name);
    if (strlen(short_path) > NET_UNIX_PATH_MAX) {
        close(folder_fd);
        error_set_errno(
            error, VIR_FROM_RPC, ENAMETOOLONG,
            "path of socket %s has %zu bytes and its last part %zu, a socket's path may have %d",
            path, strlen(path), strlen(name), NET_UNIX_PATH_MAX);
        errno = ENAMETOOLONG;
        return NULL;
    }
    *ret_folder_fd = folder_fd;
    return g_steal_pointer(&short_path);
}

bool net_unix_address_init(NetUnixAddress *ret_address, const char *path, GError **error)
{
    NetUnixAddress result = { .address = { .sun_family = AF_UNIX }, .folder_fd = -1 };
    g_autofree char *short_path = NULL;

    /* To the kernel it would be a request for a name of its own choice. */
    if (!path[0]) {
        error_set_errno(error, VIR_FROM_RPC, EINVAL, "a socket's path cannot be empty");
        errno = EINVAL;
        return false;
    }
    if (strlen(path) > NET_UNIX_PATH_MAX) {
        short_path = path_through_folder(path, &result.folder_fd, error);
        if (!short_path)
            return false;
        path = short_path;
    }
    g_strlcpy(result.address.sun_path, path, sizeof(result.address.sun_path));
    result.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    *ret_address = result;
    return true;
}

void net_unix_address_clear(NetUnixAddress *address)
{
    if (address->folder_fd >= 0)
        close(address->folder_fd);
    address->folder_fd = -1;
}
