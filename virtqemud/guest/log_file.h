/* A guest's log: LOGDIR/qemu/NAME.log, where existing installations have it. It tells with which
 * command line QEMU was started and how it ended; between the two, QEMU writes what it has
 * to say. Either the file is opened here (it belongs to the daemon's user, 0600, is only ever
 * appended to, and QEMU gets it as a descriptor), or it is virtlogd's, which bounds its size: then
 * QEMU gets a pipe, and what is said here are calls. Which of the two is fixed when QEMU starts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "common/paths.h"
#include "virtqemud/guest/log_manager.h"

typedef struct LogFile LogFile;

/* What the first line of a start says. Strings may be NULL. */
typedef struct LogFileStart {
    const char *emulator_version; /* "7.2.22Debian 1:7.2+dfsg-7" */
    const char *hostname;
    const char *const *envp; /* NULL-terminated, as QEMU gets them */
    const char *const *argv;
} LogFileStart;

/* The path of the log of guest @name; to be freed. Errors: INVALID_ARG for a name that is no
 * file name. */
char *log_file_path(const Paths *paths, const char *name, GError **error);
/* Opens the log of guest @name, and makes it and its folder if they are missing.
 * Errors: SYSTEM_ERROR, INVALID_ARG. */
LogFile *log_file_open(const Paths *paths, const char *name, GError **error);
/* The same through virtlogd, whose errors name it. */
SUSPENDS LogFile *log_file_open_managed(LogManager *manager, const Paths *paths,
                                        const LogOwner *owner, GError **error);
/* The log of a guest that was found again, whose QEMU has the pipe: virtlogd is not asked. */
LogFile *log_file_find_managed(LogManager *manager, const Paths *paths, const LogOwner *owner,
                               GError **error);
void log_file_free(LogFile *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogFile, log_file_free)

/* Removes the log of guest @name; one that does not exist is no error. */
void log_file_remove(const Paths *paths, const char *name);

/* For QEMU's standard output and error: opened to append. Owned by @log. */
int log_file_get_fd(const LogFile *log);

/* All that writes or reads may wait for virtlogd, briefly. */

/* Writes the line "starting up ..." and the command, ready to be pasted into a shell. */
SUSPENDS bool log_file_write_start(LogFile *log, const LogFileStart *start, GError **error);
/* Writes a line of our own, with the time before it. */
SUSPENDS bool log_file_write_line(LogFile *log, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* "shutting down, reason=REASON": "shutdown", "destroyed", "crashed", "failed", … QEMU, which has
 * ended, has had its say before. */
SUSPENDS bool log_file_write_end(LogFile *log, const char *reason, GError **error);

/* What follows are QEMU's own words. */
SUSPENDS bool log_file_mark(LogFile *log, GError **error);
/* The last lines that QEMU wrote behind the mark, for a message: at most @max_bytes, valid
 * UTF-8 without control characters other than line ends, none at its end, without our own lines.
 * "" when there are none or they cannot be read; to be freed. */
SUSPENDS char *log_file_last_words(const LogFile *log, size_t max_bytes);
