/* The end of processes that are not ours to reap, by their pidfd. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/internal.h"
#include "fiber/process.h"

/* proc(5): the fields after the name, which is in parentheses and may contain any. */
#define STAT_FIELD_AFTER_NAME 3
#define STAT_FIELD_START_TIME 22

uint64_t process_start_time(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    const char *field = strrchr(text, ')');
    for (int i = STAT_FIELD_AFTER_NAME; field && i <= STAT_FIELD_START_TIME; i++)
        field = strchr(field + 1, ' ');
    return field ? strtoull(field + 1, NULL, 10) : 0;
}

bool process_wait_end(pid_t pid, uint64_t start_time, uint64_t deadline_us, GError **error)
{
    if (!fiber_may_wait("the end of a process", error))
        return false;
    int fd = pidfd_open(pid, 0);
    if (fd < 0 && errno == ESRCH)
        return true;
    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot watch process %d", pid);
        return false;
    }
    /* Asked after the descriptor was opened: now it cannot become another process. */
    bool is_other = start_time != 0 && process_start_time(pid) != start_time;
    bool ok = is_other || fiber_wait_fd(fd, EPOLLIN, deadline_us, NULL, error);
    close(fd);
    return ok;
}
