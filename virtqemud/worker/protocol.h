/* What virtqemud and its file workers say to each other. A worker does, one after the other, what
 * can hang in the kernel: touching files that may be on a remote or removable file system. Both
 * are of one build and on one machine, so messages are structs as they lie in memory, one in
 * each packet of a socket; a worker ends when the socket does. Knows libc only. */
#pragma once

#include <stdint.h>

/* The worker's end of the socket. */
#define FILE_WORKER_FD 3
#define FILE_WORKER_MAX_GROUPS 1024
#define FILE_WORKER_MAX_PATH 4096
/* What is read of a file at most. */
#define FILE_WORKER_MAX_DATA 65536

/* The extended attributes in which the owner before the first guest is kept, with the number of
 * those who use the file and the time at which the host was booted: those of existing
 * installations, so that either kind of daemon gives back what the other has taken. */
#define FILE_XATTR_OWNER "trusted.libvirt.security.dac"            /* "+UID:+GID" */
#define FILE_XATTR_USERS "trusted.libvirt.security.ref_dac"        /* "1" */
#define FILE_XATTR_BOOT "trusted.libvirt.security.timestamp_dac"   /* seconds since 1970 */

typedef enum FileOp {
    FILE_OP_HEAD,      /* what the file is, and its first max_bytes */
    FILE_OP_ACCESS,    /* whether the user may read (with FILE_FLAG_WRITE: and write) it */
    FILE_OP_TAKE,      /* gives it to the user; with FILE_FLAG_REMEMBER the owner is kept */
    FILE_OP_GIVE_BACK, /* one user less; the last gives it back to the owner that was kept. One
                        * without a record goes to root with FILE_FLAG_ROOT, else it stays */
    FILE_OP_OUTPUT,    /* opens it for writing, made and emptied (with FILE_FLAG_APPEND: kept): the
                        * descriptor comes with the reply */
    N_FILE_OPS,
} FileOp;

#define FILE_FLAG_WRITE (1u << 0)
#define FILE_FLAG_REMEMBER (1u << 1)
#define FILE_FLAG_ROOT (1u << 2)
#define FILE_FLAG_APPEND (1u << 3)
#define FILE_FLAG_JOURNAL (1u << 4)

/* Groups and the path, with its zero byte, follow; and with FILE_FLAG_JOURNAL the path of the
 * journal (host/owner_journal.h) that is told when an owner was changed. */
typedef struct FileWorkerRequest {
    uint32_t op; /* FileOp */
    uint32_t flags;
    uint32_t uid, gid;
    uint32_t n_groups;
    uint32_t max_bytes;
} FileWorkerRequest;

/* The data follows. */
typedef struct FileWorkerReply {
    int32_t errnum; /* 0: done */
    uint32_t mode;  /* of stat(2), as the rest */
    uint32_t uid, gid;
    uint64_t size_bytes, device, inode;
    uint32_t is_remembered; /* FILE_OP_TAKE: there is a record of the owner now */
    int32_t fd;             /* FILE_OP_OUTPUT: comes with the packet, numbered anew; or -1 */
    uint32_t length;        /* of the data */
} FileWorkerReply;
