/* Running a program to its end: one fiber collects both outputs and the end. The child is
 * watched by a pidfd and not by SIGCHLD, so it does not matter which signals are blocked
 * here or who else has children. */
#include "fiber/process.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/internal.h"
#include "fiber/process_child.h"

#define PROCESS_DEFAULT_MAX_OUTPUT (1024 * 1024)
/* Read from one pipe before the other fibers have their turn. */
#define PROCESS_READ_ROUND (64 * 1024)
#define PROCESS_MAX_ERROR_LINE 400

/* What an event in the set is about; 0 and 1 are the pipes. */
#define PROCESS_EVENT_END 2
#define PROCESS_N_EVENTS 3

/* One run. The three descriptors of the child are in an epoll set, which a fiber can
 * wait for as one. */
typedef struct ProcessRun {
    const ProcessSpec *spec;
    ProcessChild child;
    int epoll_fd;
    GString *outputs[2];
    size_t max_output;
    bool has_ended;
} ProcessRun;

static void process_run_clear(ProcessRun *run)
{
    process_child_clear(&run->child);
    if (run->epoll_fd >= 0)
        close(run->epoll_fd);
    for (int i = 0; i < 2; i++) {
        if (run->outputs[i])
            g_string_free(run->outputs[i], TRUE);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcessRun, process_run_clear)

void process_result_clear(ProcessResult *result)
{
    if (result->output)
        g_string_free(result->output, TRUE);
    if (result->error_output)
        g_string_free(result->error_output, TRUE);
    *result = (ProcessResult){ 0 };
}

static bool process_run_fail(ProcessRun *run, const char *what, GError **error)
{
    error_set_errno(error, VIR_FROM_NONE, errno, "cannot %s program '%s'", what,
                    run->spec->argv[0]);
    return false;
}

static bool process_run_watch(ProcessRun *run, GError **error)
{
    const int fds[PROCESS_N_EVENTS] = { run->child.output_fds[0], run->child.output_fds[1],
                                        run->child.pid_fd };

    run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (run->epoll_fd < 0)
        return process_run_fail(run, "watch", error);
    for (uint32_t i = 0; i < PROCESS_N_EVENTS; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
        if (epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0)
            return process_run_fail(run, "watch", error);
    }
    return true;
}

/* Over the limit nothing is truncated: half an answer would be taken for one. */
static bool process_run_keep(ProcessRun *run, int which, const char *data, size_t length,
                             GError **error)
{
    if (length > run->max_output - run->outputs[which]->len) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                  "program '%s' wrote more than %zu bytes to standard %s", run->spec->argv[0],
                  run->max_output, which == 0 ? "output" : "error");
        return false;
    }
    g_string_append_len(run->outputs[which], data, (gssize)length);
    return true;
}

/* Reads what one pipe has, at most about @max_bytes; closes it at its end. */
static bool process_run_read(ProcessRun *run, int which, size_t max_bytes, GError **error)
{
    int *fd = &run->child.output_fds[which];
    char buffer[4096];

    for (size_t done = 0; *fd >= 0 && done < max_bytes;) {
        ssize_t n = read(*fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0)
            return process_run_fail(run, "read the output of", error);
        if (n == 0) {
            close(*fd);
            *fd = -1;
        }
        if (!process_run_keep(run, which, buffer, (size_t)n, error))
            return false;
        done += (size_t)n;
    }
    return true;
}

/* Out of time or cancelled: says so, and of which program. The caller kills it. */
static bool process_run_wait(ProcessRun *run, GError **error)
{
    g_autoptr(GError) wait_error = NULL;

    if (fiber_wait_fd(run->epoll_fd, EPOLLIN, run->spec->deadline_us, NULL, &wait_error))
        return true;
    error_set(error, VIR_FROM_NONE, (ErrorCode)wait_error->code, "program '%s' was killed: %s",
              run->spec->argv[0], error_detail(wait_error));
    return false;
}

static bool process_run_once(ProcessRun *run, GError **error)
{
    struct epoll_event events[PROCESS_N_EVENTS];

    if (!process_run_wait(run, error))
        return false;
    int n = epoll_wait(run->epoll_fd, events, PROCESS_N_EVENTS, 0);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u32 == PROCESS_EVENT_END)
            run->has_ended = true;
        else if (!process_run_read(run, (int)events[i].data.u32, PROCESS_READ_ROUND, error))
            return false;
    }
    return true;
}

/* What the program wrote is in the pipes when it has ended; their end may never come,
 * when it left somebody behind who holds them open. */
static bool process_run_to_end(ProcessRun *run, GError **error)
{
    while (!run->has_ended) {
        if (!process_run_once(run, error))
            return false;
    }
    return process_run_read(run, 0, SIZE_MAX, error) && process_run_read(run, 1, SIZE_MAX, error);
}

bool process_run(const ProcessSpec *spec, ProcessResult *ret_result, GError **error)
{
    g_auto(ProcessRun) run = {
        .spec = spec,
        .child = { .pid_fd = -1, .output_fds = { -1, -1 } },
        .epoll_fd = -1,
        .max_output = spec->max_output > 0 ? spec->max_output : PROCESS_DEFAULT_MAX_OUTPUT,
    };
    int exit_status, signal;

    if (!fiber_may_wait("a program", error) || !process_child_start(spec, &run.child, error))
        return false;
    run.outputs[0] = g_string_new(NULL);
    run.outputs[1] = g_string_new(NULL);
    /* From here on the child must be reaped on every way out. */
    if (!process_run_watch(&run, error) || !process_run_to_end(&run, error)) {
        process_child_kill(&run.child);
        return false;
    }
    if (!process_child_reap(&run.child, &exit_status, &signal, error))
        return false;
    *ret_result = (ProcessResult){
        .exit_status = exit_status,
        .signal = signal,
        .output = g_steal_pointer(&run.outputs[0]),
        .error_output = g_steal_pointer(&run.outputs[1]),
    };
    return true;
}

/* The last line with something in it, fit to be part of a message. */
static char *process_last_line(const GString *text)
{
    g_autofree char *copy = g_strndup(text->str, text->len);
    const char *end_of_line = strrchr(g_strchomp(copy), '\n');
    const char *line = end_of_line ? end_of_line + 1 : copy;
    char *valid = g_utf8_make_valid(line, (gssize)strnlen(line, PROCESS_MAX_ERROR_LINE));

    for (char *c = valid; *c; c++) {
        /* The message goes to terminals and logs. */
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    }
    return valid;
}

static void process_set_error(const ProcessSpec *spec, const ProcessResult *result, GError **error)
{
    g_autofree char *line = process_last_line(result->error_output);
    g_autofree char *how = result->exit_status < 0
                               ? g_strdup_printf("was ended by signal %d", result->signal)
                               : g_strdup_printf("failed with status %d", result->exit_status);

    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "program '%s' %s%s%s", spec->argv[0],
              how, *line ? ": " : "", line);
}

bool process_run_checked(const ProcessSpec *spec, char **ret_output, GError **error)
{
    g_auto(ProcessResult) result = { 0 };

    if (!process_run(spec, &result, error))
        return false;
    if (result.exit_status != 0) {
        process_set_error(spec, &result, error);
        return false;
    }
    if (ret_output)
        *ret_output = g_string_free(g_steal_pointer(&result.output), FALSE);
    return true;
}
