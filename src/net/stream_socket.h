/* A connected byte stream that never blocks: a unix or TCP socket as it is, or TLS on
 * top of one. It moves bytes (and, on unix sockets, descriptors) and decides nothing:
 * when to poll, how much to queue and when to give up is the owner's business. One
 * owner, one thread; nothing is kept across a restart. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Descriptors that one send or receive carries at most. */
#define NET_SOCKET_MAX_FDS 64

typedef struct NetSocket NetSocket;

/* What a kind of stream implements, see the functions of the same names below. Only
 * receive and send must be there. close ends the stream on the wire and frees what the
 * kind has allocated inside the socket; the descriptor is closed after it. */
typedef struct NetSocketOps {
    ssize_t (*receive)(NetSocket *socket, void *buffer, size_t size, int *fds, size_t max_fds,
                       size_t *ret_n_fds);
    ssize_t (*send)(NetSocket *socket, const struct iovec *iov, int n_iov, const int *fds,
                    size_t n_fds);
    void (*close)(NetSocket *socket);
    uint32_t (*wants)(const NetSocket *socket, uint32_t events);
    bool (*has_pending)(const NetSocket *socket);
    const char *(*peer_name)(const NetSocket *socket);
    const char *(*failure)(const NetSocket *socket);
} NetSocketOps;

/* Kinds embed this as their first member; others look at it through the functions. */
struct NetSocket {
    const NetSocketOps *ops;
    int fd;
    bool is_unix;
    bool has_lost_fds;
};

/* Makes a plain stream of the connected socket @fd and owns it from then on; sets it
 * non-blocking and, for TCP, without Nagle's delay and with TCP's own keepalive. Never fails. */
NetSocket *net_socket_new(int fd);
/* The same for a unix socket that does not block: the kernel is asked for nothing. */
NetSocket *net_socket_new_unix(int fd);
/* The same for a kind of stream that embeds the NetSocket it hands in. */
void net_socket_init(NetSocket *socket, const NetSocketOps *ops, int fd);
/* Closes and frees, with g_free(). */
void net_socket_free(NetSocket *socket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetSocket, net_socket_free)

int net_socket_get_fd(const NetSocket *socket);
bool net_socket_is_unix(const NetSocket *socket);

/* Receives up to @size (> 0) bytes. Returns their number, 0 at the end of the stream,
 * -EAGAIN, or another -errno after which only net_socket_free() makes sense.
 * The descriptors that came with these bytes are stored in @fds, close-on-exec, now the
 * caller's, their number in @ret_n_fds (always set). At most one message with
 * descriptors is received per call, and it ends the bytes returned. What the peer sent
 * above @max_fds is closed, see net_socket_has_lost_fds(). @fds may be NULL if
 * @max_fds is 0. */
ssize_t net_socket_receive(NetSocket *socket, void *buffer, size_t size, int *fds, size_t max_fds,
                           size_t *ret_n_fds);

/* Sends what fits of @iov and returns the number of bytes, -EAGAIN when none does, or
 * another -errno. The descriptors (at most NET_SOCKET_MAX_FDS, still the caller's) go
 * with the first byte: all of them when the result is positive, none otherwise. Only
 * unix sockets carry them, elsewhere the result is -EOPNOTSUPP.
 * After -EAGAIN the next send has to begin with the same bytes (a TLS record may be
 * half on its way): a caller may append to its queue, not reorder its head. */
ssize_t net_socket_send(NetSocket *socket, const struct iovec *iov, int n_iov, const int *fds,
                        size_t n_fds);

/* True when bytes can be received that no poll of the descriptor will announce. */
bool net_socket_has_pending(const NetSocket *socket);

/* The events to poll for, for an owner that waits for @wanted (EPOLLIN to receive,
 * EPOLLOUT to send, both or 0). They differ from @wanted while TLS waits for its own
 * messages: then call receive again, whichever of them arrives. */
uint32_t net_socket_get_events(const NetSocket *socket, uint32_t wanted);

/* True once descriptors of the peer were dropped (too many at once, or this process has
 * no room for more): later ones can no longer be told apart. */
bool net_socket_has_lost_fds(const NetSocket *socket);

/* The distinguished name of the peer's verified certificate, NULL without one or
 * before the first received byte. Valid as long as the socket. */
const char *net_socket_get_peer_name(const NetSocket *socket);
/* Why receive or send failed, where the kind knows more than errno says; else NULL. */
const char *net_socket_get_failure(const NetSocket *socket);
