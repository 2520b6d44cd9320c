/* Starting the domains that start with the host: once after each boot, however often the daemon
 * is started. How far that has come is a file in /run/libvirt/qemu, so that the next daemon goes on
 * where one was stopped or killed: it is empty when all of it is done, else it names those that have
 * had their turn. */
#pragma once

#include "virtqemud/driver.h"

/* In a fiber of its own, one domain after the other. */
void autostart_later(Driver *driver);
