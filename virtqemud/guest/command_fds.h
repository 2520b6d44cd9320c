/* The descriptors that QEMU inherits: opened before it starts, so that it needs no right to do it
 * itself. */
#pragma once

#include "virtqemud/guest/guest.h"
#include "virtqemud/qemu/command.h"

/* Opens all that @command asks for and appends them to @fds (of GuestProcessFd), which has those
 * that were opened also on failure: they are the caller's to close. Files are opened by way of
 * virtlogd if the guest's logs are. Errors: SYSTEM_ERROR naming the file, those of virtlogd. */
SUSPENDS bool command_fds_open(Guest *guest, const QemuCommand *command, GArray *fds,
                               GError **error);
