/* Socket addresses: as text for people, and unix paths of any length for the kernel. */
#pragma once

#include <glib.h>
#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* What sun_path holds besides its final zero. */
#define NET_UNIX_PATH_MAX 107

/* The address as text, to be freed: a unix path, "@name" for an abstract one, "" for an
 * unnamed one; "127.0.0.1:16509" or "[::1]:16509" for TCP, the form of the admin
 * interface's "sock_addr" (libvirt-admin.h, VIR_CLIENT_INFO_SOCKET_ADDR). */
char *net_address_format(const struct sockaddr *address, socklen_t length);
/* Of the local and of the remote end of a socket; NULL when it has none. */
char *net_address_local(int fd);
char *net_address_peer(int fd);

/* What getaddrinfo(3) finds for stream sockets of @host (NULL: this host) and @port, a
 * number or a service name, with @flags (AI_…); to be freed with freeaddrinfo().
 * Blocks. Errors: SYSTEM_ERROR naming both. */
struct addrinfo *net_address_resolve(const char *host, const char *port, int flags, GError **error);

/* An address of @path for bind() and connect(). A path over NET_UNIX_PATH_MAX bytes is
 * reached through a descriptor of its folder, which has to stay open for the call. */
typedef struct NetUnixAddress {
    struct sockaddr_un address;
    socklen_t length;
    int folder_fd; /* -1: not needed */
} NetUnixAddress;

/* Errors: SYSTEM_ERROR (ENAMETOOLONG) when the last component alone is too long, and
 * what opening the folder says; errno holds the reason as well. */
bool net_unix_address_init(NetUnixAddress *ret_address, const char *path, GError **error);
void net_unix_address_clear(NetUnixAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NetUnixAddress, net_unix_address_clear)
