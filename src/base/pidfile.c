/* The lock is what counts; the pid is for people and for the error message. */
#include "base/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process_flags.h"

#define ATTEMPTS 100

struct PidFile {
    char *path;
    int fd;
};

/* OFD locks: they conflict with the POSIX locks that other daemons take on such files,
 * but do not vanish when something else in the process opens and closes the file. */
static bool lock_file(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* Whether @path still is the file that @fd is: a holder that ends removes it. */
static bool is_same_file(int fd, const char *path)
{
    struct stat of_fd;
    struct stat of_path;

    return fstat(fd, &of_fd) == 0 && stat(path, &of_path) == 0 && of_fd.st_dev == of_path.st_dev &&
           of_fd.st_ino == of_path.st_ino;
}

/* 0 when there is no number. */
static gint64 read_pid(int fd)
{
    char content[32] = "";

    return pread(fd, content, sizeof(content) - 1, 0) > 0 ? g_ascii_strtoll(content, NULL, 10) : 0;
}

/* The holder may just be about to write its pid, or hold a file of another kind. */
static void report_holder(int fd, const char *path, GError **error)
{
    gint64 pid = read_pid(fd);

    if (pid > 0)
        error_set(error, VIR_FROM_NONE, VIR_ERR_RESOURCE_BUSY,
                  "pid file '%s' is held by running process %" G_GINT64_FORMAT, path, pid);
    else
        error_set(error, VIR_FROM_NONE, VIR_ERR_RESOURCE_BUSY,
                  "pid file '%s' is held by a running process", path);
}

/* Locked, so no other daemon writes; a reader may see the file empty for a moment. */
static bool write_pid(int fd)
{
    char content[32];
    int length = g_snprintf(content, sizeof(content), "%d\n", (int) getpid());

    return ftruncate(fd, 0) == 0 && pwrite(fd, content, (size_t) length, 0) == length;
}

/* A process that was killed keeps its lock while a file that it had open cannot be closed: the file
 * is left to it, without a name. */
static bool leave_to_exiting(int fd, const char *path)
{
    if (!process_is_exiting((pid_t)read_pid(fd)))
        return false;
    if (is_same_file(fd, path))
        unlink(path);
    return true;
}

/* A locked descriptor of @path; -1 on error. */
static int open_locked(const char *path, GError **error)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);

        if (fd < 0) {
            error_set_errno(error, VIR_FROM_NONE, errno, "cannot open pid file '%s'", path);
            return -1;
        }
        if (!lock_file(fd)) {
            int reason = errno;
            bool is_held = reason == EAGAIN || reason == EACCES;
            bool is_left = is_held && leave_to_exiting(fd, path);

            if (is_held && !is_left)
                report_holder(fd, path, error);
            else if (!is_held)
                error_set_errno(error, VIR_FROM_NONE, reason, "cannot lock pid file '%s'", path);
            close(fd);
            if (is_left)
                continue;
            return -1;
        }
        /* Otherwise we locked what its last holder just removed. */
        if (is_same_file(fd, path))
            return fd;
        close(fd);
    }
    error_set(error, VIR_FROM_NONE, VIR_ERR_RESOURCE_BUSY, "pid file '%s' is replaced all the time",
              path);
    return -1;
}

PidFile *pid_file_acquire(const char *path, GError **error)
{
    g_autoptr(PidFile) pid_file = NULL;
    int fd = open_locked(path, error);

    if (fd < 0)
        return NULL;
    pid_file = g_new0(PidFile, 1);
    pid_file->path = g_strdup(path);
    pid_file->fd = fd;
    if (!write_pid(fd)) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot write pid file '%s'", path);
        return NULL;
    }
    return g_steal_pointer(&pid_file);
}

int pid_file_get_fd(const PidFile *pid_file)
{
    return pid_file->fd;
}

/* The lock belongs to the open file, and so came along; the pid is the same. */
PidFile *pid_file_inherit(const char *path, int fd)
{
    PidFile *pid_file = g_new0(PidFile, 1);

    pid_file->path = g_strdup(path);
    pid_file->fd = fd;
    return pid_file;
}

void pid_file_release(PidFile *pid_file)
{
    if (pid_file == NULL)
        return;
    /* Before the lock goes: afterwards it could be another daemon's file. */
    if (is_same_file(pid_file->fd, pid_file->path))
        unlink(pid_file->path);
    close(pid_file->fd);
    g_free(pid_file->path);
    g_free(pid_file);
}

/* The lock is asked about as a stranger's would be, which needs no right to write. */
bool pid_file_read_holder(const char *path, pid_t *ret_pid)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return false;
    *ret_pid = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? (pid_t) read_pid(fd)
                                                                            : 0;
    close(fd);
    return true;
}
