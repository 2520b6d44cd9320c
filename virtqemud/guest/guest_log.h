/* What the daemon writes into a guest's log, beside QEMU: how it was started, and what makes it
 * hard to answer for. */
#pragma once

#include "virtqemud/guest/guest.h"
#include "virtqemud/qemu/command.h"

/* Opens the log, by way of virtlogd if the guest's settings say so, and writes how QEMU will be
 * started; what QEMU says itself follows. Errors: those of log_file.h. */
SUSPENDS bool guest_log_start(Guest *guest, const EmulatorCaps *caps, const QemuCommand *command,
                              GError **error);
/* After a restart of the daemon, of the guest whose process is @pid; where that writes into a pipe,
 * the log is virtlogd's, whatever is on record. A log that cannot be opened is reported and done
 * without. */
void guest_log_find(Guest *guest, pid_t pid);
/* Writes that @guest, which is UP, is tainted now, beside the caller. */
void guest_log_taint_later(Guest *guest, GuestTaint taint);
