/* Workers for files that may be on a remote or removable file system: whoever touches such a file
 * may wait in the kernel for ever. Each call is done by a process of its own that is kept for
 * the next one; a process that does not answer in time is abandoned, and the daemon goes on.
 * Nothing survives a restart: workers end with the daemon.
 *
 * Calls from several fibers run at the same time, but those that change the owner of the same
 * path one after the other. */
#pragma once

#include "fiber/fiber.h"
#include "virtqemud/qemu_user.h"
#include "virtqemud/worker/protocol.h"

typedef struct FileWorkers FileWorkers;

typedef struct FileAnswer {
    FileWorkerReply reply; /* its errnum says how the operation went; a descriptor is ours */
    uint8_t *data;         /* reply.length bytes */
} FileAnswer;
void file_answer_clear(FileAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FileAnswer, file_answer_clear)
/* Its descriptor, the caller's from now on; or -1. */
int file_answer_take_fd(FileAnswer *answer);

/* Starts none before there is work. No fiber may be in a call when it is freed. */
FileWorkers *file_workers_new(FiberLoop *loop);
void file_workers_free(FileWorkers *workers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileWorkers, file_workers_free)

/* Does @op on @path, for @user (of FILE_OP_ACCESS and FILE_OP_TAKE, else NULL). True when there
 * is an answer, also one that says that the operation failed. @journal, which may be NULL, is
 * told by FILE_OP_TAKE and FILE_OP_GIVE_BACK. Errors: OPERATION_TIMEOUT,
 * OPERATION_ABORTED, OPERATION_FAILED when too many workers hang already, SYSTEM_ERROR when
 * none can be started. */
SUSPENDS bool file_workers_call(FileWorkers *workers, FileOp op, unsigned flags, const char *path,
                                const char *journal, const QemuUser *user,
                                uint64_t deadline_us, FileAnswer *ret_answer, GError **error);

/* For tests and statistics: workers that wait for work, and those that were abandoned and have
 * not ended. */
void file_workers_count(const FileWorkers *workers, unsigned *ret_idle, unsigned *ret_abandoned);
