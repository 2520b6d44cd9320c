/* A daemon that executes itself anew: same process, the same options, the program that its path
 * names now (after an upgrade, the new one). What the next execution is to have comes with it:
 * descriptors, each with a kind and a name, listed in a memory file whose descriptor is named by
 * the environment variable SPLITVIRT_REEXEC.
 *
 * One line for each: its number, its kind (below), its name; the name may be empty. */
#pragma once

#include <stdbool.h>

#include <glib.h>

typedef enum ReexecKind {
    REEXEC_OWN_SOCKET = 'o',       /* listens; the daemon made it; its path */
    REEXEC_ACTIVATED_SOCKET = 'a', /* listens; the service manager made it; its address */
    REEXEC_KEPT = 'k',             /* kept_fds.h; its name */
    REEXEC_PID_FILE = 'p',         /* its lock */
} ReexecKind;

typedef struct ReexecFd {
    int fd;
    ReexecKind kind;
    char *name;
} ReexecFd;

/* Of ReexecFd. It does not own the descriptors. */
GPtrArray *reexec_fds_new(void);
void reexec_fds_add(GPtrArray *fds, ReexecKind kind, int fd, const char *name);

/* Takes what the last execution of this process has passed, and removes the variable. An empty
 * array when there was none; the descriptors are close-on-exec. What is not understood is left
 * out: *@ret_is_anew says whether this is a second execution at all. */
GPtrArray *reexec_receive(bool *ret_is_anew);

/* Where the running program came from; to be kept from the start, before an upgrade replaces
 * it. NULL when /proc does not tell. */
char *reexec_find_program(void);

/* Becomes @program with @argv (and, when that cannot be executed, what runs now again),
 * passing @fds. Only returns on failure. Errors: SYSTEM_ERROR. */
void reexec_run(const char *program, char **argv, GPtrArray *fds, GError **error);
