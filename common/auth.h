/* Authentication of clients by polkit: may this process use the daemon to look
 * (org.libvirt.unix.monitor, read-only sockets) or to change things
 * (org.libvirt.unix.manage)? The answer may take as long as a person needs to type. */
#pragma once

#include "common/client.h"
#include "fiber/fiber.h"

/* Asks polkit over the system bus. Success: the client is allowed. Errors: AUTH_FAILED
 * when it is not, AUTH_UNAVAILABLE when there is no bus, no polkit or no agent,
 * AUTH_CANCELLED when the person gave up. */
SUSPENDS bool auth_polkit_check(Client *client, GError **error);
/* Whether this build can ask polkit, and whether there is a system bus to ask it over: both decide
 * the default of auth_unix_*. */
bool auth_polkit_is_known(void);
bool auth_polkit_is_there(void);
/* Ends all checks under way: the daemon has no time for people any more. */
void auth_polkit_cancel(Daemon *daemon);
/* Frees the bus connection, if there is one. */
void auth_polkit_disconnect(Daemon *daemon);
