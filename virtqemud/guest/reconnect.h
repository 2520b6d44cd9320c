/* Finding the guests again that ran when the daemon ended. */
#pragma once

#include "virtqemud/driver.h"

/* When it returns every guest on record is in the store again, in the state that it had; QEMU
 * is asked for the truth by fibers that go on. Errors: SYSTEM_ERROR for a folder that cannot be
 * read; a record that is broken is reported and left alone. */
bool guests_reconnect(Driver *driver, GError **error);
