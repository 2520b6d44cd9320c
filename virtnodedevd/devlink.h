/* What the kernel's devlink interface tells of network cards that have a switch inside (kernel:
 * Documentation/networking/devlink, uapi/linux/devlink.h; genetlink: uapi/linux/genetlink.h). */
#pragma once

#include <stdbool.h>

/* A socket for questions, in this network namespace; -1 when there is none. */
int devlink_open(void);
/* Whether the switch inside the device @name on @bus ("0000:03:00.0" on "pci") is in the mode
 * "switchdev", in which it forwards by the kernel's rules. False when nothing is known of it. The
 * answer of the kernel comes before the call returns that asks. */
bool devlink_is_switchdev(int fd, const char *bus, const char *name);
