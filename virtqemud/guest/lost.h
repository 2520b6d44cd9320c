/* Guests that run although their state file cannot be read (truncated, emptied, another's, gone).
 * Their process has the pid file, and says of itself what is needed to go on: which guest it is,
 * its folder with the monitor, and where there is no definition what the guest is made of.
 * Nothing of this is kept: a guest that was found has a state file again. */
#pragma once

#include "virtqemud/guest/status.h"

/* Whether the process @pid is QEMU with the guest @name. @ret_start_time guards against a reused
 * number from then on. */
bool lost_process_is_guest(pid_t pid, const char *name, uint64_t *ret_start_time);
/* The process that RUN/NAME.pid names, if it is QEMU with that guest; else 0. */
pid_t lost_guest_find(const Driver *driver, const char *name, uint64_t *ret_start_time);
/* What the state file of @name would say, in parts by guess: running, with its persistent
 * definition (which may have been changed since), or with one of what the process tells. False
 * when no such process runs, without an error, or when it says too little. */
bool lost_guest_recover(Driver *driver, const char *name, GuestStatus *ret_status,
                        GError **error);
/* Whether @domain, which has no guest, may be started. Errors: OPERATION_FAILED naming the process
 * that still runs, and the file. */
bool lost_guest_check_start(const Driver *driver, const Domain *domain, GError **error);
