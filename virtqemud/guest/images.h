/* The images of a guest's disks around its life: the chain of each is found out before QEMU is
 * told of it, QEMU's user is given access, and both are undone at the end. */
#pragma once

#include "virtqemud/guest/guest.h"

/* Completes the sources of guest->def: backing chains, numbers and names of nodes. Disks whose
 * start-up policy allows it are left out when their image is not there. May wait for a remote
 * file system, in a process that can be abandoned. Errors: SYSTEM_ERROR naming the image. */
SUSPENDS bool guest_images_prepare(Guest *guest, GError **error);
/* Gives back what was taken, by this daemon or the one before, one of whose workers may still be at
 * what it was told to do: its record is waited for. Also after a prepare that failed or never ran. */
SUSPENDS void guest_images_release(Guest *guest);
/* The record of what was taken goes, with the other files of a guest that has ended. */
void guest_images_forget(const Guest *guest);
/* For a guest that an existing daemon has started: records what that has taken. */
void guest_images_adopt(const Guest *guest);
