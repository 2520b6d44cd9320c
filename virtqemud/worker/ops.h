/* The operations of a file worker: plain system calls on one path, each of which may hang. Knows
 * libc only. */
#pragma once

#include <stddef.h>

#include "virtqemud/worker/protocol.h"

/* Does @request; @journal is NULL without one. @data has room for FILE_WORKER_MAX_DATA bytes. A
 * descriptor in @ret_reply is the caller's. */
void file_op_run(const FileWorkerRequest *request, const uint32_t *groups, const char *path,
                 const char *journal, FileWorkerReply *ret_reply, char *data);
