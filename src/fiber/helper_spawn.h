/* Starting a helper (helper_pool.h) from a process that has descriptors on file systems that hang.
 * A child that is made in the usual way gets a copy of each descriptor and closes it again when it
 * executes its program, and closing can wait for the file system; as the parent waits for that
 * moment (vfork(2)), it hangs with its child. Here no copy is made, except of the descriptors that
 * the kernel copies with the first ones: those below HELPER_SPAWN_LOW. */
#pragma once

/* What a table of descriptors has room for at least, BITS_PER_LONG of the kernel. */
#define HELPER_SPAWN_LOW 64

/* For daemons with such descriptors, first of all: opens /dev/null under every free number below
 * HELPER_SPAWN_LOW, so that none of them gets one. They are close-on-exec. */
void helper_spawn_occupy_low(void);

/* Runs @program with @name as its only argument, no environment, default signals, in a process
 * group of its own; @socket_fd (stays the caller's) as HELPER_POOL_FD, /dev/null as 0 to 2, and no
 * other descriptor. Sets @ret_pid_fd. 0 or -errno. */
int helper_spawn(const char *program, char *name, int socket_fd, int *ret_pid_fd);
