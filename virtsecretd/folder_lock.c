/* The folder itself is what is locked: a file of its own would be one more to be found there. */
#include "virtsecretd/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"

#define PATIENCE_US (30 * G_USEC_PER_SEC)
#define POLL_US 1000

/* Polled: a lock that is waited for in the kernel could not be given up. */
bool folder_lock_take(FolderLock *lock, const char *folder, FolderLockKind kind, GError **error)
{
    int operation = (kind == FOLDER_ALONE ? LOCK_EX : LOCK_SH) | LOCK_NB;
    gint64 deadline_us = g_get_monotonic_time() + PATIENCE_US;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_SECRET, errno, "cannot open directory '%s'", folder);
        return false;
    }
    while (flock(fd, operation) < 0) {
        int failure = errno;

        if ((failure == EWOULDBLOCK || failure == EINTR) &&
            g_get_monotonic_time() < deadline_us) {
            g_usleep(POLL_US);
            continue;
        }
        close(fd);
        if (failure == EWOULDBLOCK)
            error_set(error, VIR_FROM_SECRET, VIR_ERR_OPERATION_TIMEOUT,
                      "another process (virtsecretd --rotate-key?) has held the lock of '%s' for "
                      "%d s",
                      folder, (int)(PATIENCE_US / G_USEC_PER_SEC));
        else
            error_set_errno(error, VIR_FROM_SECRET, failure, "cannot lock '%s'", folder);
        return false;
    }
    lock->fd = fd;
    return true;
}

/* The lock goes with the descriptor. */
void folder_lock_release(FolderLock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
