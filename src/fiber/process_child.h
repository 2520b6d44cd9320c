/* One child process between its start and the moment it is reaped: the mechanics under
 * process_run(). Until it is reaped its number and that of its group are ours. */
#pragma once

#include "fiber/process.h"

typedef struct ProcessChild {
    pid_t pid;
    int pid_fd;
    int output_fds[2]; /* non-blocking read ends of its stdout and stderr; -1: at its end */
} ProcessChild;

/* Starts a program in a process group of its own, with default signals. */
bool process_child_start(const ProcessSpec *spec, ProcessChild *ret_child, GError **error);
/* Collects the status of a child that has ended. */
bool process_child_reap(ProcessChild *child, int *ret_exit_status, int *ret_signal, GError **error);
/* Kills the group and reaps the child. One that does not die at once (it may hang in the
 * kernel) is left to the loop, which reaps it when it does. */
SUSPENDS void process_child_kill(ProcessChild *child);
/* Closes descriptors; the child is not touched. */
void process_child_clear(ProcessChild *child);
