#include "virtqemud/guest/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/helper_program.h"
#include "virtqemud/launcher/plan_writer.h"

#define LAUNCHER "splitvirt_launcher"

static void plan_limit(GByteArray *plan, const char *name, rlim_t value)
{
    plan_begin(plan, LAUNCH_STEP_LIMIT, 3);
    plan_add(plan, name);
    if (value == RLIM_INFINITY)
        plan_add(plan, "unlimited");
    else
        plan_add_number(plan, (int64_t)value);
    plan_add(plan, "try");
}

static void plan_limits(GByteArray *plan, const GuestProcessLimits *limits)
{
    if (limits->sets_core)
        plan_limit(plan, "core", limits->core_bytes);
    if (limits->n_files > 0)
        plan_limit(plan, "nofile", limits->n_files);
    if (limits->n_processes > 0)
        plan_limit(plan, "nproc", limits->n_processes);
    if (limits->locked_bytes > 0)
        plan_limit(plan, "memlock", limits->locked_bytes);
}

static void plan_connections(GByteArray *plan, const GuestProcessSpec *spec)
{
    for (size_t i = 0; i < spec->n_fds; i++) {
        if (!spec->fds[i].connects_to)
            continue;
        plan_begin(plan, LAUNCH_STEP_CONNECT, 2);
        plan_add_number(plan, LAUNCH_FD_FIRST + (int64_t)i);
        plan_add(plan, spec->fds[i].connects_to);
    }
}

/* In the order of launch_fds(). */
static void plan_descriptors(GByteArray *plan, const GuestProcessSpec *spec)
{
    int log_fd = spec->log_fd > STDERR_FILENO ? LAUNCH_FD_FIRST + (int)spec->n_fds : STDOUT_FILENO;

    plan_begin(plan, LAUNCH_STEP_DESCRIPTORS, spec->n_fds + 3);
    plan_add_move(plan, STDIN_FILENO, STDIN_FILENO);
    plan_add_move(plan, log_fd, STDOUT_FILENO);
    plan_add_move(plan, log_fd, STDERR_FILENO);
    for (size_t i = 0; i < spec->n_fds; i++)
        plan_add_move(plan, LAUNCH_FD_FIRST + (int)i, spec->fds[i].target);
}

/* Last, in this order: each takes something that the ones before it need. */
static void plan_user(GByteArray *plan, const GuestProcessSpec *spec)
{
    if (spec->clears_capabilities)
        plan_begin(plan, LAUNCH_STEP_NO_NEW_CAPABILITIES, 0);
    if (spec->sets_user)
        plan_steps_user(plan, spec->uid, spec->gid, spec->groups, spec->n_groups);
    if (spec->clears_capabilities)
        plan_begin(plan, LAUNCH_STEP_NO_CAPABILITIES, 0);
    if (spec->denies_new_privileges)
        plan_begin(plan, LAUNCH_STEP_NO_NEW_PRIVILEGES, 0);
}

static void plan_umask(GByteArray *plan, const GuestProcessSpec *spec)
{
    char text[8];

    g_snprintf(text, sizeof(text), "%04o", (unsigned)spec->umask & 0777);
    if (spec->sets_umask)
        plan_step_text(plan, LAUNCH_STEP_UMASK, text);
}

GByteArray *guest_launch_plan(const GuestProcessSpec *spec)
{
    GByteArray *plan = plan_writer_new();

    plan_begin(plan, LAUNCH_STEP_SESSION, 0);
    plan_step_text(plan, LAUNCH_STEP_PID_FILE, spec->pid_file);
    plan_umask(plan, spec);
    plan_step_text(plan, LAUNCH_STEP_AFFINITY, spec->affinity);
    if (spec->nice != 0)
        plan_step_number(plan, LAUNCH_STEP_NICE, spec->nice);
    if (spec->oom_score != 0)
        plan_step_number(plan, LAUNCH_STEP_OOM_SCORE, spec->oom_score);
    plan_connections(plan, spec);
    plan_descriptors(plan, spec);
    plan_limits(plan, &spec->limits);
    plan_user(plan, spec);
    /* As the user who has to live there. */
    plan_step_text(plan, LAUNCH_STEP_DIRECTORY, spec->directory ? spec->directory : "/");
    plan_step_environment(plan, spec->envp);
    if (spec->waits_for_go)
        plan_begin(plan, LAUNCH_STEP_WAIT, 0);
    plan_step_execute(plan, spec->path, spec->argv);
    return plan;
}

/* What is needed until the launcher runs. */
typedef struct Spawn {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    GArray *fds; /* ours, closed here afterwards */
    int next_target;
    int floor; /* above all targets: moves do not meet each other there */
} Spawn;

static void spawn_close_fd(void *data)
{
    close(*(int *)data);
}

static void spawn_init(Spawn *spawn, const GuestProcessSpec *spec)
{
    sigset_t none;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&spawn->actions);
    posix_spawnattr_init(&spawn->attributes);
    /* The actions of signals are the launcher's first work. */
    posix_spawnattr_setflags(&spawn->attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&spawn->attributes, &none);
    spawn->fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(spawn->fds, spawn_close_fd);
    spawn->next_target = LAUNCH_FD_PLAN;
    spawn->floor = LAUNCH_FD_FIRST + (int)spec->n_fds + 1;
}

