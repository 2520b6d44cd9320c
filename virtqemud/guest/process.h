/* The process of a guest, QEMU: started through the launcher, found again after the daemon was
 * started anew, watched by its pidfd, ended. It outlives the daemon: what a restart needs is
 * its number and its start time, which the owner keeps in the guest's status file.
 *
 * A process that we have started is our child and is reaped here; of one that was adopted
 * nobody tells us the exit status. A zombie counts as ended. */
#pragma once

#include <sys/resource.h>

#include "fiber/fiber.h"

typedef struct GuestProcess GuestProcess;

typedef struct GuestProcessFd {
    int fd;     /* ours; stays the caller's */
    int target; /* its number in QEMU, from 3 */
    const char *connects_to; /* a unix socket that QEMU's process connects to this path; or NULL */
} GuestProcessFd;

/* A limit is left as it is at 0; RLIM_INFINITY is none. One that is above what the daemon may
 * set is set as high as it may. */
typedef struct GuestProcessLimits {
    rlim_t core_bytes;
    bool sets_core; /* for core_bytes 0 means 0 */
    rlim_t n_files, n_processes, locked_bytes;
} GuestProcessLimits;

/* All strings and arrays stay the caller's. What is zero is left alone. */
typedef struct GuestProcessSpec {
    const char *path;        /* of the program; NULL: argv[0] */
    const char *const *argv; /* NULL-terminated, as the others */
    const char *const *envp; /* all of the environment; NULL: none */
    const char *directory;   /* NULL: "/" */
    const GuestProcessFd *fds;
    size_t n_fds;
    int log_fd; /* becomes standard output and error; below 3: /dev/null */
    bool sets_user;
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* all supplementary groups */
    size_t n_groups;
    bool clears_capabilities; /* also the bounding set */
    bool denies_new_privileges;
    bool sets_umask;
    mode_t umask;
    GuestProcessLimits limits;
    int nice;
    int oom_score;
    const char *affinity;             /* processors, "0-3,8" */
    const char *pid_file;             /* written before QEMU runs, 0644, by the daemon's user */
    bool waits_for_go;                /* see guest_process_go() */
    /* A program of ours and its arguments (NULL-terminated), which the process is first; it gets the
     * launcher's path as its last argument, and becomes that. NULL: none. */
    const char *const *before;
} GuestProcessSpec;

/* How a process ended. */
typedef struct GuestProcessEnd {
    bool is_known;   /* false: it was not our child */
    int exit_status; /* 0 to 255, or -1 when a signal ended it */
    int signal;
} GuestProcessEnd;

/* Called once, on the loop (not in a fiber), when the process has ended; never before
 * the start has returned. */
typedef void (*GuestProcessEndFunc)(GuestProcess *process, void *data);

/* Starts @spec's program in a session of its own, with default signals and exactly the
 * descriptors that it was given. Succeeds when the program runs; or, with waits_for_go, when
 * all is done but that. Errors: SYSTEM_ERROR naming the step that failed and why,
 * OPERATION_FAILED, OPERATION_TIMEOUT, OPERATION_ABORTED; it is killed then. @on_end may be NULL. */
SUSPENDS bool guest_process_start(const GuestProcessSpec *spec, uint64_t deadline_us,
                                  GuestProcessEndFunc on_end, void *data,
                                  GuestProcess **ret_process, GError **error);
/* Lets a process that waits become its program; @spec is for errors alone. When it fails,
 * guest_process_free() kills what is left. A daemon that dies before takes the process with
 * it, so that no guest runs that is not on record. */
SUSPENDS bool guest_process_go(GuestProcess *process, const GuestProcessSpec *spec,
                               uint64_t deadline_us, GError **error);

/* A process that is not our child. @start_time guards against a reused number.
 * Errors: OPERATION_INVALID when it is gone (also: a zombie, or another process). */
bool guest_process_adopt(FiberLoop *loop, pid_t pid, uint64_t start_time,
                         GuestProcessEndFunc on_end, void *data, GuestProcess **ret_process,
                         GError **error);
/* Forgets the process: it runs on, and is still reaped if it is our child. One that still
 * waits for its go is killed. No fiber may wait in it. */
void guest_process_free(GuestProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestProcess, guest_process_free)

pid_t guest_process_get_pid(const GuestProcess *process);
/* Owned by @process: readable when the process has ended. */
int guest_process_get_pid_fd(const GuestProcess *process);
/* Field 22 of /proc/PID/stat (proc(5)). */
uint64_t guest_process_get_start_time(const GuestProcess *process);
/* Asks the kernel: true until it has ended. */
bool guest_process_is_alive(const GuestProcess *process);

/* Sends @signal. One that has ended already is no error. Errors: SYSTEM_ERROR. */
bool guest_process_signal(const GuestProcess *process, int signal, GError **error);
/* Waits for the end. Errors: OPERATION_TIMEOUT, OPERATION_ABORTED. @ret_end may be NULL. */
SUSPENDS bool guest_process_wait_end(GuestProcess *process, uint64_t deadline_us,
                                     GuestProcessEnd *ret_end, GError **error);

/* SIGTERM, and SIGKILL for what is left at @kill_at_us (FIBER_FOREVER: never, 0: at once, without
 * SIGTERM). Success when it has ended. Errors: SYSTEM_ERROR naming the signal that did not
 * end it by @deadline_us, OPERATION_ABORTED. */
SUSPENDS bool guest_process_kill(GuestProcess *process, uint64_t kill_at_us, uint64_t deadline_us,
                                 GuestProcessEnd *ret_end, GError **error);
