/* /proc/self/fd/N/NAME is short, whatever the folder is called. */
#include "virtqemud/guest/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

typedef int (*SocketFunc)(int fd, const struct sockaddr *address, socklen_t length);

static int listen_at(int fd, const struct sockaddr *address, socklen_t length)
{
    const struct sockaddr_un *named = (const struct sockaddr_un *)address;

    if (unlink(named->sun_path) < 0 && errno != ENOENT)
        return -1;
    return bind(fd, address, length) < 0 ? -1 : listen(fd, 1);
}

/* What @func does with a new socket, at FOLDER/NAME. */
static int open_at(const char *folder, const char *name, int flags, SocketFunc func,
                   const char *verb, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = folder_fd < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    int status = -1, saved_errno;

    if (fd >= 0) {
        if (snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder_fd,
                     name) >= (int)sizeof(address.sun_path))
            errno = ENAMETOOLONG;
        else
            status = func(fd, (const struct sockaddr *)&address, sizeof(address));
    }
    saved_errno = errno;
    if (folder_fd >= 0)
        close(folder_fd);
    if (status == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    error_set_errno(error, VIR_FROM_QEMU, saved_errno, "Cannot %s the socket %s/%s", verb, folder,
                    name);
    return -1;
}

int guest_socket_listen(const char *folder, const char *name, GError **error)
{
    return open_at(folder, name, 0, listen_at, "listen on", error);
}

int guest_socket_connect(const char *folder, const char *name, GError **error)
{
    return open_at(folder, name, SOCK_NONBLOCK, connect, "connect to", error);
}

int guest_socket_listen_path(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);

    return guest_socket_listen(folder, name, error);
}

int guest_socket_connect_path(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);

    return guest_socket_connect(folder, name, error);
}
