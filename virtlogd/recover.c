/* What a daemon leaves for the next, and what the next makes of it. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/plural.h"
#include "fiber/offload.h"
#include "virtlogd/logs_private.h"
#include "virtlogd/state.h"

#include "base/log.h"

LOG_INIT("log.recover");

#define MAX_STATE_BYTES (64 * 1024 * 1024)

bool logs_save(const Logs *logs, GError **error)
{
    g_autoptr(GPtrArray) states = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, logs->by_path);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const GuestLog *log = value;
        LogState *state;

        if (!log->pipe_name)
            continue;
        /* The strings stay the log's. */
        state = g_new0(LogState, 1);
        *state = (LogState){ log->pipe_name, log->path, log->driver, log->domain, log->uuid };
        g_ptr_array_add(states, state);
    }
    text = log_states_format(states);
    return file_replace_volatile(logs->state_path, text, strlen(text), 0600, error);
}

typedef struct Reading {
    const char *path;
    char *text; /* NULL: there is no file */
    size_t length;
} Reading;

static bool read_in_thread(void *data, GError **error)
{
    Reading *reading = data;

    return file_read_if_exists(reading->path, MAX_STATE_BYTES, &reading->text, &reading->length,
                               error);
}

/* An array, also for a file that is no good, which must not keep anybody from their logs. NULL
 * with @error when the daemon ends before it is read: then nothing is known, and nothing done. */
SUSPENDS static GPtrArray *load_states(const Logs *logs, GError **ret_error)
{
    Reading reading = { .path = logs->state_path };
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *problem = NULL;
    GPtrArray *states = NULL;

    if (fiber_offload(read_in_thread, &reading, &error)) {
        text = reading.text;
        states = text ? log_states_parse(text, reading.length, &problem, &error) : NULL;
    }
    if (error && fiber_is_cancelled(fiber_current())) {
        g_propagate_error(ret_error, g_steal_pointer(&error));
        return NULL;
    }
    if (error)
        LOG_ERROR("state file %s is of no use: %s", logs->state_path, error->message);
    if (problem)
        LOG_ERROR("state file %s: a log is left out: %s", logs->state_path, problem);
    return states ? states : g_ptr_array_new();
}

static void look_in_thread(void *data)
{
    log_file_look(((GuestLog *)data)->drain.file);
}

/* Its guest may say nothing for long, but the file is its own, under other names as well. */
static void look_at_file(Logs *logs, GuestLog *log)
{
    g_autoptr(GError) error = NULL;

    if (lanes_submit(logs->lanes, log->folder, look_in_thread, guest_log_unref,
                     guest_log_ref(log), &error))
        return;
    guest_log_unref(log);
    LOG_WARN("%s", error->message);
}

/* Nobody else has the path, and the pipe is there. */
static bool recover_log(Logs *logs, GuestLog *log, const char *pipe_name)
{
    g_autoptr(GError) error = NULL;
    int fd;

    if (g_hash_table_contains(logs->by_path, log->path)) {
        LOG_ERROR("state file %s names log '%s' twice", logs->state_path, log->path);
        return false;
    }
    fd = kept_fds_claim(logs->kept, pipe_name);
    if (fd < 0) {
        LOG_WARN("log '%s' of domain '%s' has lost its pipe: nobody kept it", log->path,
                 log->domain);
        return false;
    }
    log->pipe_name = g_strdup(pipe_name);
    if (!logs_adopt(logs, log, fd, &error)) {
        LOG_GERROR(error);
        return false;
    }
    g_hash_table_insert(logs->by_path, log->path, guest_log_ref(log));
    look_at_file(logs, log);
    return true;
}

/* Whether anything can come through it still. */
static bool is_live_pipe(KeptFds *kept, const char *name)
{
    int fd = kept_fds_peek(kept, name);
    struct stat status;
    int n_waiting = 0;

    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
           ((ioctl(fd, FIONREAD, &n_waiting) == 0 && n_waiting > 0) ||
            !drain_has_lost_writers(fd));
}

/* A pipe that the state file does not know, or that another log's entry names as well: the
 * guest at its other end must not wait for ever, and what it says must be somewhere. */
static void rescue_pipe(Logs *logs, const char *name)
{
    static const Uuid unknown;
    const Paths *paths = daemon_get_paths(logs->daemon);
    g_autofree char *path = g_strdup_printf("%s/virtlogd-rescued-%s.log", paths->log_dir, name);
    g_autoptr(GuestLog) log = guest_log_new(path, "", "unknown", &unknown);

    if (!is_live_pipe(logs->kept, name) || !recover_log(logs, log, name))
        return;
    LOG_ERROR("nothing is known of pipe '%s': what its guest says goes to '%s'", name, path);
}

bool logs_recover(Logs *logs, GError **error)
{
    g_autoptr(GPtrArray) states = load_states(logs, error);
    g_autoptr(GPtrArray) unclaimed = NULL;
    g_autoptr(GError) save_error = NULL;

    if (!states)
        return false;
    for (guint i = 0; i < states->len; i++) {
        const LogState *state = g_ptr_array_index(states, i);
        g_autoptr(GuestLog) log = guest_log_new(state->path, state->driver, state->domain,
                                                &state->uuid);

        recover_log(logs, log, state->pipe);
    }
    unclaimed = kept_fds_get_unclaimed(logs->kept);
    for (guint i = 0; i < unclaimed->len; i++)
        rescue_pipe(logs, g_ptr_array_index(unclaimed, i));
    kept_fds_drop_unclaimed(logs->kept);
    guint n_logs = g_hash_table_size(logs->by_path);
    if (n_logs > 0)
        LOG_INFO("going on with %u log%s", n_logs, plural_s(n_logs));
    /* The guests go on in any case. */
    if (!logs_save(logs, &save_error))
        LOG_GERROR(save_error);
    return true;
}
