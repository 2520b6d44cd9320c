/* Keeps the table of devices as the kernel has them, and tells who listens. The truth is what the
 * kernel's files say when they are read; its events only say where to read. A device that has
 * come and gone before it could be read was never there.
 *
 * Looks take turns, whether at one device, at those of some events, or at all: what an older look
 * has seen never comes to the table after what a newer one has. */
#pragma once

#include "virtnodedevd/driver.h"

/* Compares all that there is from now on with the table. What events have said before counts no
 * more. Those who ask while such a look is under way share the one after it. */
SUSPENDS bool changes_look_at_all(Driver *driver, GError **error);
/* The same for one path, whose event may be on its way. */
SUSPENDS bool changes_look_at(Driver *driver, const char *path, GError **error);
/* Starts to follow the events, until the daemon ends. */
bool changes_follow(Driver *driver, GError **error);
