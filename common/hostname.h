/* The host's name as CONNECT_GET_HOSTNAME gives it: fully qualified when the resolver
 * knows more than the kernel. What the resolver said is kept for a minute; nothing
 * survives a restart. */
#pragma once

#include "fiber/fiber.h"

typedef struct Daemon Daemon;

/* To be freed. Resolving may wait for a name server; after two seconds the kernel's name
 * is good enough, and nobody waits any more for that look-up.
 * Errors: SYSTEM_ERROR when the kernel has no name. */
SUSPENDS char *hostname_get(Daemon *daemon, GError **error);
/* Forgets what the resolver said. A look-up under way goes on, for nobody. */
void hostname_forget(Daemon *daemon);
