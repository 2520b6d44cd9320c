#include "virtlogd/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Backups beyond the configured number are left by an older configuration: they have no gaps. */
#define LOG_BACKUPS_ENOUGH 100000

LogFile *log_file_new(const char *path)
{
    LogFile *file = g_new0(LogFile, 1);

    file->path = g_strdup(path);
    file->fd = -1;
    return file;
}

void log_file_close(LogFile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

void log_file_free(LogFile *file)
{
    if (!file)
        return;
    log_file_close(file);
    g_free(file->path);
    g_free(file);
}

static char *backup_path(const LogFile *file, unsigned number)
{
    return g_strdup_printf("%s.%u", file->path, number);
}

/* From @first on, until there is none. 0 or what keeps one from being deleted. */
static int delete_backups(const LogFile *file, unsigned first)
{
    for (unsigned i = first; i < LOG_BACKUPS_ENOUGH; i++) {
        g_autofree char *path = backup_path(file, i);

        if (unlink(path) < 0)
            return errno == ENOENT ? 0 : -errno;
    }
    return 0;
}

/* Not for appending: splice(2) refuses such a descriptor. */
static int open_path(LogFile *file)
{
    struct stat status;
    int fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

    if (fd < 0)
        return -errno;
    int result = fstat(fd, &status) < 0 ? -errno : 0;
    if (result == 0 && !S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
        result = -EINVAL;
    if (result < 0) {
        close(fd);
        return result;
    }
    file->fd = fd;
    file->dev = status.st_dev;
    file->ino = status.st_ino;
    file->is_regular = S_ISREG(status.st_mode);
    file->size = file->is_regular ? (uint64_t)status.st_size : 0;
    return 0;
}

void log_file_look(LogFile *file)
{
    struct stat status;

    if (file->fd >= 0 || stat(file->path, &status) < 0)
        return;
    file->dev = status.st_dev;
    file->ino = status.st_ino;
}

int log_file_open(LogFile *file, bool truncate)
{
    struct stat status;
    int result = 0;

    log_file_close(file);
    /* Removed, not cut: who still reads the old one goes on reading it. */
    if (truncate && stat(file->path, &status) == 0 && S_ISREG(status.st_mode)) {
        result = unlink(file->path) < 0 && errno != ENOENT ? -errno : delete_backups(file, 0);
    }
    return result < 0 ? result : open_path(file);
}

int log_file_check(LogFile *file)
{
    struct stat status;

    if (file->fd < 0)
        return open_path(file);
    if (!file->is_regular)
        return 0;
    if (fstat(file->fd, &status) < 0)
        return -errno;
    if (status.st_nlink == 0) {
        log_file_close(file);
        return open_path(file);
    }
    file->size = (uint64_t)status.st_size;
    return 0;
}

/* Whether the path still means the open file: what another program has put there is not ours
 * to put aside. */
static bool is_in_place(const LogFile *file)
{
    struct stat status;

    return stat(file->path, &status) == 0 && status.st_dev == file->dev &&
           status.st_ino == file->ino;
}

/* Only up to the first number that is free: so a chain that was cut short by the end of the
 * daemon costs no file more. Without a free one the oldest is replaced. */
static int shift_backups(const LogFile *file, unsigned max_backups)
{
    unsigned end = 0;

    for (; end < max_backups - 1; end++) {
        g_autofree char *path = backup_path(file, end);

        if (access(path, F_OK) < 0)
            break;
    }
    for (unsigned i = end; i > 0; i--) {
        g_autofree char *from = backup_path(file, i - 1);
        g_autofree char *to = backup_path(file, i);

        if (rename(from, to) < 0)
            return -errno;
    }
    g_autofree char *newest = backup_path(file, 0);
    return rename(file->path, newest) < 0 ? -errno : 0;
}

int log_file_roll(LogFile *file, const LogLimits *limits)
{
    int result = 0;

    if (is_in_place(file)) {
        if (limits->max_backups > 0)
            result = shift_backups(file, limits->max_backups);
        else if (unlink(file->path) < 0)
            result = -errno;
    }
    if (result == 0)
        result = delete_backups(file, limits->max_backups);
    if (result < 0)
        return result;
    log_file_close(file);
    return open_path(file);
}

bool log_file_fits(const LogFile *file, const LogLimits *limits, uint64_t length)
{
    return limits->max_bytes == 0 || !file->is_regular ||
           (file->size <= limits->max_bytes && length <= limits->max_bytes - file->size);
}

size_t log_file_get_tail(const LogFile *file)
{
    size_t length = (size_t)MIN(file->size, LOG_LINE_MAX);
    g_autofree char *bytes = g_malloc(length + 1);
    ssize_t n;

    if (!file->is_regular || length == 0)
        return 0;
    n = pread(file->fd, bytes, length, (off_t)(file->size - length));
    if (n <= 0)
        return 0;
    const char *end = memrchr(bytes, '\n', (size_t)n);
    return end ? (size_t)(bytes + n - (end + 1)) : (size_t)n;
}

/* The rest of a line that has begun in the file, or a line for which a new file was begun: it
 * is not cut until it is beyond reason. */
static LogStep plan_line(const LogFile *file, size_t tail, const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    size_t wanted = end ? (size_t)(end - bytes) + 1 : length;

    if (tail >= LOG_LINE_MAX)
        return (LogStep){ .is_roll = file->size > 0, .length = MIN(wanted, LOG_LINE_MAX) };
    return (LogStep){ .length = MIN(wanted, LOG_LINE_MAX - tail) };
}

LogStep log_file_plan(const LogFile *file, const LogLimits *limits, const char *bytes,
                      size_t length)
{
    size_t tail, room;
    const char *end;

    if (log_file_fits(file, limits, length))
        return (LogStep){ .length = length };
    room = file->size < limits->max_bytes ? (size_t)(limits->max_bytes - file->size) : 0;
    end = room > 0 ? memrchr(bytes, '\n', room) : NULL;
    if (end)
        return (LogStep){ .length = (size_t)(end - bytes) + 1 };
    tail = log_file_get_tail(file);
    if (tail == 0 && file->size > 0)
        return (LogStep){ .is_roll = true };
    return plan_line(file, tail, bytes, length);
}

int log_file_write(LogFile *file, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = file->is_regular ? pwrite(file->fd, bytes, length, (off_t)file->size)
                                     : write(file->fd, bytes, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes += n;
        length -= (size_t)n;
        file->size += (uint64_t)n;
    }
    return 0;
}

int log_file_append(LogFile *file, const LogLimits *limits, const char *bytes, size_t length)
{
    int result = log_file_check(file);

    while (result == 0 && length > 0) {
        LogStep step = log_file_plan(file, limits, bytes, length);

        if (step.is_roll) {
            result = log_file_roll(file, limits);
            continue;
        }
        result = log_file_write(file, bytes, step.length);
        bytes += step.length;
        length -= step.length;
    }
    return result;
}
