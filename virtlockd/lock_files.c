#include "virtlockd/lock_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "fiber/helper_pool.h"
#include "virtlockd/worker/ops.h"

struct LockFiles {
    HelperPool *pool;
};

G_STATIC_ASSERT(LOCK_WORKER_FD == HELPER_POOL_FD);

LockFiles *lock_files_new(FiberLoop *loop)
{
    LockFiles *files = g_new0(LockFiles, 1);

    files->pool = helper_pool_new(loop, "splitvirt_lock_worker", VIR_FROM_LOCKSPACE,
                                  sizeof(LockWorkerReply), sizeof(LockWorkerReply));
    return files;
}

void lock_files_free(LockFiles *files)
{
    if (!files)
        return;
    helper_pool_free(files->pool);
    g_free(files);
}

/* A file was opened and locked on a file system that may stop answering at any time. */
static bool is_spent(const GByteArray *answer)
{
    LockWorkerReply reply;

    memcpy(&reply, answer->data, sizeof(reply));
    return reply.errnum == 0 && reply.inode != 0 && !reply.is_local;
}

bool lock_files_call(LockFiles *files, LockOp op, unsigned flags, const char *path, int fd,
                     uint64_t deadline_us, LockWorkerReply *ret_reply, int *ret_fd, GError **error)
{
    const LockWorkerRequest request = { op, flags };
    g_autoptr(GByteArray) packet = g_byte_array_new();
    g_autoptr(GByteArray) answer = NULL;

    if (strlen(path) >= LOCK_WORKER_MAX_PATH) {
        error_set_errno(error, VIR_FROM_LOCKSPACE, ENAMETOOLONG, "cannot access '%.200s...'", path);
        return false;
    }
    g_byte_array_append(packet, (const guint8 *)&request, sizeof(request));
    g_byte_array_append(packet, (const guint8 *)path, (guint)strlen(path) + 1);
    const HelperCall call = { packet->data, packet->len, fd, path, deadline_us, is_spent };
    if (!helper_pool_call(files->pool, &call, &answer, ret_fd, error))
        return false;
    memcpy(ret_reply, answer->data, sizeof(*ret_reply));
    ret_reply->holder_name[LOCK_HOLDER_NAME_MAX - 1] = '\0';
    return true;
}

void lock_files_release_local(unsigned flags, const char *path, int fd, LockWorkerReply *ret_reply)
{
    const LockWorkerRequest request = { LOCK_OP_RELEASE, flags };
    int none;

    lock_op_run(&request, path, fcntl(fd, F_DUPFD_CLOEXEC, 0), ret_reply, &none);
}
