#include "virtqemud/worker/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* The time of booting is the difference of two clocks, one of which people set. */
#define BOOT_TOLERANCE_S 10
#define XATTR_MAX 64
#define MAX_USERS 1000000
#define FD_PATH_MAX 40

/* An operation: 0, or -errno. */
typedef int (*FileOpFunc)(const FileWorkerRequest *request, const uint32_t *groups,
                          const char *path, FileWorkerReply *reply, char *data);

/* What is kept about a file. */
typedef struct OwnerRecord {
    uid_t uid;
    gid_t gid;
    unsigned long n_users; /* 0: of a time before the host was booted, nobody uses it any more */
} OwnerRecord;

/* Extended attributes need a path: an O_PATH descriptor has one. */
static void fd_path(int fd, char path[FD_PATH_MAX])
{
    snprintf(path, FD_PATH_MAX, "/proc/self/fd/%d", fd);
}

static void reply_set_stat(FileWorkerReply *reply, const struct stat *info)
{
    reply->mode = info->st_mode;
    reply->uid = info->st_uid;
    reply->gid = info->st_gid;
    reply->size_bytes = (uint64_t)info->st_size;
    reply->device = info->st_dev;
    reply->inode = info->st_ino;
}

/* Pipes and the like are described, but not read: they would wait for a writer. */
static int op_head(const FileWorkerRequest *request, const uint32_t *groups, const char *path,
                   FileWorkerReply *reply, char *data)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat info;

    if (fd < 0)
        return -errno;
    int result = fstat(fd, &info) < 0 ? -errno : 0;
    if (result == 0)
        reply_set_stat(reply, &info);
    if (result == 0 && (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode))) {
        size_t wanted = request->max_bytes;
        while (reply->length < wanted && result == 0) {
            ssize_t n = pread(fd, data + reply->length, wanted - reply->length, reply->length);
            if (n <= 0) {
                result = n < 0 ? -errno : 0;
                break;
            }
            reply->length += (uint32_t)n;
        }
    }
    close(fd);
    return result;
}

/* By the user of the file system, which is what the kernel and a server look at; the process
 * keeps its privileges and takes them back. Without any it asks for itself. */
static int op_access(const FileWorkerRequest *request, const uint32_t *groups, const char *path,
                     FileWorkerReply *reply, char *data)
{
    int mode = R_OK | (request->flags & FILE_FLAG_WRITE ? W_OK : 0);
    bool is_switched = geteuid() == 0;

    if (is_switched && setgroups(request->n_groups, groups) < 0)
        return -errno;
    if (is_switched) {
        setfsgid(request->gid);
        setfsuid(request->uid);
    }
    int result = faccessat(AT_FDCWD, path, mode, AT_EACCESS) < 0 ? -errno : 0;
    if (is_switched) {
        setfsuid(geteuid());
        setfsgid(getegid());
        setgroups(0, NULL);
    }
    return result;
}

/* False: there is none, or it is none of ours. */
static bool xattr_read(const char *path, const char *name, char text[XATTR_MAX])
{
    ssize_t n = getxattr(path, name, text, XATTR_MAX - 1);

    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

static bool xattr_write(const char *path, const char *name, const char *text)
{
    return setxattr(path, name, text, strlen(text), 0) == 0;
}

/* Digits of a 32-bit number that is no "nobody" of the system calls; @end gets what follows. */
static bool id_parse(const char *text, uint32_t *ret_id, const char **ret_end)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    unsigned long long number = strtoull(text, &end, 10);
    if (number >= UINT32_MAX)
        return false;
    *ret_id = (uint32_t)number;
    *ret_end = end;
    return true;
}

static bool owner_parse(const char *text, OwnerRecord *record)
{
    uint32_t uid, gid;

    if (*text != '+' || !id_parse(text + 1, &uid, &text) || strncmp(text, ":+", 2) != 0 ||
        !id_parse(text + 2, &gid, &text) || *text)
        return false;
    record->uid = uid;
    record->gid = gid;
    return true;
}

static long long boot_time(void)
{
    struct timespec now = { 0 }, since_boot = { 0 };

    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    return now.tv_sec - since_boot.tv_sec;
}

/* Users of an earlier time of booting have not given back, and never will. */
static bool record_read(const char *path, OwnerRecord *record)
{
    char owner[XATTR_MAX], users[XATTR_MAX], boot[XATTR_MAX];

    if (!xattr_read(path, FILE_XATTR_OWNER, owner) || !owner_parse(owner, record))
        return false;
    record->n_users = 0;
    if (xattr_read(path, FILE_XATTR_BOOT, boot) && xattr_read(path, FILE_XATTR_USERS, users) &&
        llabs(strtoll(boot, NULL, 10) - boot_time()) <= BOOT_TOLERANCE_S)
        record->n_users = strtoul(users, NULL, 10);
    return record->n_users <= MAX_USERS;
}

static void record_remove(const char *path)
{
    removexattr(path, FILE_XATTR_OWNER);
    removexattr(path, FILE_XATTR_USERS);
    removexattr(path, FILE_XATTR_BOOT);
}

