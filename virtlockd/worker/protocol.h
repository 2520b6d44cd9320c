/* What virtlockd and its workers say to each other. A worker does, one after the other, what can
 * hang in the kernel: opening, locking and removing files that may be on a remote file system.
 * Both are of one build and on one machine, so messages are structs as they lie in memory, one
 * in each packet of a socket; a worker ends when the socket does. Knows libc only. */
#pragma once

#include <stdint.h>

/* The worker's end of the socket. */
#define LOCK_WORKER_FD 3
#define LOCK_WORKER_MAX_PATH 4096

/* What is locked of a file: the first byte, as existing installations do, so that either kind of
 * daemon respects the locks of the other. QEMU's own locks are on other bytes. */
#define LOCK_START 0
#define LOCK_LENGTH 1

typedef enum LockOp {
    LOCK_OP_ACQUIRE, /* opens and locks @path; the descriptor comes with the reply */
    LOCK_OP_RELEASE, /* unlocks the descriptor that came with the request */
    LOCK_OP_CHECK,   /* locks it again: nothing changes if it still is, EAGAIN if another's is */
    LOCK_OP_CREATE,  /* makes an empty file, unless there is one */
    LOCK_OP_DELETE,  /* removes a file that nobody has locked; none is no error */
    LOCK_OP_FOLDER,  /* makes a folder and those above it, unless they are there */
    N_LOCK_OPS,
} LockOp;

#define LOCK_FLAG_SHARED (1u << 0)
/* The file is the lock's own: made when it is acquired, removed when it is released and nobody
 * else has it locked. */
#define LOCK_FLAG_OWN_FILE (1u << 1)

/* The path, with its zero byte, follows. */
typedef struct LockWorkerRequest {
    uint32_t op; /* LockOp */
    uint32_t flags;
} LockWorkerRequest;

#define LOCK_HOLDER_NAME_MAX 16

typedef struct LockWorkerReply {
    int32_t errnum;         /* 0: done; EAGAIN: locked by somebody else */
    int32_t holder_pid;     /* with EAGAIN: who has it; 0: not known */
    uint64_t device, inode; /* of the file, where one was opened */
    uint32_t is_local;      /* its file system is none that can hang */
    char holder_name[LOCK_HOLDER_NAME_MAX]; /* the program, "" when it is not known */
} LockWorkerReply;
