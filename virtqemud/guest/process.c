/* The end of a process is its pidfd becoming readable: that holds for children and for others,
 * and for one that nobody has reaped yet. Whether it is our child shows when it is reaped. */
#include "virtqemud/guest/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/process.h"
#include "fiber/sync.h"
#include "virtqemud/guest/launch.h"
#include "virtqemud/launcher/plan.h"

#define DISCARD_MS 1000

struct GuestProcess {
    sd_event *event;
    sd_event_source *source; /* its end; NULL until the start is over, and after the end */
    pid_t pid;
    int pid_fd;
    int status_fd; /* of a launcher that waits for its go; otherwise -1 */
    uint64_t start_time;
    GuestProcessEndFunc on_end;
    void *data;
    FiberCompletion has_ended;
    GuestProcessEnd end;
};

static GuestProcess *guest_process_new(FiberLoop *loop, pid_t pid, int pid_fd,
                                       GuestProcessEndFunc on_end, void *data)
{
    GuestProcess *process = g_new0(GuestProcess, 1);

    process->event = sd_event_ref(fiber_loop_get_event(loop));
    process->pid = pid;
    process->pid_fd = pid_fd;
    process->status_fd = -1;
    process->start_time = process_start_time(pid);
    process->on_end = on_end;
    process->data = data;
    return process;
}

/* Fails when it is not our child: the end is unknown then. */
static void process_reap(int pid_fd, GuestProcessEnd *ret_end)
{
    siginfo_t info = { 0 };

    *ret_end = (GuestProcessEnd){ .exit_status = -1 };
    if (waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
        return;
    bool has_exited = info.si_code == CLD_EXITED;
    *ret_end = (GuestProcessEnd){
        .is_known = true,
        .exit_status = has_exited ? info.si_status : -1,
        .signal = has_exited ? 0 : info.si_status,
    };
}

/* The owner may free @process in its function. */
static int guest_process_handle_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    GuestProcess *process = data;

    process_reap(process->pid_fd, &process->end);
    process->source = sd_event_source_disable_unref(process->source);
    fiber_completion_signal(&process->has_ended);
    if (process->on_end)
        process->on_end(process, process->data);
    return 0;
}

/* From when it waits for its go, if it does: much may go wrong before. */
static bool guest_process_watch(GuestProcess *process, GError **error)
{
    if (process->source || process->has_ended.is_done)
        return true;
    int result = sd_event_add_io(process->event, &process->source, process->pid_fd, EPOLLIN,
                                 guest_process_handle_end, process);

    if (result < 0)
        error_set_errno(error, VIR_FROM_QEMU, -result, "cannot watch process %d", process->pid);
    return result >= 0;
}

static int handle_late_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    GuestProcessEnd end;

    process_reap(fd, &end);
    /* The event loop's reference was the only one. */
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    sd_event_source_set_floating(source, false);
    return 0;
}

/* The loop reaps it when it ends; the source owns the descriptor. */
static void process_leave_to_loop(sd_event *event, int pid_fd)
{
    sd_event_source *source = NULL;

    if (sd_event_add_io(event, &source, pid_fd, EPOLLIN, handle_late_end, NULL) < 0) {
        close(pid_fd);
        return;
    }
    sd_event_source_set_io_fd_own(source, true);
    sd_event_source_set_floating(source, true);
    sd_event_source_unref(source);
}

void guest_process_free(GuestProcess *process)
{
    if (!process)
        return;
    sd_event_source_disable_unref(process->source);
    if (process->status_fd >= 0) {
        pidfd_send_signal(process->pid_fd, SIGKILL, NULL, 0);
        close(process->status_fd);
    }
    if (process->has_ended.is_done)
        close(process->pid_fd);
    else
        process_leave_to_loop(process->event, process->pid_fd);
    sd_event_unref(process->event);
    g_free(process);
}

