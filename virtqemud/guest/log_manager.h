/* virtlogd as its user sees it: it opens log files on our behalf, hands out the pipes that lead
 * into them, and bounds their size. One connection for all guests, made when it is first needed
 * and again after virtlogd was started anew; calls on it do not wait for each other, and each has
 * a deadline, so that a virtlogd that hangs delays only those who need it.
 *
 * Nothing here survives a restart: the pipes are QEMU's and virtlogd's, and paths name the logs. */
#pragma once

#include "base/uuid.h"
#include "common/daemon.h"

typedef struct LogManager LogManager;

/* A place in a log that stays the same when the file is rolled over. */
typedef struct LogPosition {
    uint64_t inode, offset;
} LogPosition;

/* The guest that a log is of. */
typedef struct LogOwner {
    const char *name;
    const Uuid *uuid;
} LogOwner;

LogManager *log_manager_new(Daemon *daemon);
/* No fiber may be in a call. */
void log_manager_free(LogManager *manager);

/* All of these fail with SYSTEM_ERROR naming virtlogd's socket and what to start when it is not
 * there, with OPERATION_TIMEOUT naming virtlogd when it does not answer by @deadline_us, and with
 * what it answers. */

/* The writing end of a pipe into the file at @path, which is made if need be, and emptied first
 * with @is_emptied. Close-on-exec, the caller's; -1 on failure. The file is virtlogd's until the
 * last copy of the descriptor is closed. */
SUSPENDS int log_manager_open(LogManager *manager, const LogOwner *owner, const char *path,
                              bool is_emptied, uint64_t deadline_us, GError **error);
/* Adds @text to the file, whether it is open or not. */
SUSPENDS bool log_manager_append(LogManager *manager, const LogOwner *owner, const char *path,
                                 const char *text, uint64_t deadline_us, GError **error);
/* Where the file ends now. */
SUSPENDS bool log_manager_get_position(LogManager *manager, const char *path,
                                       LogPosition *ret_position, uint64_t deadline_us,
                                       GError **error);
/* What follows @position, @max_bytes of it at most; to be freed. */
SUSPENDS char *log_manager_read(LogManager *manager, const char *path,
                                const LogPosition *position, uint64_t max_bytes,
                                uint64_t deadline_us, GError **error);
