#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/modes.h"
#include "bench/rpc.h"
#include "bench/stats.h"

enum {
    POLL_US = 100,
    FIRST_ANSWER_MAX_US = 20 * 1000 * 1000,
};

static pid_t execute(char **command)
{
    pid_t pid = vfork();
    if (pid != 0)
        return pid;
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execvp(command[0], command);
    _exit(127);
}

/* Waits until @path accepts and answers. */
static void wait_for_answer(pid_t pid, const char *path)
{
    Message message;
    double end = clock_us() + FIRST_ANSWER_MAX_US;
    int fd;
    while ((fd = rpc_try_connect(path)) < 0) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            die("startup: the daemon ended");
        if (clock_us() > end)
            die("startup: no socket at %s: %s", path, strerror(errno));
        usleep(POLL_US);
    }
    rpc_call_plain(fd, RPC_AUTH_LIST, &message);
    close(fd);
}

void mode_startup(const Options *options)
{
    Samples samples;
    if (!options->command || !options->command[0])
        die("startup: no command was given");
    samples_init(&samples, options->rounds);
    double start = clock_us();
    for (size_t i = 0; i < options->rounds; i++) {
        /* Left over from the round before, it would only be an answer of the kernel. */
        unlink(options->socket);
        double begin = clock_us();
        pid_t pid = execute(options->command);
        wait_for_answer(pid, options->socket);
        samples_add(&samples, clock_us() - begin);
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
    }
    samples_print(&samples, "startup", clock_us() - start);
    samples_clear(&samples);
}

void mode_startup_floor(const Options *options)
{
    Samples samples;
    if (!options->command || !options->command[0])
        die("startup-floor: no command was given");
    char *command[] = { options->command[0], (char *)"--version", NULL };
    samples_init(&samples, options->rounds);
    double start = clock_us();
    for (size_t i = 0; i < options->rounds; i++) {
        int status;
        double begin = clock_us();
        if (waitpid(execute(command), &status, 0) < 0 || status != 0)
            die("startup-floor: %s --version failed", command[0]);
        samples_add(&samples, clock_us() - begin);
    }
    samples_print(&samples, "startup-floor", clock_us() - start);
    samples_clear(&samples);
}
