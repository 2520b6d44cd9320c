/* The pid file of a daemon: holds its pid, and a lock that says that it runs. A second
 * daemon on the same file is refused; one that was killed leaves a file without a lock,
 * which the next one takes over. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

typedef struct PidFile PidFile;

/* Locks @path, makes it if needed, and writes the own pid. The lock is the process's own
 * and does not pass to programs that it runs. NULL on error.
 * Errors: RESOURCE_BUSY naming the pid of the holder, SYSTEM_ERROR. */
PidFile *pid_file_acquire(const char *path, GError **error);

/* For a program that executes itself anew: the descriptor that holds the lock, and the file as
 * the next program finds it, which takes @fd over. */
int pid_file_get_fd(const PidFile *pid_file);
PidFile *pid_file_inherit(const char *path, int fd);

/* Removes the file and gives up the lock. */
void pid_file_release(PidFile *pid_file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PidFile, pid_file_release)

/* Whether there is a file at @path and who holds it: the pid that it names, or 0 when nobody
 * has the lock (its daemon was killed). For those who only look: takes nothing. */
bool pid_file_read_holder(const char *path, pid_t *ret_pid);
