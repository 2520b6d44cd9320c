/* The files behind locks, which may be on file systems that hang: all work on them is done by
 * worker processes (virtlockd/worker/) that are abandoned when they do not answer. */
#pragma once

#include "fiber/fiber.h"
#include "virtlockd/worker/protocol.h"

typedef struct LockFiles LockFiles;

LockFiles *lock_files_new(FiberLoop *loop);
/* No fiber may be in a call. */
void lock_files_free(LockFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LockFiles, lock_files_free)

/* Does @op with @flags (LOCK_FLAG_*) on @path and @fd (stays the caller's; below 0: none). True
 * when there is an answer, also one that says that it failed. @ret_fd, the locked descriptor, may
 * be NULL for other operations than LOCK_OP_ACQUIRE, and is -1 when there is none.
 * Errors: OPERATION_TIMEOUT, OPERATION_ABORTED, OPERATION_FAILED, SYSTEM_ERROR. */
SUSPENDS bool lock_files_call(LockFiles *files, LockOp op, unsigned flags, const char *path,
                              int fd, uint64_t deadline_us, LockWorkerReply *ret_reply, int *ret_fd,
                              GError **error);

/* LOCK_OP_RELEASE without a worker, for a file whose file system cannot hang (is_local of a reply
 * about it). */
void lock_files_release_local(unsigned flags, const char *path, int fd,
                              LockWorkerReply *ret_reply);
