#include "virtlockd/worker/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "virtlockd/worker/holder.h"

/* Another host may remove the file between our opening and locking it; not for ever. */
#define MAX_TRIES 100
#define FILE_MODE 0600
#define FOLDER_MODE 0700

/* 0, or -errno. */
static int set_lock(int fd, short type)
{
    struct flock lock = { .l_type = type, .l_start = LOCK_START, .l_len = LOCK_LENGTH };

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

static bool is_still_at(int fd, const char *path)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* Only what a disk can be: opening some devices does something (a tape rewinds, a watchdog
 * starts), so what it is comes first. A descriptor or -errno. */
static int open_disk(const char *path, int access)
{
    char self[40];
    struct stat info;
    int place = open(path, O_PATH | O_CLOEXEC);

    if (place < 0)
        return -errno;
    int fd = fstat(place, &info) < 0 ? -errno
             : S_ISDIR(info.st_mode) ? -EISDIR
             : S_ISREG(info.st_mode) || S_ISBLK(info.st_mode) ? 0
                                                              : -EINVAL;
    if (fd == 0) {
        snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
        fd = open(self, access | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
            fd = -errno;
    }
    close(place);
    return fd;
}

static int open_own_file(const char *path)
{
    int fd = open_disk(path, O_RDWR);

    if (fd != -ENOENT)
        return fd;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC, FILE_MODE);
    return fd < 0 ? -errno : fd;
}

/* Kernel code over memory and local disks. All others, those that nobody here knows among them,
 * may wait for somebody. */
static bool is_local(int fd)
{
    static const long local[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                  TMPFS_MAGIC, F2FS_SUPER_MAGIC };
    struct statfs info;

    if (fstatfs(fd, &info) < 0)
        return false;
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++) {
        if (info.f_type == local[i])
            return true;
    }
    return false;
}

static void reply_set_file(LockWorkerReply *reply, int fd)
{
    struct stat info;

    if (fstat(fd, &info) < 0)
        return;
    reply->device = info.st_dev;
    reply->inode = info.st_ino;
    reply->is_local = S_ISREG(info.st_mode) && is_local(fd);
}

/* A descriptor or -errno. A shared lock needs no right to write; a file of our own is opened for
 * writing all the same, to find out at the end whether anybody else has it. */
static int lock_once(const char *path, uint32_t flags, LockWorkerReply *reply)
{
    bool is_own = flags & LOCK_FLAG_OWN_FILE, is_shared = flags & LOCK_FLAG_SHARED;
    short type = is_shared ? F_RDLCK : F_WRLCK;
    int fd = is_own ? open_own_file(path) : open_disk(path, is_shared ? O_RDONLY : O_RDWR);

    if (fd < 0)
        return fd == -EEXIST ? -ESTALE : fd;
    reply_set_file(reply, fd);
    int result = set_lock(fd, type);
    if (result == 0 && is_own && !is_still_at(fd, path))
        result = -ESTALE;
    if (result == -EAGAIN)
        lock_holder_find(fd, type, reply);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

static int op_acquire(const char *path, uint32_t flags, LockWorkerReply *reply, int *ret_fd)
{
    int fd = -ESTALE;

    for (int i = 0; i < MAX_TRIES && fd == -ESTALE; i++)
        fd = lock_once(path, flags, reply);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}

/* Whoever could lock it for himself alone is the last. The file goes first: once it is unlocked it
 * may be somebody else's. */
static int op_release(const char *path, uint32_t flags, int fd)
{
    if ((flags & LOCK_FLAG_OWN_FILE) && set_lock(fd, F_WRLCK) == 0 && is_still_at(fd, path))
        unlink(path);
    return set_lock(fd, F_UNLCK);
}

/* A file of the lock's own that is gone was removed by the release that did not get further. */
static int op_check(const char *path, uint32_t flags, int fd, LockWorkerReply *reply)
{
    short type = flags & LOCK_FLAG_SHARED ? F_RDLCK : F_WRLCK;
    struct stat info;

    reply_set_file(reply, fd);
    if ((flags & LOCK_FLAG_OWN_FILE) && fstat(fd, &info) == 0 && info.st_nlink == 0)
        return -ENOENT;
    int result = set_lock(fd, type);
    if (result == -EAGAIN)
        lock_holder_find(fd, type, reply);
    return result;
}

static int op_create(const char *path)
{
    int fd = open_own_file(path);

    if (fd >= 0)
        close(fd);
    return fd == -EEXIST || fd >= 0 ? 0 : fd;
}

static int op_delete(const char *path, LockWorkerReply *reply)
{
    int fd = open_disk(path, O_RDWR);

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    reply_set_file(reply, fd);
    int result = set_lock(fd, F_WRLCK);
    if (result == -EAGAIN)
        lock_holder_find(fd, F_WRLCK, reply);
    if (result == 0 && is_still_at(fd, path) && unlink(path) < 0 && errno != ENOENT)
        result = -errno;
    close(fd);
    return result;
}

static int make_folder(const char *path)
{
    struct stat info;

    if (mkdir(path, FOLDER_MODE) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    return stat(path, &info) < 0 ? -errno : S_ISDIR(info.st_mode) ? 0 : -ENOTDIR;
}

static int op_folder(const char *path)
{
    char copy[LOCK_WORKER_MAX_PATH];

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int result = make_folder(copy);
        if (result < 0)
            return result;
        *slash = '/';
    }
    return make_folder(copy);
}

void lock_op_run(const LockWorkerRequest *request, const char *path, int fd,
                 LockWorkerReply *ret_reply, int *ret_fd)
{
    int result = -EBADF;

    memset(ret_reply, 0, sizeof(*ret_reply));
    *ret_fd = -1;
    switch ((LockOp)request->op) {
    case LOCK_OP_ACQUIRE:
        result = op_acquire(path, request->flags, ret_reply, ret_fd);
        break;
    case LOCK_OP_RELEASE:
        if (fd >= 0)
            result = op_release(path, request->flags, fd);
        break;
    case LOCK_OP_CHECK:
        if (fd >= 0)
            result = op_check(path, request->flags, fd, ret_reply);
        break;
    case LOCK_OP_CREATE:
        result = op_create(path);
        break;
    case LOCK_OP_DELETE:
        result = op_delete(path, ret_reply);
        break;
    case LOCK_OP_FOLDER:
        result = op_folder(path);
        break;
    case N_LOCK_OPS:
        break;
    }
    if (fd >= 0)
        close(fd);
    ret_reply->errnum = -result;
}
