/* The facts about locks that a restart needs, in one JSON file (virtlockd-locks.json in the
 * daemon's folder below /run, gone with a reboot like the locks):
 *
 *   version     1
 *   lockspaces  array of the paths of lock spaces, without the direct one
 *   locks       array of objects:
 *     id          number, never used again; begins the name of the kept descriptor
 *     lockspace   path of its lock space, "" for the direct one
 *     resource    name in there
 *     shared      true or false
 *     ownsFile    whether the file is removed with the last lock on it
 *     owner       object: uuid, name and id of the guest, pid of its process, startTime of that
 *                 (field 22 of /proc/PID/stat; 1 when it is in another pid namespace)
 *
 * Paths and names are any bytes: '%' and what is no printable ASCII or UTF-8 is written as %XX.
 * The descriptors are kept by others (common/kept_fds.h), each under a name that says as much as a
 * lock needs to be held on without this file: id, pid and startTime in hexadecimal. */
#pragma once

#include "virtlockd/lock_table.h"

/* An entry of "locks"; to be freed. */
char *lock_state_format_lock(const Lock *lock);
/* The file; to be freed. */
char *lock_state_format(const LockTable *table);
/* Adds what the file says to the empty @table; the locks have no descriptors. On failure the
 * table is good for nothing. Errors: INTERNAL_ERROR. */
bool lock_state_parse(const char *text, size_t length, LockTable *table, GError **error);

/* The name of the descriptor; to be freed. */
char *lock_state_kept_name(const Lock *lock);
/* What such a name says. */
bool lock_state_parse_kept_name(const char *name, uint64_t *ret_id, pid_t *ret_pid,
                                uint64_t *ret_start_time);
