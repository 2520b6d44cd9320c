/* The service manager's descriptor store (FDSTORE=1 of sd_notify(3)). What was sent is in its
 * queue, whatever becomes of us. */
#pragma once

#include "fiber/fiber.h"

/* Whether there may be one: NOTIFY_SOCKET is set, and $FDSTORE (systemd 254 and later) does not
 * say that it takes none. */
bool fd_store_is_offered(void);

/* Stores @fd as @name, with FDPOLL=0: a pipe whose writers have gone stays until its last lines
 * were read. Sets *@ret_is_absent when nobody serves the socket (a variable that outlived its
 * service manager, as in some containers). Errors: SYSTEM_ERROR, OPERATION_TIMEOUT. */
SUSPENDS bool fd_store_put(const char *name, int fd, bool *ret_is_absent, GError **error);
SUSPENDS bool fd_store_drop(const char *name, GError **error);
