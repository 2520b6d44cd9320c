/* A listening stream socket: a unix path, a TCP address, or one that the service manager
 * made. Exposes its descriptor for an event loop and hands out connected sockets; how
 * many clients may be there is the owner's decision. One owner, one thread. A unix path
 * is removed with the listener that made it, an inherited one stays. */
#pragma once

#include "net/stream_socket.h"

typedef struct NetListener NetListener;

typedef struct NetUnixOptions {
    mode_t mode;
    uid_t uid;   /* (uid_t)-1: as it is */
    gid_t gid;   /* (gid_t)-1: as it is */
    int backlog; /* connections waiting to be accepted; 0: what the kernel allows */
} NetUnixOptions;

/* Listens at @path. A socket file that nobody listens at any more is replaced; two
 * processes that do this at the same time exclude each other with a lock file beside it
 * for that moment. Waits for that lock, for at most a second: call it at start.
 * Errors: SYSTEM_ERROR naming the path, with EADDRINUSE when somebody listens there. */
NetListener *net_listener_new_unix(const char *path, const NetUnixOptions *options, GError **error);

/* Listens at every address that @host (NULL or "": all of this host) and @port (number
 * or service name) stand for, and appends a listener for each to @listeners; none on
 * failure. An address family that this host lacks is left out as long as another is
 * there. May wait for name resolution: call it at start. */
bool net_listener_add_tcp(GPtrArray *listeners, const char *host, const char *port, int backlog,
                          GError **error);

/* Takes over @fd, a listening stream socket, on success. */
NetListener *net_listener_new_inherited(int fd, GError **error);

/* Whether the socket file is the listener's to remove. One that was inherited from a former
 * execution of the same daemon claims it: false when there is no socket at its path. */
bool net_listener_owns_path(const NetListener *listener);
bool net_listener_claim_path(NetListener *listener);
/* Gives it what a new one at its path, with @options, would have. It listens all the time.
 * Errors: SYSTEM_ERROR naming the path. */
bool net_listener_set_options(NetListener *listener, const NetUnixOptions *options, GError **error);

/* Removes the socket file that the listener made: nobody new finds it or can connect, what
 * has connected is still accepted. Then it is of no further use, and to be freed soon: its
 * descriptor is readable for ever. */
void net_listener_unlink(NetListener *listener);
void net_listener_free(NetListener *listener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetListener, net_listener_free)

/* Readable when net_listener_accept() has something to do. */
int net_listener_get_fd(const NetListener *listener);
/* "/run/…" or "127.0.0.1:16509". */
const char *net_listener_get_address(const NetListener *listener);
bool net_listener_is_unix(const NetListener *listener);

/* Makes another kind of stream of an accepted descriptor, which it takes over. */
typedef NetSocket *(*NetWrapFunc)(int fd, void *data);
/* Accepted sockets become what @wrap makes of them; NULL: plain streams. */
void net_listener_set_wrap(NetListener *listener, NetWrapFunc wrap, void *data);

/* Accepts one connection into @ret_socket and returns 0, or -EAGAIN when none waits.
 * Without descriptors or memory left it returns -EMFILE, -ENFILE, -ENOBUFS or -ENOMEM;
 * a waiting client has then been disconnected with the descriptor kept for this if at
 * all possible. After these, wait a moment before the next attempt (NET_LISTENER_PAUSE_US):
 * the listener may still be readable. */
int net_listener_accept(NetListener *listener, NetSocket **ret_socket);
#define NET_LISTENER_PAUSE_US 100000
