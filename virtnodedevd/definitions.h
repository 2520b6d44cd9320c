/* Keeps what mediated devices are defined as in step with mdevctl, whoever has used it: its folder
 * is watched, and its list is taken anew when something is written there. Devices that are defined
 * are in the table even while they are not active. */
#pragma once

#include "virtnodedevd/driver.h"

void definitions_open(Driver *driver);
void definitions_close(Driver *driver);
/* Takes mdevctl's list and tells who listens what is new, gone or changed. Waits for its turn.
 * Errors: those of mdevctl. */
SUSPENDS bool definitions_refresh(Driver *driver, GError **error);
/* Takes the first list, and starts to follow what others do, until the daemon ends. */
SUSPENDS bool definitions_follow(Driver *driver, GError **error);
