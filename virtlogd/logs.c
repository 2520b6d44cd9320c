#include "virtlogd/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "virtlogd/logs_private.h"
#include "virtlogd/pipe_writer.h"

#include "base/log.h"

LOG_INIT("log.open");

/* What a guest that has ended left in its pipe is written before its log is opened again. */
#define END_PATIENCE_MS 30000
/* At the end of the daemon, and for its next execution: a disk that hangs is not waited for. */
#define STOP_PATIENCE_US (5 * G_USEC_PER_SEC)
#define STUCK_US (2 * G_USEC_PER_SEC)
#define REST_US 5000
#define REST_ACCURACY_US 1000

LogLimits logs_get_limits(const Logs *logs)
{
    const DaemonConfig *config = daemon_get_config(logs->daemon);

    return (LogLimits){ config->max_size_bytes, config->max_backups };
}

static LogLimits get_limits(void *data)
{
    return logs_get_limits(data);
}

/* The state file first: a pipe that it does not know, and that nobody writes to, is nothing. */
static void on_ended(GuestLog *log, void *data)
{
    Logs *logs = data;
    g_autoptr(GError) error = NULL;

    LOG_DEBUG("log '%s' of domain '%s' has ended", log->path, log->domain);
    logs->n_written += log->drain.n_written;
    logs->n_dropped += log->drain.n_dropped;
    guest_log_ref(log);
    g_hash_table_remove(logs->by_path, log->path);
    if (!logs_save(logs, &error))
        LOG_GERROR(error);
    kept_fds_drop(logs->kept, log->pipe_name);
    guest_log_unref(log);
    daemon_touch(logs->daemon);
}

/* ---- Resting: one timer for all ---- */

static int on_rested(sd_event_source *source, uint64_t usec, void *data)
{
    Logs *logs = data;

    for (guint i = 0; i < logs->resting->len; i++)
        guest_log_resume(g_ptr_array_index(logs->resting, i));
    g_ptr_array_set_size(logs->resting, 0);
    return 0;
}

static void rest(GuestLog *log, void *data)
{
    Logs *logs = data;

    g_ptr_array_add(logs->resting, guest_log_ref(log));
    if (logs->resting->len > 1)
        return;
    if (logs->rest_timer) {
        sd_event_source_set_time_relative(logs->rest_timer, REST_US);
        sd_event_source_set_enabled(logs->rest_timer, SD_EVENT_ONESHOT);
    } else if (sd_event_add_time_relative(daemon_get_event(logs->daemon), &logs->rest_timer,
                                          CLOCK_MONOTONIC, REST_US, REST_ACCURACY_US, on_rested,
                                          logs) < 0) {
        on_rested(NULL, 0, logs);
    }
}

const GuestLogHandler logs_handler = { on_ended, get_limits, rest };

bool logs_adopt(Logs *logs, GuestLog *log, int pipe_fd, GError **error)
{
    return guest_log_watch(log, logs->lanes, daemon_get_event(logs->daemon), pipe_fd,
                           &logs_handler, logs, error);
}

/* ---- Opening ---- */

SUSPENDS static bool refuse_busy(GuestLog *busy, GError **error)
{
    g_autoptr(GuestLog) log = guest_log_ref(busy);
    g_autofree char *owner = guest_log_describe_owner(log);
    pid_t pid = log->pipe_name ? pipe_writer_find(log->pipe_name + 1) : 0;
    g_autofree char *process = pid > 0 ? g_strdup_printf(", process %d,", (int)pid) : NULL;

    error_set_errno(error, VIR_FROM_LOGGING, EBUSY,
                    "Cannot open log file '%s', which %s%s still writes to", log->path, owner,
                    process ? process : "");
    return false;
}

/* Nobody has it open when this succeeds; that holds until the caller waits. */
SUSPENDS static bool wait_for_end(Logs *logs, const char *path, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(END_PATIENCE_MS);
    GuestLog *found;

    while ((found = g_hash_table_lookup(logs->by_path, path))) {
        g_autoptr(GuestLog) log = guest_log_ref(found);

        if (!log->source || !guest_log_is_ending(log))
            return refuse_busy(log, error);
        if (!fiber_completion_wait(&log->ended, deadline_us, NULL)) {
            error_set(error, VIR_FROM_LOGGING, VIR_ERR_OPERATION_TIMEOUT,
                      "what the last guest wrote to log '%s' cannot be written to the disk", path);
            return false;
        }
    }
    return true;
}

