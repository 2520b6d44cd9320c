/* Starting the domains that start with the host: once after each boot, however often the daemon
 * is started. That it has been done is a file in /run/libvirt/qemu. */
#pragma once

#include "virtqemud/driver.h"

/* In a fiber of its own, one domain after the other. */
void autostart_later(Driver *driver);
