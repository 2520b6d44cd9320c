/* What becomes of guests when the host shuts down: qemu.conf's auto_shutdown_* keys. logind tells
 * of a shutdown, and waits some seconds for whoever holds a delay lock; what takes longer goes on
 * until the service manager's own deadline, since it stops the daemon before it stops guests.
 * Where there is no logind, the service manager's order to stop is looked at: a daemon that is
 * only restarted leaves guests alone.
 *
 * What survives is that a domain is to be started again with the host (definitions.h). */
#pragma once

#include "common/daemon.h"
#include "fiber/fiber.h"

typedef struct Driver Driver;
typedef struct HostShutdown HostShutdown;

/* Does nothing yet. @driver stays the caller's. */
HostShutdown *host_shutdown_new(Driver *driver);
void host_shutdown_free(HostShutdown *shutdown);
/* After each load of the configuration: listens to logind, and holds its lock, if the settings
 * want anything at all to be done. Beside the caller. */
void host_shutdown_watch(HostShutdown *shutdown);
/* For DaemonSpec.before_stop: when the host shuts down, ends guests as the settings want it. */
SUSPENDS void host_shutdown_before_stop(Daemon *daemon, void *driver);
