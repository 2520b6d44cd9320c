/* From a guest's pipe to its log. Bytes go from the one to the other within the kernel, in one
 * step: whenever the daemon is killed, each byte is in the pipe or in the file. Blocks, like
 * log_file.h, but never waits for the guest.
 *
 * When the file cannot be written (no space, a broken disk) what the guest says is dropped, in
 * whole lines, so that the guest runs on; the first line behind a gap begins a line. */
#pragma once

#include "virtlogd/log_file.h"

typedef enum DrainResult {
    DRAIN_EMPTY, /* nothing is left now */
    DRAIN_MORE,  /* there is more, and others shall have their turn */
    DRAIN_END,   /* nothing is left, and nobody can write any more */
} DrainResult;

typedef struct Drain {
    LogFile *file;
    int pipe_fd;
    bool has_ended; /* and its descriptor may be closed, its number be another's */
    bool is_dropping;      /* the last attempt to write has failed */
    bool is_skipping_line; /* the beginning of the line that comes next was dropped */
    int errnum;            /* why, the last time */
    uint64_t n_written, n_dropped; /* bytes, since the daemon's start */
} Drain;

/* Moves at most about @budget bytes. What has ended stays so, and its pipe is not touched again. */
DrainResult drain_run(Drain *drain, const LogLimits *limits, size_t budget);
/* Whether nobody has the pipe's other end any more. */
bool drain_has_lost_writers(int pipe_fd);
