/* The operations of a lock worker: plain system calls on one file, each of which may hang. Knows
 * libc only. */
#pragma once

#include "virtlockd/worker/protocol.h"

/* Does @request. @fd came with it (-1: none) and is closed in here. @ret_fd is what goes with the
 * reply, -1 for nothing. */
void lock_op_run(const LockWorkerRequest *request, const char *path, int fd,
                 LockWorkerReply *ret_reply, int *ret_fd);
