/* How the makers of listeners (listener_unix.c, listener_tcp.c, activation.c) build them. */
#pragma once

#include "net/listener.h"

/* @fd is listening, non-blocking and close-on-exec, and is taken over; never fails. */
NetListener *net_listener_wrap_fd(int fd, const char *address, bool is_unix);
/* The socket file to remove at the end, if it still is this one. */
void net_listener_own_path(NetListener *listener, const char *path, dev_t dev, ino_t ino);
/* Checks that @fd is a listening stream socket, unix or TCP. @ret_family may be NULL. */
bool net_listener_check_fd(int fd, int *ret_family, GError **error);
