/* posix_spawn() shares our memory until the program runs, so that a daemon with much
 * memory starts children as fast as a small one. It moves descriptors in the order of
 * its actions; everything else that we have open is closed there. */
#include "fiber/process_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/internal.h"

#define PROCESS_FIRST_EXTRA_FD 3
/* How long a killed child may take before the loop looks after it. */
#define PROCESS_REAP_MS 1000

/* What is needed until the program runs. */
typedef struct ProcessStart {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    GArray *fds; /* to be closed here afterwards */
    int first_free_fd;
} ProcessStart;

static void process_start_close_fd(void *data)
{
    close(*(int *)data);
}

static void process_start_init(ProcessStart *start, const ProcessSpec *spec)
{
    const short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&start->actions);
    posix_spawnattr_init(&start->attributes);
    posix_spawnattr_setflags(&start->attributes, flags);
    posix_spawnattr_setsigmask(&start->attributes, &none);
    posix_spawnattr_setsigdefault(&start->attributes, &all);
    posix_spawnattr_setpgroup(&start->attributes, 0);
    start->fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(start->fds, process_start_close_fd);
    start->first_free_fd = PROCESS_FIRST_EXTRA_FD + (int)spec->n_fds;
}

static void process_start_clear(ProcessStart *start)
{
    posix_spawn_file_actions_destroy(&start->actions);
    posix_spawnattr_destroy(&start->attributes);
    g_array_unref(start->fds);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcessStart, process_start_clear)

/* The child gets @fd as @target. It is moved out of the way of all targets first: the
 * order of the moves in the child does not matter then. */
static int process_start_give_fd(ProcessStart *start, int fd, int target)
{
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, start->first_free_fd);

    if (duplicate < 0)
        return -errno;
    g_array_append_val(start->fds, duplicate);
    return -posix_spawn_file_actions_adddup2(&start->actions, duplicate, target);
}

/* A file in memory rather than a pipe: nothing to feed, no SIGPIPE. */
static int process_start_give_input(ProcessStart *start, const ProcessSpec *spec)
{
    if (!spec->input)
        return -posix_spawn_file_actions_addopen(&start->actions, STDIN_FILENO, "/dev/null",
                                                 O_RDONLY, 0);

    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    g_array_append_val(start->fds, fd);
    for (size_t done = 0; done < spec->input_length;) {
        ssize_t n = pwrite(fd, spec->input + done, spec->input_length - done, (off_t)done);
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return process_start_give_fd(start, fd, STDIN_FILENO);
}

static int process_start_give_output(ProcessStart *start, int target, int *ret_read_fd)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    *ret_read_fd = fds[0];
    g_array_append_val(start->fds, fds[1]);
    /* Ours alone: the child's end has a file description of its own. */
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return process_start_give_fd(start, fds[1], target);
}

static int process_start_give_all(ProcessStart *start, const ProcessSpec *spec, ProcessChild *child)
{
    int result = process_start_give_input(start, spec);

    if (result == 0)
        result = process_start_give_output(start, STDOUT_FILENO, &child->output_fds[0]);
    if (result == 0)
        result = process_start_give_output(start, STDERR_FILENO, &child->output_fds[1]);
    for (size_t i = 0; i < spec->n_fds && result == 0; i++)
        result = process_start_give_fd(start, spec->fds[i], PROCESS_FIRST_EXTRA_FD + (int)i);
    if (result == 0)
        result = -posix_spawn_file_actions_addclosefrom_np(&start->actions, start->first_free_fd);
    return result;
}

/* The group has the number of the child: it exists before the program runs. */
static int process_start_execute(ProcessStart *start, const ProcessSpec *spec, ProcessChild *child)
{
    char *const *argv = (char *const *)spec->argv;
    char *const *envp = spec->envp ? (char *const *)spec->envp : environ;
    int result =
        -posix_spawnp(&child->pid, argv[0], &start->actions, &start->attributes, argv, envp);

    if (result < 0)
        return result;
    child->pid_fd = pidfd_open(child->pid, 0);
    if (child->pid_fd < 0) {
        result = -errno;
        kill(-child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
    return result;
}

bool process_child_start(const ProcessSpec *spec, ProcessChild *ret_child, GError **error)
{
    ProcessChild child = { .pid_fd = -1, .output_fds = { -1, -1 } };
    g_auto(ProcessStart) start;

    process_start_init(&start, spec);
    int result = process_start_give_all(&start, spec, &child);
    if (result == 0)
        result = process_start_execute(&start, spec, &child);
    if (result < 0) {
        process_child_clear(&child);
        error_set_errno(error, VIR_FROM_NONE, -result, "cannot run program '%s'", spec->argv[0]);
        return false;
    }
    *ret_child = child;
    return true;
}

bool process_child_reap(ProcessChild *child, int *ret_exit_status, int *ret_signal, GError **error)
{
    /* Fails when SIGCHLD is ignored: the kernel reaps by itself then. */
    siginfo_t info = { 0 };

    if (waitid(P_PIDFD, (id_t)child->pid_fd, &info, WEXITED | WNOHANG) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot learn how process %d ended",
                        child->pid);
        return false;
    }
    bool has_exited = info.si_code == CLD_EXITED;
    *ret_exit_status = has_exited ? info.si_status : -1;
    *ret_signal = has_exited ? 0 : info.si_status;
    return true;
}

static int process_child_handle_late_end(sd_event_source *source, int fd, uint32_t revents,
                                         void *data)
{
    siginfo_t info;

    waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    /* The event loop's reference was the only one. */
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    sd_event_source_set_floating(source, false);
    return 0;
}

/* The source belongs to the event loop and owns the descriptor. */
static void process_child_leave_to_loop(ProcessChild *child)
{
    sd_event *event = fiber_loop_get_event(fiber_get_loop(fiber_current()));
    sd_event_source *source = NULL;

    if (sd_event_add_io(event, &source, child->pid_fd, EPOLLIN, process_child_handle_late_end,
                        NULL) < 0)
        return;
    sd_event_source_set_io_fd_own(source, true);
    sd_event_source_set_floating(source, true);
    sd_event_source_unref(source);
    child->pid_fd = -1;
}

void process_child_kill(ProcessChild *child)
{
    int exit_status, signal;

    /* The child itself too: it may have left its group. */
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    if (wait_fd_shielded(child->pid_fd, EPOLLIN, fiber_deadline_ms(PROCESS_REAP_MS)))
        process_child_reap(child, &exit_status, &signal, NULL);
    else
        process_child_leave_to_loop(child);
}

void process_child_clear(ProcessChild *child)
{
    for (int i = 0; i < 2; i++) {
        if (child->output_fds[i] >= 0)
            close(child->output_fds[i]);
        child->output_fds[i] = -1;
    }
    if (child->pid_fd >= 0)
        close(child->pid_fd);
    child->pid_fd = -1;
}
