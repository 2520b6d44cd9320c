/* One log on disk: the file that is written, and those put aside, NAME.0 (the newest), NAME.1 …
 * All of this blocks, for as long as the file system likes: it runs in the thread of the log's
 * folder (lanes.h), one call at a time for one log. The size is asked for before each write, so
 * that somebody else may cut or remove the file at any time.
 *
 * A file ends with a whole line, unless that line alone is longer than LOG_LINE_MAX. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How much of a line is taken on trust that it will end: it may take a file over its limit by
 * so much. What goes on for longer is cut there. */
#define LOG_LINE_MAX (64 * 1024)

/* From the configuration, as they were when the work began. */
typedef struct LogLimits {
    uint64_t max_bytes; /* 0: files are not put aside */
    unsigned max_backups;
} LogLimits;

typedef struct LogFile {
    char *path;
    int fd; /* -1: not open */
    dev_t dev;
    ino_t ino;
    bool is_regular; /* false: a device, which has neither size nor files put aside */
    uint64_t size;   /* as log_file_check() found it, and what was written since */
} LogFile;

LogFile *log_file_new(const char *path);
void log_file_free(LogFile *file);
/* The next log_file_check() opens it again. */
void log_file_close(LogFile *file);

/* All return 0 or a negative errno. */

/* Opens or makes the file. @truncate: begins anew, without what was put aside.
 * -EISDIR, -EINVAL for what can hold no log (a fifo, a socket). */
int log_file_open(LogFile *file, bool truncate);
/* Learns which file it is, if there is one, without opening it. */
void log_file_look(LogFile *file);
/* Opens it if it is not open, or not in its folder any more, and learns its size. */
int log_file_check(LogFile *file);
/* Puts the file aside, deletes the oldest, and opens a new one. */
int log_file_roll(LogFile *file, const LogLimits *limits);

/* What to do with bytes that are due next: put the file aside first, or write so many. */
typedef struct LogStep {
    bool is_roll;
    size_t length; /* at least 1, unless is_roll */
} LogStep;
LogStep log_file_plan(const LogFile *file, const LogLimits *limits, const char *bytes,
                      size_t length);
/* Whether @length bytes fit, whatever they are. */
bool log_file_fits(const LogFile *file, const LogLimits *limits, uint64_t length);

/* How many bytes the unfinished line at the end of the file has; LOG_LINE_MAX for more. */
size_t log_file_get_tail(const LogFile *file);
/* Writes all of it at the end, whatever the limits. */
int log_file_write(LogFile *file, const char *bytes, size_t length);
/* The same within the limits, putting files aside between lines. */
int log_file_append(LogFile *file, const LogLimits *limits, const char *bytes, size_t length);
