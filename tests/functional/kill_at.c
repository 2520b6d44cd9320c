/* Preloaded into a daemon by a test: ends it with SIGKILL before or after the N-th call that
 * others can see (writes, names of files, processes, signals). Calls are counted from the moment
 * that the file named by KILL_AT exists; it holds the number, negative for "before". */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int n_calls;

static void end(void)
{
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;)
        syscall(SYS_pause);
}

/* The number in the file, 0 while there is none. System calls alone: nothing here is counted. */
static int wanted(void)
{
    const char *path = getenv("KILL_AT");
    char text[16] = "";
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    if (syscall(SYS_read, fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    syscall(SYS_close, fd);
    return atoi(text);
}

/* For the test, which wants to know how many there are, and may read while another thread counts:
 * the file is never empty, nor longer than what is written. */
static void tell(int number)
{
    char path[256], text[16];
    int length = snprintf(text, sizeof(text), "%8d\n", number);
    int fd;

    snprintf(path, sizeof(path), "%s.count", getenv("KILL_AT"));
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    syscall(SYS_write, fd, text, length);
    syscall(SYS_close, fd);
}

/* Counts a call that is about to be made. Whether the process is to end after it. */
static bool count(void)
{
    int at = wanted(), number;

    if (at == 0)
        return false;
    number = atomic_fetch_add(&n_calls, 1) + 1;
    tell(number);
    if (-at == number)
        end();
    return at == number;
}

#define WRAP(type, name, parameters, ...)                                                          \
    __attribute__((visibility("default"))) type name parameters;                                   \
    type name parameters                                                                           \
    {                                                                                              \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);                      \
        bool is_last = count();                                                                    \
        type result = real(__VA_ARGS__);                                                           \
                                                                                                   \
        if (is_last)                                                                               \
            end();                                                                                 \
        return result;                                                                             \
    }

WRAP(ssize_t, write, (int fd, const void *data, size_t size), fd, data, size)
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), fd, data, size, at)
WRAP(ssize_t, send, (int fd, const void *data, size_t size, int flags), fd, data, size, flags)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), fd, message, flags)
WRAP(int, rename, (const char *from, const char *to), from, to)
WRAP(int, unlink, (const char *path), path)
WRAP(int, unlinkat, (int fd, const char *path, int flags), fd, path, flags)
WRAP(int, rmdir, (const char *path), path)
WRAP(int, mkdir, (const char *path, mode_t mode), path, mode)
WRAP(int, chown, (const char *path, uid_t uid, gid_t gid), path, uid, gid)
WRAP(int, ftruncate64, (int fd, off64_t length), fd, length)
WRAP(int, chmod, (const char *path, mode_t mode), path, mode)
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), fd, uid, gid)
WRAP(int, fchmod, (int fd, mode_t mode), fd, mode)
WRAP(int, symlink, (const char *target, const char *path), target, path)
WRAP(int, fsync, (int fd), fd)
WRAP(int, kill, (pid_t pid, int number), pid, number)
WRAP(int, pidfd_send_signal, (int fd, int number, siginfo_t *info, unsigned flags), fd, number,
     info, flags)
WRAP(int, posix_spawn,
     (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]),
     pid, path, actions, attributes, argv, envp)
