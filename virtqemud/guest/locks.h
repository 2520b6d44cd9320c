/* When a guest has its locks: from before its processors run until they stand still, so that a
 * paused guest can go on elsewhere, and never longer than its process. Which locks those are is
 * found out at the start and kept in the status file. */
#pragma once

#include "virtqemud/guest/guest.h"
#include "virtqemud/lock/lock_manager.h"

/* Finds out what @guest needs. Errors: those of the lock manager. */
bool guest_locks_prepare(Guest *guest, GError **error);
/* Adds to @fds (of GuestProcessFd, the caller's to close) the connection that the guest's process
 * makes to the lock manager, if it wants one. Errors: those of the lock manager when nobody
 * listens there. */
SUSPENDS bool guest_locks_add_socket(Guest *guest, GArray *fds, GError **error);
/* The process exists, and has connected itself. */
SUSPENDS bool guest_locks_enter(Guest *guest, const GArray *fds, GError **error);
/* Locks all of it, unless that is so already: to be called before processors run for the first
 * time. Errors: RESOURCE_BUSY naming disk, lock space and holder; those of the lock manager. */
SUSPENDS bool guest_locks_take(Guest *guest, GError **error);
/* The same before processors run again; when it succeeds the second has to follow, which gives
 * everything back if they do not run. */
SUSPENDS bool guest_locks_begin_resume(Guest *guest, GError **error);
SUSPENDS void guest_locks_end_resume(Guest *guest);
/* Gives all of it back, unless that is so already. What cannot be given back is logged. */
SUSPENDS void guest_locks_give(Guest *guest);
SUSPENDS void guest_locks_give_if_paused(Guest *guest);
/* The same beside the caller, which may be the loop, unless the guest runs again by then. */
void guest_locks_give_later(Guest *guest);
/* QEMU runs again, and nobody of ours has told it to: what is not locked is locked, or the guest
 * is paused. */
void guest_locks_take_later(Guest *guest);
/* A running guest of another daemon: its locks are those that it would have been given here, and are
 * taken for held while it runs. */
void guest_locks_adopt(Guest *guest);
/* After a restart of the daemon, when QEMU has told whether the guest runs: makes sure that it has
 * its locks, or that it has none. A guest that cannot get what it must have is dealt with as its
 * definition says (on_lockfailure). */
SUSPENDS void guest_locks_verify(Guest *guest);
