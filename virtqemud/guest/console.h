/* Consoles and channels of a guest as streams: what the guest writes goes to the client, what the
 * client sends to the guest. A device is open once: a second client is refused, or takes it over
 * by force. */
#pragma once

#include "virtqemud/guest/guest.h"

/* Of a guest: which of its devices are open. */
GHashTable *console_table_new(void);

/* Makes @call's stream one of @chardev. @force ends the session of somebody else.
 * Errors: OPERATION_INVALID for a kind of device that cannot be opened, OPERATION_FAILED when it
 * is open, SYSTEM_ERROR. */
bool console_open(Call *call, Guest *guest, const ChardevDef *chardev, bool force, GError **error);
