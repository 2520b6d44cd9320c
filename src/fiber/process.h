/* Child processes: run a program, collect what it prints, give up at a deadline; and
 * watch the end of any process by its pidfd. No code runs between fork and exec in
 * this process beyond what posix_spawn does. The child inherits descriptors 0, 1 and 2
 * and those it was given, nothing else. */
#pragma once

#include "fiber/fiber.h"

typedef struct ProcessSpec {
    const char *const *argv;   /* argv[0] is looked up in PATH when it has no slash */
    const char *const *envp;   /* NULL: inherit */
    const char *input;         /* for standard input; NULL: /dev/null */
    size_t input_length;
    size_t max_output;         /* bytes of stdout and of stderr kept; 0: 1 MiB; more is an error */
    uint64_t deadline_us;      /* the process group gets SIGKILL then */
    const int *fds;            /* inherited as 3, 4, … */
    size_t n_fds;
} ProcessSpec;

typedef struct ProcessResult {
    int exit_status; /* 0–255, or -1 when a signal ended it */
    int signal;
    GString *output, *error_output;
} ProcessResult;
void process_result_clear(ProcessResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcessResult, process_result_clear)

/* Runs to the end. Succeeds when the program could be started and ended by itself,
 * whatever its status. Errors name the program. */
SUSPENDS bool process_run(const ProcessSpec *spec, ProcessResult *ret_result, GError **error);
/* The same, and a status other than 0 is an error that carries the last line the
 * program wrote to standard error. @ret_output may be NULL. */
SUSPENDS bool process_run_checked(const ProcessSpec *spec, char **ret_output, GError **error);

/* Waits for the end of process @pid, ours or not. @start_time (field 22 of
 * /proc/PID/stat, 0: any) guards against a reused number. Success when it is gone. */
SUSPENDS bool process_wait_end(pid_t pid, uint64_t start_time, uint64_t deadline_us,
                               GError **error);
/* Field 22 of /proc/PID/stat; 0 when there is no such process. */
uint64_t process_start_time(pid_t pid);
