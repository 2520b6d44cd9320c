/* All logs that are open, by path; the driver's data of virtlogd. What outlives the daemon is in
 * state.h, and in the kept descriptors. */
#pragma once

#include "common/daemon.h"
#include "virtlogd/guest_log.h"

typedef struct Logs Logs;

/* Where something is in a log: see log_reader.h. */
typedef struct LogPosition {
    uint64_t inode, offset;
} LogPosition;

typedef struct LogOwner {
    const char *driver, *domain;
    Uuid uuid;
} LogOwner;

/* A DaemonSpec's functions. Start finds what a former daemon had open. */
SUSPENDS bool logs_start(Daemon *daemon, void **ret_logs, GError **error);
void logs_stop(Daemon *daemon, void *logs);
bool logs_is_busy(Daemon *daemon, void *logs);
bool logs_reload(Daemon *daemon, void *logs, GError **error);
bool logs_may_reexecute(Daemon *daemon, void *logs, GError **error);
void logs_print_stats(Daemon *daemon, void *logs);

/* All paths are absolute. Errors: SYSTEM_ERROR naming the path, OPERATION_TIMEOUT when its file
 * system does not answer. */

/* Opens the log, and sets @ret_position to its end and @ret_write_fd (the caller's) to the
 * guest's end of the pipe. Error SYSTEM_ERROR (EBUSY) while somebody else still can write to it;
 * a log whose writers have gone is ended first. */
SUSPENDS bool logs_open(Logs *logs, const char *path, const LogOwner *owner, bool truncate,
                        LogPosition *ret_position, int *ret_write_fd, GError **error);
/* Those three see everything that was written to the pipe before. */
SUSPENDS bool logs_append(Logs *logs, const char *path, const char *text, GError **error);
/* Error INTERNAL_ERROR when it is not open. */
SUSPENDS bool logs_get_position(Logs *logs, const char *path, LogPosition *ret_position,
                                GError **error);
/* @ret_text is to be freed; a zero byte in it stands as a question mark. Error SYSTEM_ERROR
 * (EBADF) when no file of the log has the position's inode. */
SUSPENDS bool logs_read(Logs *logs, const char *path, const LogPosition *from, size_t max,
                        char **ret_text, GError **error);