/* Two names of one file: two writers would overwrite each other. */
SUSPENDS static bool check_same_file(const Logs *logs, const GuestLog *log, GError **error)
{
    const LogFile *file = log->drain.file;
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, logs->by_path);
    while (file->is_regular && g_hash_table_iter_next(&iter, NULL, &value)) {
        GuestLog *other = value;

        if (other != log && other->source && other->drain.file->ino == file->ino &&
            other->drain.file->dev == file->dev)
            return refuse_busy(other, error);
    }
    return true;
}

static bool make_pipe(GuestLog *log, int *ret_read_fd, int *ret_write_fd, GError **error)
{
    struct stat status;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0) {
        error_set_errno(error, VIR_FROM_LOGGING, errno, "Cannot make a pipe for log '%s'",
                        log->path);
        return false;
    }
    /* Our end alone: the guest is to wait when its pipe is full. */
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 || fstat(fds[0], &status) < 0) {
        error_set_errno(error, VIR_FROM_LOGGING, errno, "Cannot prepare the pipe for log '%s'",
                        log->path);
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    /* The kernel gives no two pipes the same number at the same time. */
    log->pipe_name = g_strdup_printf("p%" G_GUINT64_FORMAT, (uint64_t)status.st_ino);
    *ret_read_fd = fds[0];
    *ret_write_fd = fds[1];
    return true;
}

/* When this succeeds, the log is there for whoever has the other end, whatever becomes of us. */
SUSPENDS static bool keep_pipe(Logs *logs, GuestLog *log, int *ret_write_fd, GError **error)
{
    int read_fd, write_fd;

    if (!make_pipe(log, &read_fd, &write_fd, error))
        return false;
    if (!logs_save(logs, error)) {
        close(read_fd);
        close(write_fd);
        return false;
    }
    if (!kept_fds_put(logs->kept, log->pipe_name, read_fd, error) ||
        !logs_adopt(logs, log, read_fd, error)) {
        kept_fds_drop(logs->kept, log->pipe_name);
        close(write_fd);
        return false;
    }
    *ret_write_fd = write_fd;
    return true;
}

SUSPENDS static bool open_new(Logs *logs, GuestLog *log, bool truncate,
                              LogPosition *ret_position, int *ret_write_fd, GError **error)
{
    g_autoptr(LogWork) work = log_work_new(logs, LOG_WORK_OPEN, log->path);

    work->truncates = truncate;
    if (!log_work_run(logs, &work, error))
        return false;
    if (work->result < 0) {
        error_set_errno(error, VIR_FROM_LOGGING, -work->result, "Unable to open file: %s",
                        log->path);
        return false;
    }
    *ret_position = work->position;
    return check_same_file(logs, log, error) && keep_pipe(logs, log, ret_write_fd, error);
}

bool logs_open(Logs *logs, const char *path, const LogOwner *owner, bool truncate,
               LogPosition *ret_position, int *ret_write_fd, GError **error)
{
    g_autoptr(GuestLog) log = guest_log_new(path, owner->driver, owner->domain, &owner->uuid);
    g_autoptr(GError) ignored = NULL;

    if (!wait_for_end(logs, path, error))
        return false;
    /* From here on nobody else can open it, though it has no pipe yet. */
    g_hash_table_insert(logs->by_path, log->path, guest_log_ref(log));
    if (open_new(logs, log, truncate, ret_position, ret_write_fd, error))
        return true;
    g_hash_table_remove(logs->by_path, path);
    if (log->pipe_name && !logs_save(logs, &ignored))
        LOG_GERROR(ignored);
    return false;
}

/* ---- Other calls ---- */

bool logs_append(Logs *logs, const char *path, const char *text, GError **error)
{
    g_autoptr(LogWork) work = log_work_new(logs, LOG_WORK_APPEND, path);

    work->text = g_strdup(text);
    if (!log_work_run(logs, &work, error))
        return false;
    if (work->result == 0)
        return true;
    error_set_errno(error, VIR_FROM_LOGGING, -work->result, "Cannot append to log '%s'", path);
    return false;
}

bool logs_get_position(Logs *logs, const char *path, LogPosition *ret_position, GError **error)
{
    g_autoptr(LogWork) work = NULL;

    if (!g_hash_table_contains(logs->by_path, path)) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_INTERNAL_ERROR, "No open log file %s", path);
        return false;
    }
    work = log_work_new(logs, LOG_WORK_POSITION, path);
    if (!log_work_run(logs, &work, error))
        return false;
    *ret_position = work->position;
    if (work->result == 0)
        return true;
    error_set_errno(error, VIR_FROM_LOGGING, -work->result, "Cannot look at log '%s'", path);
    return false;
}

