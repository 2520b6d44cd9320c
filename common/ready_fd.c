/* --ready-fd: readiness for parents that are not systemd. A daemon writes the line READY=1 to a
 * descriptor that it was started with, once its sockets answer, and closes it. A parent that
 * reads the end of the file instead knows that the daemon could not start. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common/daemon_private.h"

#include "base/log.h"

LOG_INIT("daemon.ready");

/* Supervisors that wait for a line end, s6 for one, take this one as well as those who read it. */
#define READY_LINE "READY=1\n"

/* Names the process that has said it. One that executes itself anew has the same command line, but
 * by now another file at that number. */
#define SAID_VARIABLE "SPLITVIRT_READY_PID"

static bool has_to_say(const Daemon *daemon)
{
    g_autofree char *own = g_strdup_printf("%d", (int)getpid());

    return daemon->options->has_ready_fd && g_strcmp0(g_getenv(SAID_VARIABLE), own) != 0;
}

/* The number must mean what our parent had at it, not what the service manager passed. */
static bool check_is_free(const Daemon *daemon, int fd, GError **error)
{
    for (guint i = 0; daemon->activated && i < daemon->activated->len; i++) {
        const NetActivatedFd *activated = g_ptr_array_index(daemon->activated, i);

        if (activated->fd != fd)
            continue;
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG,
                  "option --ready-fd: descriptor %d is '%s', which the service manager passed", fd,
                  activated->name);
        return false;
    }
    return true;
}

bool daemon_check_ready_fd(const Daemon *daemon, GError **error)
{
    int fd = daemon->options->ready_fd;
    int flags;

    if (!has_to_say(daemon))
        return true;
    if (!check_is_free(daemon, fd, error))
        return false;
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG,
                  "option --ready-fd: descriptor %d %s", fd,
                  flags < 0 ? "is not open" : "is not open for writing");
        return false;
    }
    /* A program that is started meanwhile must not keep it open. */
    if (fd > STDERR_FILENO)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return true;
}

/* Nobody who listens any more is no error. The standard descriptors stay in use for logging. */
void daemon_announce_ready_fd(const Daemon *daemon)
{
    int fd = daemon->options->ready_fd;
    g_autofree char *own = NULL;
    ssize_t written;

    if (!has_to_say(daemon))
        return;
    do
        written = write(fd, READY_LINE, strlen(READY_LINE));
    while (written < 0 && errno == EINTR);
    if (written < 0)
        LOG_DEBUG("nobody waits at descriptor %d: %s", fd, g_strerror(errno));
    if (fd > STDERR_FILENO)
        close(fd);
    own = g_strdup_printf("%d", (int)getpid());
    g_setenv(SAID_VARIABLE, own, true);
}