static void spawn_clear(Spawn *spawn)
{
    posix_spawn_file_actions_destroy(&spawn->actions);
    posix_spawnattr_destroy(&spawn->attributes);
    g_array_unref(spawn->fds);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Spawn, spawn_clear)

/* Gives @fd the next number in the launcher. */
static int spawn_give(Spawn *spawn, int fd)
{
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, spawn->floor);

    if (duplicate < 0)
        return -errno;
    g_array_append_val(spawn->fds, duplicate);
    return -posix_spawn_file_actions_adddup2(&spawn->actions, duplicate, spawn->next_target++);
}

static int spawn_give_plan(Spawn *spawn, const GuestProcessSpec *spec)
{
    g_autoptr(GByteArray) plan = guest_launch_plan(spec);
    int fd = plan_writer_open(plan);

    if (fd < 0)
        return fd;
    g_array_append_val(spawn->fds, fd);
    return spawn_give(spawn, fd);
}

static int spawn_give_status(Spawn *spawn, GuestLaunch *launch)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    launch->status_fd = fds[0];
    g_array_append_val(spawn->fds, fds[1]);
    return spawn_give(spawn, fds[1]);
}

static int spawn_give_all(Spawn *spawn, const GuestProcessSpec *spec, GuestLaunch *launch)
{
    int result = -posix_spawn_file_actions_addopen(&spawn->actions, STDIN_FILENO, "/dev/null",
                                                   O_RDWR, 0);

    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && result == 0; fd++)
        result = -posix_spawn_file_actions_adddup2(&spawn->actions, STDIN_FILENO, fd);
    if (result == 0)
        result = spawn_give_plan(spawn, spec);
    if (result == 0)
        result = spawn_give_status(spawn, launch);
    for (size_t i = 0; i < spec->n_fds && result == 0; i++)
        result = spawn_give(spawn, spec->fds[i].fd);
    if (result == 0 && spec->log_fd > STDERR_FILENO)
        result = spawn_give(spawn, spec->log_fd);
    return result;
}

static int spawn_execute(Spawn *spawn, const GuestProcessSpec *spec, const char *launcher,
                         GuestLaunch *launch)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    char *const envp[] = { NULL };

    for (size_t i = 0; spec->before && spec->before[i]; i++)
        g_ptr_array_add(argv, (char *)spec->before[i]);
    g_ptr_array_add(argv, spec->before ? (char *)launcher : (char *)LAUNCHER);
    g_ptr_array_add(argv, NULL);
    int result = -posix_spawn(&launch->pid, spec->before ? spec->before[0] : launcher,
                              &spawn->actions, &spawn->attributes, (char *const *)argv->pdata,
                              envp);

    if (result < 0)
        return result;
    launch->pid_fd = pidfd_open(launch->pid, 0);
    if (launch->pid_fd < 0) {
        result = -errno;
        kill(launch->pid, SIGKILL);
        waitpid(launch->pid, NULL, 0);
    }
    return result;
}

bool guest_launch_start(const GuestProcessSpec *spec, GuestLaunch *ret_launch, GError **error)
{
    g_autofree char *launcher = helper_program_find(LAUNCHER);
    GuestLaunch launch = { .pid_fd = -1, .status_fd = -1 };
    g_auto(Spawn) spawn = { 0 };

    spawn_init(&spawn, spec);
    int result = spawn_give_all(&spawn, spec, &launch);
    if (result == 0)
        result = spawn_execute(&spawn, spec, launcher, &launch);
    if (result < 0) {
        if (launch.status_fd >= 0)
            close(launch.status_fd);
        error_set_errno(error, VIR_FROM_QEMU, -result, "cannot run the launcher '%s'", launcher);
        return false;
    }
    *ret_launch = launch;
    return true;
}

/* The next string of the message, "" behind its end. */
static const char *message_next(const char **at, const char *end)
{
    const char *string = *at;
    size_t length = string < end ? strnlen(string, (size_t)(end - string)) : 0;

    if (string + length >= end)
        return "";
    *at += length + 1;
    return string;
}

void guest_launch_set_error(const GuestProcessSpec *spec, const char *message, size_t length,
                            GError **error)
{
    const char *at = message, *end = message + length;
    const char *step = message_next(&at, end);
    int errnum = atoi(message_next(&at, end));
    const char *what = message_next(&at, end);
    const char *path = spec->path ? spec->path : spec->argv[0];

    if (g_str_equal(step, launch_step_name(LAUNCH_STEP_EXECUTE)))
        error_set_errno(error, VIR_FROM_QEMU, errnum, "cannot execute '%s'", path);
    else
        error_set_errno(error, VIR_FROM_QEMU, errnum, "cannot prepare the process of '%s': step "
                        "'%s' failed%s%s", path, step, *what ? " on " : "", what);
}
