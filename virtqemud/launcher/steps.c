#include "virtqemud/launcher/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>


/* A step: 0, or -errno. *@ret_what says which argument it was about, if that tells something. */
typedef int (*StepFunc)(Launch *launch, const LaunchStep *step, const char **ret_what);

static int or_errno(long result)
{
    return result < 0 ? -errno : 0;
}

static int step_session(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    return or_errno(setsid());
}

static int step_umask(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    const char *text = step->args[0];
    size_t length = strspn(text, "01234567");

    if (length == 0 || length > 4 || text[length])
        return -EINVAL;
    umask((mode_t)strtoul(text, NULL, 8));
    return 0;
}

static bool limit_find(const char *name, int *ret_resource)
{
    static const struct {
        const char *name;
        int resource;
    } limits[] = {
        { "core", RLIMIT_CORE },
        { "nofile", RLIMIT_NOFILE },
        { "memlock", RLIMIT_MEMLOCK },
        { "nproc", RLIMIT_NPROC },
    };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (strcmp(limits[i].name, name) == 0) {
            *ret_resource = limits[i].resource;
            return true;
        }
    }
    return false;
}

static int step_limit(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    bool is_try = strcmp(step->args[2], "try") == 0;
    struct rlimit limit;
    long long number;
    int resource;

    *ret_what = step->args[0];
    if (!limit_find(step->args[0], &resource) || (!is_try && strcmp(step->args[2], "require") != 0))
        return -EINVAL;
    if (strcmp(step->args[1], "unlimited") == 0)
        limit.rlim_cur = RLIM_INFINITY;
    else if (launch_number_parse(step->args[1], 0, 999999999999999999, &number))
        limit.rlim_cur = (rlim_t)number;
    else
        return -EINVAL;
    limit.rlim_max = limit.rlim_cur;
    int result = or_errno(setrlimit(resource, &limit));
    if (result == 0 || !is_try || getrlimit(resource, &limit) < 0)
        return result;
    /* Only a raise needs privileges: what we may have is the hard limit. */
    limit.rlim_cur = limit.rlim_max;
    return or_errno(setrlimit(resource, &limit));
}

static int step_nice(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    long long number;

    if (!launch_number_parse(step->args[0], -20, 19, &number))
        return -EINVAL;
    return or_errno(setpriority(PRIO_PROCESS, 0, (int)number));
}

/* One write: the files of the kernel take nothing less. */
static int file_write(const char *path, int flags, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, mode);
    int result = or_errno(fd);

    if (fd < 0)
        return result;
    ssize_t n = write(fd, text, strlen(text));
    result = n < 0 ? -errno : (size_t)n < strlen(text) ? -EIO : 0;
    close(fd);
    return result;
}

static int step_oom_score(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    long long number;

    if (!launch_number_parse(step->args[0], -1000, 1000, &number))
        return -EINVAL;
    return file_write("/proc/self/oom_score_adj", 0, 0, step->args[0]);
}

/* One "N" or "N-M" at @text; returns what follows it, NULL when it is wrong. */
static const char *affinity_range(const char *text, cpu_set_t *set)
{
    char *end;

    if (*text < '0' || *text > '9')
        return NULL;
    unsigned long first = strtoul(text, &end, 10), last = first;
    if (*end == '-') {
        if (end[1] < '0' || end[1] > '9')
            return NULL;
        last = strtoul(end + 1, &end, 10);
    }
    if (last < first || last >= CPU_SETSIZE)
        return NULL;
    for (unsigned long cpu = first; cpu <= last; cpu++)
        CPU_SET(cpu, set);
    return end;
}

static int step_affinity(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    const char *at = step->args[0];
    cpu_set_t set;

    *ret_what = step->args[0];
    CPU_ZERO(&set);
    for (;;) {
        at = affinity_range(at, &set);
        if (!at)
            return -EINVAL;
        if (!*at)
            return or_errno(sched_setaffinity(0, sizeof(set), &set));
        if (*at++ != ',')
            return -EINVAL;
    }
}

/* What an earlier process left is removed, not written to: it could be a link. */
static int step_pid_file(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    char text[16];
    mode_t mask = umask(022);

    *ret_what = step->args[0];
    snprintf(text, sizeof(text), "%d", (int)getpid());
    unlink(step->args[0]);
    int result = file_write(step->args[0], O_CREAT | O_EXCL | O_NOFOLLOW, 0644, text);
    umask(mask);
    return result;
}

static int step_groups(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    gid_t *groups = calloc(step->n_args + 1, sizeof(gid_t));
    long long number;
    int result = groups ? 0 : -ENOMEM;

    for (size_t i = 0; i < step->n_args && result == 0; i++) {
        if (launch_number_parse(step->args[i], 0, UINT32_MAX - 1, &number))
            groups[i] = (gid_t)number;
        else
            result = -EINVAL;
    }
    if (result == 0)
        result = or_errno(setgroups(step->n_args, groups));
    free(groups);
    return result;
}

static int step_gid(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    long long number;

    if (!launch_number_parse(step->args[0], 0, UINT32_MAX - 1, &number))
        return -EINVAL;
    return or_errno(setresgid((gid_t)number, (gid_t)number, (gid_t)number));
}

static int step_uid(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    long long number;

    if (!launch_number_parse(step->args[0], 0, UINT32_MAX - 1, &number))
        return -EINVAL;
    return or_errno(setresuid((uid_t)number, (uid_t)number, (uid_t)number));
}

