/* What the service manager is told, by datagrams to NOTIFY_SOCKET (sd_notify(3)). libsystemd's own
 * call waits, without end, for a manager that does not read; nothing in here ever holds up the loop.
 * A daemon has one Notifier, which dies with its loop; without a NOTIFY_SOCKET it says nothing. */
#pragma once

#include <sys/socket.h>

#include "fiber/fiber.h"

typedef struct Notifier Notifier;

Notifier *notifier_new(FiberLoop *loop);
/* What has not been taken by now is never said. */
void notifier_free(Notifier *notifier);

/* Says @state ("READY=1"), lines in the syntax of sd_notify(3). While the manager's queue is full
 * everything waits in its order; of very much the oldest is dropped, since the newest is what
 * counts. From the loop and from fibers. */
void notifier_say(Notifier *notifier, const char *state);
/* Feeds the manager's watchdog from now on, where it has one for this process (WATCHDOG_USEC). */
void notifier_feed_watchdog(Notifier *notifier);

/* A socket that is connected to NOTIFY_SOCKET, so that waiting for room means the manager's queue;
 * never blocks. To be closed. Negative errno: EINVAL without a usable address. */
int notify_socket_open(void);
/* Waits until @message is in the manager's queue, whatever becomes of us then. Errors:
 * SYSTEM_ERROR, OPERATION_TIMEOUT, OPERATION_ABORTED. */
SUSPENDS bool notify_socket_send(int fd, const struct msghdr *message, uint64_t deadline_us,
                                 GError **error);
/* That the manager cannot be reached. */
bool notify_set_error(int errnum, GError **error);