bool logs_read(Logs *logs, const char *path, const LogPosition *from, size_t max, char **ret_text,
               GError **error)
{
    g_autoptr(LogWork) work = log_work_new(logs, LOG_WORK_READ, path);

    work->position = *from;
    work->max = max;
    if (!log_work_run(logs, &work, error))
        return false;
    if (work->result < 0) {
        error_set_errno(error, VIR_FROM_LOGGING, -work->result,
                        "Unable to read log '%s' from inode %" G_GUINT64_FORMAT
                        " offset %" G_GUINT64_FORMAT "%s", path, from->inode, from->offset,
                        work->result == -EBADF ? ", which none of its files is (any more)" : "");
        return false;
    }
    *ret_text = g_steal_pointer(&work->text);
    return true;
}

/* ---- The driver ---- */

bool logs_start(Daemon *daemon, void **ret_logs, GError **error)
{
    const Paths *paths = daemon_get_paths(daemon);
    Logs *logs;
    Lanes *lanes = NULL;

    if (!mkdir_parents(paths->run_dir, paths->is_session ? 0700 : 0755, error) ||
        !(lanes = lanes_new(daemon_get_loop(daemon), error)))
        return false;
    logs = g_new0(Logs, 1);
    logs->daemon = daemon;
    logs->lanes = lanes;
    logs->kept = daemon_get_kept_fds(daemon);
    logs->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, guest_log_unref);
    logs->resting = g_ptr_array_new_with_free_func(guest_log_unref);
    logs->state_path = paths_join(paths->run_dir, "virtlogd-state.json");
    *ret_logs = logs;
    if (logs_recover(logs, error)) {
        logs_begin_aging(logs);
        return true;
    }
    logs_stop(daemon, logs);
    return false;
}

/* Without anybody who keeps the pipes their guests are about to lose them: what they have said
 * is written at least. */
static void write_last_lines(Logs *logs)
{
    const LogLimits limits = logs_get_limits(logs);
    GHashTableIter iter;
    void *log;

    g_hash_table_iter_init(&iter, logs->by_path);
    while (g_hash_table_iter_next(&iter, NULL, &log))
        drain_run(&((GuestLog *)log)->drain, &limits, LOG_LINE_MAX);
}

void logs_stop(Daemon *daemon, void *data)
{
    Logs *logs = data;
    g_autofree char *stuck = NULL;
    GHashTableIter iter;
    void *log;

    logs_end_aging(logs);
    g_hash_table_iter_init(&iter, logs->by_path);
    while (g_hash_table_iter_next(&iter, NULL, &log))
        guest_log_unwatch(log);
    stuck = lanes_find_stuck(logs->lanes, STUCK_US);
    /* A thread that hangs has references of its own to what it works on. */
    if (!lanes_free(logs->lanes, STOP_PATIENCE_US))
        LOG_WARN("not waiting for '%s' any more, whose file system does not answer",
                 stuck ? stuck : "a folder");
    else if (!kept_fds_has_keeper(logs->kept))
        write_last_lines(logs);
    sd_event_source_disable_unref(logs->rest_timer);
    g_ptr_array_unref(logs->resting);
    g_hash_table_unref(logs->by_path);
    g_free(logs->state_path);
    g_free(logs);
}

bool logs_is_busy(Daemon *daemon, void *data)
{
    const Logs *logs = data;

    return g_hash_table_size(logs->by_path) > 0;
}

bool logs_reload(Daemon *daemon, void *data, GError **error)
{
    logs_end_aging(data);
    logs_begin_aging(data);
    return true;
}

/* The kernel waits for all threads of a process before it executes something else in it, also
 * for one that hangs: then all logs would. */
bool logs_may_reexecute(Daemon *daemon, void *data, GError **error)
{
    Logs *logs = data;
    g_autofree char *folder = lanes_find_stuck(logs->lanes, STUCK_US);

    if (!folder)
        return true;
    error_set(error, VIR_FROM_LOGGING, VIR_ERR_RESOURCE_BUSY,
              "the file system of '%s' does not answer", folder);
    return false;
}

void logs_print_stats(Daemon *daemon, void *data)
{
    const Logs *logs = data;
    uint64_t n_written = logs->n_written, n_dropped = logs->n_dropped;
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, logs->by_path);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const GuestLog *log = value;

        n_written += log->drain.n_written;
        n_dropped += log->drain.n_dropped;
        if (log->drain.n_dropped > 0)
            LOG_WARN("statistics: log=%s domain=%s written_bytes=%" G_GUINT64_FORMAT
                     " dropped_bytes=%" G_GUINT64_FORMAT, log->path, log->domain,
                     log->drain.n_written, log->drain.n_dropped);
    }
    LOG_WARN("statistics: logs=%u written_bytes=%" G_GUINT64_FORMAT
             " dropped_bytes=%" G_GUINT64_FORMAT, g_hash_table_size(logs->by_path), n_written,
             n_dropped);
}
