/* Who has a file locked, for an operator to read: a guess from what the kernel tells, never
 * something to act on. */
#pragma once

#include "virtlockd/worker/protocol.h"

/* Fills holder_pid and holder_name of @reply for the lock that one of @type (F_RDLCK, F_WRLCK) on
 * @fd would wait for. */
void lock_holder_find(int fd, short type, LockWorkerReply *reply);
