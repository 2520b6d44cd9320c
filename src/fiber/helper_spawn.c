#include "fiber/helper_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "fiber/helper_pool.h"

/* The child's, until it is another program. */
#define STACK_BYTES (64 * 1024)

#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define NOT_SANITIZED __attribute__((no_sanitize("address"), noinline))
#else
#define NOT_SANITIZED __attribute__((noinline))
#endif

typedef struct Spawn {
    const char *program;
    char *const *argv;
    int errnum; /* the child's, when it could not become the program */
} Spawn;

void helper_spawn_occupy_low(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), last = fd;

    while (last >= 0 && last < HELPER_SPAWN_LOW)
        last = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (last >= 0)
        close(last);
}

/* In the child, which shares its parent's memory, and at first its descriptors too: system calls
 * alone, and none that changes a descriptor before it has a table of its own, with 0 to 2 of the
 * parent's and nothing else. 0 is its socket. */
NOT_SANITIZED static int run_child(void *data)
{
    static char *const environment[] = { NULL };
    Spawn *spawn = data;
    sigset_t none;

    if (syscall(SYS_close_range, HELPER_POOL_FD, ~0U, CLOSE_RANGE_UNSHARE) == 0 &&
        dup2(STDIN_FILENO, HELPER_POOL_FD) >= 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
            dup2(null, fd);
        signal(SIGPIPE, SIG_DFL);
        setpgid(0, 0);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(spawn->program, spawn->argv, environment);
    }
    spawn->errnum = errno;
    _exit(127);
}

/* Handlers of the parent must not run in the child. It waits until the child shares no more. */
static int clone_child(Spawn *spawn, int *ret_pid_fd)
{
    g_autofree char *stack = g_malloc(STACK_BYTES);
    char *top = (char *)((uintptr_t)(stack + STACK_BYTES) & ~(uintptr_t)63);
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pid = clone(run_child, top, CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | SIGCHLD,
                    spawn, ret_pid_fd);
    int result = pid < 0 ? -errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

/* The child can only take descriptors below all others, so its socket is lent the number 0. */
int helper_spawn(const char *program, char *name, int socket_fd, int *ret_pid_fd)
{
    char *const argv[] = { name, NULL };
    Spawn spawn = { program, argv, 0 };
    siginfo_t info;
    int pid_fd = -1;

    int stdin_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, HELPER_POOL_FD);
    if (stdin_fd < 0)
        return -errno;
    int result = dup2(socket_fd, STDIN_FILENO) < 0 ? -errno : clone_child(&spawn, &pid_fd);
    dup2(stdin_fd, STDIN_FILENO);
    close(stdin_fd);
    if (result == 0 && spawn.errnum != 0) {
        result = -spawn.errnum;
        waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED);
        close(pid_fd);
    }
    if (result == 0)
        *ret_pid_fd = pid_fd;
    return result;
}