/* The next message of the launcher; *@ret_length is 0 at the end of the stream. */
static bool status_read(GuestProcess *process, char *buffer, size_t size, uint64_t deadline_us,
                        size_t *ret_length, GError **error)
{
    g_autoptr(GError) wait_error = NULL;
    ssize_t n;

    do {
        if (!fiber_wait_fd(process->status_fd, EPOLLIN, deadline_us, NULL, &wait_error)) {
            error_set(error, VIR_FROM_QEMU, (ErrorCode)wait_error->code,
                      "the launcher of process %d did not get ready: %s", process->pid,
                      error_detail(wait_error));
            return false;
        }
        n = recv(process->status_fd, buffer, size, MSG_DONTWAIT);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    /* Reset: the launcher has died with something of ours unread. */
    *ret_length = n > 0 ? (size_t)n : 0;
    return true;
}

/* Waits for the end of the stream (the program runs) or, with @waits, for "ready". */
static bool guest_process_wait_status(GuestProcess *process, const GuestProcessSpec *spec,
                                      bool waits, uint64_t deadline_us, GError **error)
{
    char message[LAUNCH_STATUS_MAX_BYTES];
    size_t length;

    if (!status_read(process, message, sizeof(message), deadline_us, &length, error))
        return false;
    if (waits && length == strlen(LAUNCH_READY) && memcmp(message, LAUNCH_READY, length) == 0)
        return guest_process_watch(process, error);
    if (length == 0 && !waits) {
        close(process->status_fd);
        process->status_fd = -1;
        return guest_process_watch(process, error);
    }
    if (length > 0)
        guest_launch_set_error(spec, message, length, error);
    else
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "the launcher of process %d was ended", process->pid);
    return false;
}

/* Descriptors that the launcher would refuse are the caller's mistake: said before anything
 * is started. */
static bool spec_check(const GuestProcessSpec *spec, GError **error)
{
    if (spec->n_fds > LAUNCH_PLAN_MAX_FD - 8) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%zu descriptors are too many",
                  spec->n_fds);
        return false;
    }
    for (size_t i = 0; i < spec->n_fds; i++) {
        if (spec->fds[i].target <= STDERR_FILENO || spec->fds[i].target >= LAUNCH_PLAN_MAX_FD) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                      "%d is no number for a descriptor of QEMU", spec->fds[i].target);
            return false;
        }
    }
    return true;
}

/* Ends what did not become a guest. It takes a moment only, unless it hangs in the kernel: then
 * the loop looks after it. */
static void guest_process_discard(GuestProcess *process)
{
    pidfd_send_signal(process->pid_fd, SIGKILL, NULL, 0);
    if (!fiber_wait_fd(process->pid_fd, EPOLLIN, fiber_deadline_ms(DISCARD_MS), NULL, NULL))
        return;
    process_reap(process->pid_fd, &process->end);
    process->has_ended.is_done = true;
}

bool guest_process_start(const GuestProcessSpec *spec, uint64_t deadline_us,
                         GuestProcessEndFunc on_end, void *data, GuestProcess **ret_process,
                         GError **error)
{
    g_autoptr(GuestProcess) process = NULL;
    GuestLaunch launch;

    if (!spec_check(spec, error) || !guest_launch_start(spec, &launch, error))
        return false;
    process = guest_process_new(fiber_get_loop(fiber_current()), launch.pid, launch.pid_fd,
                                on_end, data);
    /* As long as it is set, freeing the process kills it. */
    process->status_fd = launch.status_fd;
    if (!guest_process_wait_status(process, spec, spec->waits_for_go, deadline_us, error)) {
        guest_process_discard(process);
        return false;
    }
    *ret_process = g_steal_pointer(&process);
    return true;
}

bool guest_process_go(GuestProcess *process, const GuestProcessSpec *spec, uint64_t deadline_us,
                      GError **error)
{
    g_return_val_if_fail(process->status_fd >= 0, false);

    if (send(process->status_fd, LAUNCH_GO, strlen(LAUNCH_GO), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "the launcher of process %d was ended",
                        process->pid);
        return false;
    }
    return guest_process_wait_status(process, spec, false, deadline_us, error);
}

