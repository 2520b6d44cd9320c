#include "virtlogd/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What is looked at at once; as much as a pipe holds, if nobody has made it larger. */
#define WINDOW_BYTES (64 * 1024)

bool drain_has_lost_writers(int pipe_fd)
{
    struct pollfd poll_fd = { .fd = pipe_fd, .events = POLLIN };

    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLHUP);
}

static size_t get_n_waiting(int pipe_fd)
{
    int n = 0;

    return ioctl(pipe_fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

/* Copies up to @max bytes from the front of the pipe, and leaves them there. Returns how many;
 * 0 also when the system has no more descriptors. */
static size_t peek(int pipe_fd, char *bytes, size_t max)
{
    int scratch[2];
    ssize_t n;

    if (pipe2(scratch, O_CLOEXEC | O_NONBLOCK) < 0)
        return 0;
    n = tee(pipe_fd, scratch[1], max, SPLICE_F_NONBLOCK);
    if (n > 0)
        n = read(scratch[0], bytes, (size_t)n);
    close(scratch[0]);
    close(scratch[1]);
    return n > 0 ? (size_t)n : 0;
}

static size_t consume(int pipe_fd, size_t length)
{
    char bytes[4096];
    size_t done = 0;

    while (done < length) {
        ssize_t n = read(pipe_fd, bytes, MIN(sizeof(bytes), length - done));

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

/* For files that bytes cannot be moved to within the kernel: devices, some file systems. What
 * was read and not written is dropped here, and counted. */
static ssize_t copy_bytes(Drain *drain, size_t length)
{
    g_autofree char *bytes = g_malloc(WINDOW_BYTES);
    ssize_t n = read(drain->pipe_fd, bytes, MIN(length, WINDOW_BYTES));
    int result = n > 0 ? log_file_write(drain->file, bytes, (size_t)n) : 0;

    if (result == 0)
        return n < 0 ? -errno : n;
    drain->n_dropped += (uint64_t)n;
    return result;
}

/* Up to @length bytes, in one system call. How many, or a negative errno. */
static ssize_t move_bytes(Drain *drain, size_t length)
{
    LogFile *file = drain->file;
    off_t offset = (off_t)file->size;
    ssize_t n;

    if (!file->is_regular)
        return copy_bytes(drain, length);
    do
        n = splice(drain->pipe_fd, NULL, file->fd, &offset, length,
                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    /* The last two come of filters of system calls. */
    if (n < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM))
        return copy_bytes(drain, length);
    if (n < 0)
        return -errno;
    file->size += (uint64_t)n;
    return n;
}

/* 0, or why not all of the @length bytes, which are there, could be written. */
static int move_all(Drain *drain, size_t length)
{
    while (length > 0) {
        ssize_t n = move_bytes(drain, length);

        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        drain->n_written += (size_t)n;
        length -= (size_t)n;
    }
    return 0;
}

/* Near the limit the bytes have to be looked at, for where their lines end. */
static int move_within(Drain *drain, const LogLimits *limits, size_t n_waiting)
{
    g_autofree char *bytes = g_malloc(WINDOW_BYTES);
    size_t length = peek(drain->pipe_fd, bytes, MIN(n_waiting, WINDOW_BYTES));
    const char *next = bytes;
    int result = 0;

    /* Without a descriptor to spare the limit has to wait; the guest has not. */
    if (length == 0)
        return move_all(drain, n_waiting);
    while (result == 0 && length > 0) {
        LogStep step = log_file_plan(drain->file, limits, next, length);

        if (step.is_roll) {
            result = log_file_roll(drain->file, limits);
            continue;
        }
        result = move_all(drain, step.length);
        next += step.length;
        length -= step.length;
    }
    return result;
}

/* Behind a gap: the line that was cut in the file is ended. */
static int resume_writing(Drain *drain)
{
    if (!drain->is_dropping || log_file_get_tail(drain->file) == 0)
        return 0;
    return log_file_write(drain->file, "\n", 1);
}

static int drain_write(Drain *drain, const LogLimits *limits, size_t n_waiting)
{
    int result = log_file_check(drain->file);

    if (result == 0)
        result = resume_writing(drain);
    if (result < 0)
        return result;
    return log_file_fits(drain->file, limits, n_waiting) ? move_all(drain, n_waiting)
                                                         : move_within(drain, limits, n_waiting);
}

/* To the end of the last whole line; without one, all, and the rest of that line later. */
static void drain_drop(Drain *drain)
{
    g_autofree char *bytes = g_malloc(WINDOW_BYTES);
    size_t length = peek(drain->pipe_fd, bytes, WINDOW_BYTES);
    const char *end = memrchr(bytes, '\n', length);

    drain->is_skipping_line = length > 0 && !end;
    if (end)
        length = (size_t)(end - bytes) + 1;
    drain->n_dropped += consume(drain->pipe_fd, length > 0 ? length : WINDOW_BYTES);
}

/* The rest of a line whose beginning was dropped. True when it is over. */
static bool drain_skip_line(Drain *drain)
{
    g_autofree char *bytes = g_malloc(WINDOW_BYTES);
    size_t length = peek(drain->pipe_fd, bytes, WINDOW_BYTES);
    const char *end = memchr(bytes, '\n', length);

    if (end)
        length = (size_t)(end - bytes) + 1;
    drain->n_dropped += consume(drain->pipe_fd, length);
    drain->is_skipping_line = length > 0 && !end;
    return !drain->is_skipping_line;
}

/* One round: what waits now. */
static void drain_step(Drain *drain, const LogLimits *limits, size_t n_waiting)
{
    int result;

    if (drain->is_skipping_line && !drain_skip_line(drain))
        return;
    n_waiting = get_n_waiting(drain->pipe_fd);
    if (n_waiting == 0)
        return;
    result = drain_write(drain, limits, n_waiting);
    drain->is_dropping = result < 0;
    if (result < 0) {
        drain->errnum = -result;
        drain_drop(drain);
    }
}

/* The order matters: writers that have gone cannot have written anything after that. */
static DrainResult drain_look(int pipe_fd, size_t *ret_n_waiting)
{
    bool has_lost_writers = drain_has_lost_writers(pipe_fd);

    *ret_n_waiting = get_n_waiting(pipe_fd);
    if (*ret_n_waiting > 0)
        return DRAIN_MORE;
    return has_lost_writers ? DRAIN_END : DRAIN_EMPTY;
}

DrainResult drain_run(Drain *drain, const LogLimits *limits, size_t budget)
{
    uint64_t end = drain->n_written + drain->n_dropped + budget;
    size_t n_waiting;
    DrainResult result;

    if (drain->has_ended)
        return DRAIN_END;
    while ((result = drain_look(drain->pipe_fd, &n_waiting)) == DRAIN_MORE) {
        if (drain->n_written + drain->n_dropped >= end)
            break;
        drain_step(drain, limits, n_waiting);
    }
    drain->has_ended = result == DRAIN_END;
    return result;
}
