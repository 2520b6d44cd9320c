/* What the kernel tells of a process, of ours or not, beyond that it is there. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Whether process @pid has ended as far as it can: it was killed, and the kernel still closes what it
 * had open, which lasts as long as a file system that does not answer (FUSE waits for its server,
 * whatever the signal). It runs no more, but its sockets and locks are there until then. */
bool process_is_exiting(pid_t pid);

/* Whether a debugger (or strace) is attached to process @pid. */
bool process_is_traced(pid_t pid);