static bool adopt_fail(pid_t pid, GError **error)
{
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "process %d has ended", pid);
    return false;
}

bool guest_process_adopt(FiberLoop *loop, pid_t pid, uint64_t start_time,
                         GuestProcessEndFunc on_end, void *data, GuestProcess **ret_process,
                         GError **error)
{
    g_autoptr(GuestProcess) process = NULL;
    int pid_fd = pid > 0 ? pidfd_open(pid, 0) : -1;

    /* EINVAL: the number is one of a thread now. */
    if (pid_fd < 0 && (pid <= 0 || errno == ESRCH || errno == EINVAL))
        return adopt_fail(pid, error);
    if (pid_fd < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot watch process %d", pid);
        return false;
    }
    /* Its start time is read after the descriptor was opened: while it is alive then, the
     * descriptor and the number mean the same process. */
    process = guest_process_new(loop, pid, pid_fd, on_end, data);
    if (process->start_time != start_time || !guest_process_is_alive(process)) {
        /* Not ours to look after. */
        process->has_ended.is_done = true;
        return adopt_fail(pid, error);
    }
    if (!guest_process_watch(process, error))
        return false;
    *ret_process = g_steal_pointer(&process);
    return true;
}

pid_t guest_process_get_pid(const GuestProcess *process)
{
    return process->pid;
}

int guest_process_get_pid_fd(const GuestProcess *process)
{
    return process->pid_fd;
}

uint64_t guest_process_get_start_time(const GuestProcess *process)
{
    return process->start_time;
}

bool guest_process_is_alive(const GuestProcess *process)
{
    struct pollfd poll_fd = { .fd = process->pid_fd, .events = POLLIN };

    return !process->has_ended.is_done && poll(&poll_fd, 1, 0) == 0;
}

bool guest_process_signal(const GuestProcess *process, int signal, GError **error)
{
    if (process->has_ended.is_done || pidfd_send_signal(process->pid_fd, signal, NULL, 0) == 0 ||
        errno == ESRCH)
        return true;
    error_set_errno(error, VIR_FROM_QEMU, errno, "cannot send signal %d to process %d", signal,
                    process->pid);
    return false;
}

bool guest_process_wait_end(GuestProcess *process, uint64_t deadline_us, GuestProcessEnd *ret_end,
                            GError **error)
{
    if (!process->has_ended.is_done &&
        !fiber_completion_wait(&process->has_ended, deadline_us, error))
        return false;
    if (ret_end)
        *ret_end = process->end;
    return true;
}

/* False with @error unset: it has not ended in time. */
static bool signal_and_wait(GuestProcess *process, int signal, uint64_t until_us,
                            GuestProcessEnd *ret_end, GError **error)
{
    g_autoptr(GError) wait_error = NULL;

    if (!guest_process_signal(process, signal, error))
        return false;
    if (guest_process_wait_end(process, until_us, ret_end, &wait_error))
        return true;
    if (wait_error->code != VIR_ERR_OPERATION_TIMEOUT)
        g_propagate_error(error, g_steal_pointer(&wait_error));
    return false;
}

bool guest_process_kill(GuestProcess *process, uint64_t kill_at_us, uint64_t deadline_us,
                        GuestProcessEnd *ret_end, GError **error)
{
    g_autoptr(GError) own_error = NULL;
    bool is_gentle = kill_at_us > 0;
    bool has_ended = false;

    if (is_gentle)
        has_ended = signal_and_wait(process, SIGTERM, MIN(kill_at_us, deadline_us), ret_end,
                                    &own_error);
    if (!has_ended && !own_error && kill_at_us < deadline_us) {
        is_gentle = false;
        has_ended = signal_and_wait(process, SIGKILL, deadline_us, ret_end, &own_error);
    }
    if (own_error)
        g_propagate_error(error, g_steal_pointer(&own_error));
    else if (!has_ended)
        error_set_errno(error, VIR_FROM_QEMU, EBUSY, "cannot end process %d with %s",
                        process->pid, is_gentle ? "SIGTERM" : "SIGKILL");
    return has_ended;
}