/* The owner last: without one there is no record. */
static bool record_write(const char *path, const OwnerRecord *record)
{
    char owner[XATTR_MAX], users[XATTR_MAX], boot[XATTR_MAX];

    snprintf(owner, sizeof(owner), "+%u:+%u", record->uid, record->gid);
    snprintf(users, sizeof(users), "%lu", record->n_users);
    snprintf(boot, sizeof(boot), "%lld", boot_time());
    return xattr_write(path, FILE_XATTR_USERS, users) &&
           xattr_write(path, FILE_XATTR_BOOT, boot) && xattr_write(path, FILE_XATTR_OWNER, owner);
}

/* Follows links: it is the file that QEMU will open. Folders are nobody's disk. */
static int file_open(const char *path, FileWorkerReply *reply)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat info;

    if (fd < 0)
        return -errno;
    int result = fstat(fd, &info) < 0 ? -errno : S_ISDIR(info.st_mode) ? -EISDIR : 0;
    if (result < 0) {
        close(fd);
        return result;
    }
    reply_set_stat(reply, &info);
    return fd;
}

/* File systems without extended attributes, and daemons without the privilege, have no record. */
static int op_take(const FileWorkerRequest *request, const uint32_t *groups, const char *path,
                   FileWorkerReply *reply, char *data)
{
    char self[FD_PATH_MAX];
    int fd = file_open(path, reply);
    OwnerRecord record = { 0 };

    if (fd < 0)
        return fd;
    fd_path(fd, self);
    bool has_record = record_read(self, &record);
    OwnerRecord before = record;
    if (!has_record)
        record = (OwnerRecord){ .uid = reply->uid, .gid = reply->gid };
    record.n_users++;
    if (request->flags & FILE_FLAG_REMEMBER)
        reply->is_remembered = record_write(self, &record);
    int result =
        fchownat(fd, "", request->uid, request->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
    if (result < 0 && reply->is_remembered) {
        if (has_record)
            record_write(self, &before);
        else
            record_remove(self);
    }
    close(fd);
    return result;
}

static int op_give_back(const FileWorkerRequest *request, const uint32_t *groups,
                        const char *path, FileWorkerReply *reply, char *data)
{
    char self[FD_PATH_MAX];
    int fd = file_open(path, reply);
    OwnerRecord record;
    int result = 0;

    if (fd < 0)
        return fd;
    fd_path(fd, self);
    if (!record_read(self, &record)) {
        if (request->flags & FILE_FLAG_ROOT)
            result = fchownat(fd, "", 0, 0, AT_EMPTY_PATH) < 0 ? -errno : 0;
    } else if (record.n_users > 1) {
        record.n_users--;
        result = record_write(self, &record) ? 0 : -errno;
    } else {
        result = fchownat(fd, "", record.uid, record.gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
        if (result == 0)
            record_remove(self);
    }
    close(fd);
    return result;
}

/* One that waits for a reader (a pipe) is an error rather than a start that never ends. */
static int op_output(const FileWorkerRequest *request, const uint32_t *groups, const char *path,
                     FileWorkerReply *reply, char *data)
{
    int how = request->flags & FILE_FLAG_APPEND ? O_APPEND : O_TRUNC;
    int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | how, 0600);

    if (fd < 0)
        return -errno;
    fcntl(fd, F_SETFL, how & O_APPEND);
    reply->fd = fd;
    return 0;
}

/* "+PATH" or "-PATH", in one write: appended as a whole. */
static void journal_add(int fd, FileOp op, const char *path)
{
    char record[1 + FILE_WORKER_MAX_PATH];
    size_t length = strlen(path) + 1;

    if (length > FILE_WORKER_MAX_PATH)
        return;
    record[0] = op == FILE_OP_TAKE ? '+' : '-';
    memcpy(record + 1, path, length);
    if (write(fd, record, length + 1) < 0)
        return;
}

/* The lock tells a daemon that has come after ours that there is a record to wait for. A guest
 * whose journal is gone has ended, and must take nothing more; giving back it may. */
static int run_with_journal(FileOpFunc run, const FileWorkerRequest *request,
                            const uint32_t *groups, const char *path, const char *journal,
                            FileWorkerReply *reply, char *data)
{
    int fd = open(journal, O_WRONLY | O_APPEND | O_CLOEXEC);
    int result;

    if (fd < 0 && request->op == FILE_OP_TAKE)
        return -ECANCELED;
    if (fd >= 0)
        flock(fd, LOCK_SH | LOCK_NB);
    result = run(request, groups, path, reply, data);
    if (fd >= 0 && result == 0)
        journal_add(fd, request->op, path);
    if (fd >= 0)
        close(fd);
    return result;
}

void file_op_run(const FileWorkerRequest *request, const uint32_t *groups, const char *path,
                 const char *journal, FileWorkerReply *ret_reply, char *data)
{
    static const FileOpFunc ops[N_FILE_OPS] = {
        [FILE_OP_HEAD] = op_head,
        [FILE_OP_ACCESS] = op_access,
        [FILE_OP_TAKE] = op_take,
        [FILE_OP_GIVE_BACK] = op_give_back,
        [FILE_OP_OUTPUT] = op_output,
    };

    memset(ret_reply, 0, sizeof(*ret_reply));
    ret_reply->fd = -1;
    ret_reply->errnum = -(journal ? run_with_journal(ops[request->op], request, groups, path,
                                                     journal, ret_reply, data)
                                  : ops[request->op](request, groups, path, ret_reply, data));
}
