/* Connecting to other daemons, from a fiber, within a deadline (fiber.h). */
#pragma once

#include "fiber/fiber.h"
#include "net/stream_socket.h"

/* Connects to the unix socket @path. While the listener's queue is full it tries again
 * until @deadline_us. Errors: SYSTEM_ERROR naming path and reason, and OPERATION_TIMEOUT,
 * OPERATION_ABORTED; errno then holds the reason too, for a caller that acts on it:
 * ENOENT and ECONNREFUSED (nobody serves it), EACCES, ETIMEDOUT, ECANCELED. */
SUSPENDS NetSocket *net_connect_unix(const char *path, uint64_t deadline_us, GError **error);

/* Connects to @host (a name or an address) and @port, trying each address that the name
 * has until one answers. Resolving the name is not cut short by @deadline_us. Errors as
 * above, those of the last address tried; errno is EHOSTUNREACH for an unknown name. */
SUSPENDS NetSocket *net_connect_tcp(const char *host, const char *port, uint64_t deadline_us,
                                    GError **error);