/* What keeps a program from getting capabilities by the files that it executes. Best
 * effort: it needs a capability itself, which a daemon in a container may not have. */
static int step_no_new_capabilities(Launch *launch, const LaunchStep *step,
                                    const char **ret_what)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EPERM)
            return -errno;
    }
    return 0;
}

static int step_no_capabilities(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    return or_errno(syscall(SYS_capset, &header, none));
}

static int step_no_new_privileges(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    return or_errno(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static int step_directory(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    *ret_what = step->args[0];
    return or_errno(chdir(step->args[0]));
}

static int step_environment(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    launch->environment = step->args;
    return 0;
}

static int step_connect(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    long long fd;

    *ret_what = step->args[1];
    if (!launch_number_parse(step->args[0], 0, LAUNCH_PLAN_MAX_FD, &fd))
        return -EINVAL;
    if (strlen(step->args[1]) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, step->args[1]);
    return or_errno(connect((int)fd, (struct sockaddr *)&address, sizeof(address)));
}

/* The first number above all that the program is to have. */
static int descriptors_floor(const LaunchStep *step, const char **ret_what)
{
    int from, to, floor = 0;

    for (size_t i = 0; i < step->n_args; i++) {
        *ret_what = step->args[i];
        if (!launch_descriptor_parse(step->args[i], &from, &to))
            return -EINVAL;
        if (to >= floor)
            floor = to + 1;
    }
    return floor;
}

/* A duplicate that is closed when the program begins, as the original will be. */
static int descriptor_lift(int fd, int floor)
{
    int lifted = fcntl(fd, F_DUPFD_CLOEXEC, floor);

    return lifted < 0 ? -errno : lifted;
}

/* All go above the numbers that the program sees before the first is put in its place, and
 * our own socket with them: the order does not matter then. */
static int step_descriptors(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    int from[LAUNCH_PLAN_MAX_FD], to[LAUNCH_PLAN_MAX_FD];
    int floor = descriptors_floor(step, ret_what);

    if (floor < 0)
        return floor;
    for (size_t i = 0; i < step->n_args; i++) {
        *ret_what = step->args[i];
        launch_descriptor_parse(step->args[i], &from[i], &to[i]);
        from[i] = descriptor_lift(from[i], floor);
        if (from[i] < 0)
            return from[i];
    }
    *ret_what = "";
    launch->status_fd = descriptor_lift(launch->status_fd, floor);
    /* Nothing is closed here: everything goes at once when the program begins, the socket
     * too, whose end tells the daemon that it did. */
    if (launch->status_fd < 0 || close_range(0, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return -errno;
    for (size_t i = 0; i < step->n_args; i++) {
        *ret_what = step->args[i];
        if (dup2(from[i], to[i]) < 0)
            return -errno;
    }
    return 0;
}

/* The daemon may be gone: then this must not become a program that nobody knows of. */
static int step_wait(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    char answer[sizeof(LAUNCH_GO)] = { 0 };
    ssize_t n;

    if (send(launch->status_fd, LAUNCH_READY, strlen(LAUNCH_READY), MSG_NOSIGNAL) < 0)
        return -errno;
    do
        n = recv(launch->status_fd, answer, sizeof(answer) - 1, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return strcmp(answer, LAUNCH_GO) == 0 ? 0 : -ECANCELED;
}

static int step_execute(Launch *launch, const LaunchStep *step, const char **ret_what)
{
    *ret_what = step->args[0];
    execve(step->args[0], step->args + 1, launch->environment);
    return -errno;
}

static const StepFunc funcs[LAUNCH_N_STEPS] = {
    [LAUNCH_STEP_SESSION] = step_session,
    [LAUNCH_STEP_UMASK] = step_umask,
    [LAUNCH_STEP_LIMIT] = step_limit,
    [LAUNCH_STEP_NICE] = step_nice,
    [LAUNCH_STEP_OOM_SCORE] = step_oom_score,
    [LAUNCH_STEP_AFFINITY] = step_affinity,
    [LAUNCH_STEP_PID_FILE] = step_pid_file,
    [LAUNCH_STEP_GROUPS] = step_groups,
    [LAUNCH_STEP_GID] = step_gid,
    [LAUNCH_STEP_UID] = step_uid,
    [LAUNCH_STEP_NO_NEW_CAPABILITIES] = step_no_new_capabilities,
    [LAUNCH_STEP_NO_CAPABILITIES] = step_no_capabilities,
    [LAUNCH_STEP_NO_NEW_PRIVILEGES] = step_no_new_privileges,
    [LAUNCH_STEP_DIRECTORY] = step_directory,
    [LAUNCH_STEP_ENVIRONMENT] = step_environment,
    [LAUNCH_STEP_CONNECT] = step_connect,
    [LAUNCH_STEP_DESCRIPTORS] = step_descriptors,
    [LAUNCH_STEP_WAIT] = step_wait,
    [LAUNCH_STEP_EXECUTE] = step_execute,
};

int launch_run(Launch *launch, const LaunchPlan *plan, const LaunchStep **ret_step,
               const char **ret_what)
{
    int result = -EINVAL;

    for (size_t i = 0; i < plan->n_steps; i++) {
        *ret_step = &plan->steps[i];
        *ret_what = "";
        result = funcs[plan->steps[i].kind](launch, &plan->steps[i], ret_what);
        if (result < 0)
            break;
    }
    return -result;
}
