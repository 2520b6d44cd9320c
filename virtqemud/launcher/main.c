/* The program that becomes QEMU: reads a plan (plan.h), does it step by step to itself, the last
 * step being the execution of QEMU. virtqemud starts it for each guest, so that no code of
 * the daemon runs between fork and exec, and nothing of the daemon's memory is in it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "virtqemud/launcher/steps.h"

#define EXIT_FAILED 127

/* Reads the descriptor to its end, from its beginning if it has one. */
static char *plan_read(size_t *ret_length)
{
    struct stat info;
    size_t length = 0;

    /* A file, in memory or elsewhere: its size is known. */
    if (fstat(LAUNCH_FD_PLAN, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size <= 0 ||
        info.st_size > LAUNCH_PLAN_MAX_BYTES)
        return NULL;
    char *text = malloc((size_t)info.st_size);
    while (text && length < (size_t)info.st_size) {
        ssize_t n = pread(LAUNCH_FD_PLAN, text + length, (size_t)info.st_size - length,
                          (off_t)length);
        if (n <= 0) {
            free(text);
            return NULL;
        }
        length += (size_t)n;
    }
    *ret_length = length;
    return text;
}

/* Also those between the classic and the real-time signals, which the C library keeps to itself
 * and leaves ignored. All zero is the kernel's default action, however it lays the struct out. */
static void reset_signals(void)
{
    const unsigned long zero[8] = { 0 };

    for (int i = 1; i < NSIG; i++)
        syscall(SYS_rt_sigaction, i, zero, NULL, (NSIG - 1) / 8);
}

/* Three strings with their zero bytes; a long text is cut. */
static void report(int status_fd, const char *step, int errnum, const char *what)
{
    char message[LAUNCH_STATUS_MAX_BYTES];
    int head = snprintf(message, sizeof(message), "%s%c%d%c", step, '\0', errnum, '\0');
    size_t length = strnlen(what, sizeof(message) - (size_t)head - 1);

    memcpy(message + head, what, length);
    message[(size_t)head + length] = '\0';
    send(status_fd, message, (size_t)head + length + 1, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
    char *no_environment[] = { NULL };
    Launch launch = { .status_fd = LAUNCH_FD_STATUS, .environment = no_environment };
    static LaunchPlan plan;
    const LaunchStep *step = NULL;
    const char *what;
    size_t length = 0;
    int errnum = EINVAL;

    if (argc != 1 || fcntl(LAUNCH_FD_STATUS, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(LAUNCH_FD_PLAN, F_SETFD, FD_CLOEXEC) < 0) {
        fprintf(stderr, "%s is started by virtqemud alone\n", argv[0]);
        return EXIT_FAILED;
    }
    reset_signals();
    char *text = plan_read(&length);
    if (!text)
        what = "it cannot be read";
    else if (launch_plan_parse(text, length, &plan, &what))
        errnum = launch_run(&launch, &plan, &step, &what);
    report(launch.status_fd, step ? launch_step_name(step->kind) : "plan", errnum, what);
    /* Nothing of this process is worth being looked after. */
    _exit(EXIT_FAILED);
}
