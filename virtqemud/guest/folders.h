/* The two folders of a guest, LIBDIR/domain-ID-NAME and LIBDIR/channel/target/domain-ID-NAME, with its
 * sockets and what QEMU keeps. They belong to QEMU's user, in existing installations LIBDIR does
 * too, and that user may have been taken over by a guest: links are never followed, and what is
 * found in their place is not believed. They go with the guest. */
#pragma once

#include "virtqemud/guest/guest.h"

/* Makes both, anew and empty. Errors: SYSTEM_ERROR naming the folder, OPERATION_FAILED when @guest
 * was ended meanwhile, OPERATION_ABORTED. */
SUSPENDS bool guest_folders_make(const Guest *guest, GError **error);
/* Removes both with all that is in them, as far as it goes; what stays is logged. */
SUSPENDS void guest_folders_remove(Guest *guest);
/* Whether @path, of a status file, can be a guest's folder, or its folder of channels. */
bool guest_folder_is_one(const Driver *driver, const char *path);
bool guest_folder_is_one_of_channels(const Driver *driver, const char *path);
