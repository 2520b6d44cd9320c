#include "virtlogd/guest_log.h"

#include <sys/epoll.h>

#include "base/error.h"
#include "base/log.h"

LOG_INIT("log.guest");

/* A busy guest lets others of its folder have their turn after so much. */
#define TURN_BYTES (1024 * 1024)
/* Lines get through again for so long before that is told: a disk at its limit would fill the
 * daemon's own log otherwise. */
#define GAP_OVER_US G_USEC_PER_SEC
/* Who says so little at a time is looked at again a little later: lines that come one by one are
 * then moved together. Who says more is not made to wait. */
#define WHISPER_BYTES 4096

GuestLog *guest_log_new(const char *path, const char *driver, const char *domain,
                        const Uuid *uuid)
{
    GuestLog *log = g_rc_box_new0(GuestLog);

    log->path = g_strdup(path);
    log->folder = g_path_get_dirname(path);
    log->driver = g_strdup(driver);
    log->domain = g_strdup(domain);
    log->uuid = *uuid;
    log->drain.file = log_file_new(path);
    log->drain.pipe_fd = -1;
    return log;
}

GuestLog *guest_log_ref(GuestLog *log)
{
    return g_rc_box_acquire(log);
}

static void guest_log_clear(void *data)
{
    GuestLog *log = data;

    guest_log_unwatch(log);
    log_file_free(log->drain.file);
    g_free(log->path);
    g_free(log->folder);
    g_free(log->driver);
    g_free(log->domain);
    g_free(log->pipe_name);
}

void guest_log_unref(void *log)
{
    g_rc_box_release_full(log, guest_log_clear);
}

char *guest_log_describe_owner(const GuestLog *log)
{
    char uuid[UUID_TEXT_SIZE];

    return g_strdup_printf("domain '%s' (%s)", log->domain, uuid_format(&log->uuid, uuid));
}

/* One warning when it begins, one when it is over. */
static void guest_log_report_gap(GuestLog *log)
{
    const Drain *drain = &log->drain;
    bool is_over = log->result == DRAIN_END ||
                   fiber_now_us() - log->dropped_at_us >= GAP_OVER_US;

    if (drain->is_dropping || drain->n_dropped > log->n_dropped_seen) {
        if (!log->is_in_gap) {
            log->n_dropped_before_gap = log->n_dropped_seen;
            LOG_WARN("cannot write log '%s' of domain '%s': %s; what the guest says is dropped "
                     "until that is over", log->path, log->domain, g_strerror(drain->errnum));
        }
        log->is_in_gap = true;
        log->n_dropped_seen = drain->n_dropped;
        log->dropped_at_us = fiber_now_us();
    }
    if (log->is_in_gap && is_over && (!drain->is_dropping || log->result == DRAIN_END)) {
        LOG_WARN("log '%s' of domain '%s' %s: %" G_GUINT64_FORMAT " bytes were dropped", log->path,
                 log->domain, drain->is_dropping ? "has ended" : "is written again",
                 drain->n_dropped - log->n_dropped_before_gap);
        log->is_in_gap = false;
    }
}

/* In the thread of the folder. A file that has ended is closed there, too: that may wait. */
static void guest_log_work(void *data)
{
    GuestLog *log = data;
    uint64_t before = log->drain.n_written + log->drain.n_dropped;

    log->result = drain_run(&log->drain, &log->limits, TURN_BYTES);
    log->n_moved = log->drain.n_written + log->drain.n_dropped - before;
    if (log->result == DRAIN_END)
        log_file_close(log->drain.file);
}

static void guest_log_submit(GuestLog *log);

static void guest_log_on_done(void *data)
{
    g_autoptr(GuestLog) log = data;

    /* The daemon stops: what is in the pipe stays there. */
    if (!log->source)
        return;
    guest_log_report_gap(log);
    switch (log->result) {
    case DRAIN_MORE:
        guest_log_submit(log);
        break;
    case DRAIN_EMPTY:
        if (log->n_moved < WHISPER_BYTES)
            log->handler->rest(log, log->data);
        else
            guest_log_resume(log);
        break;
    case DRAIN_END:
        guest_log_unwatch(log);
        log->handler->ended(log, log->data);
        fiber_completion_signal(&log->ended);
        break;
    }
}

/* Without a thread the guest must not wait: then here, for once. */
static void guest_log_submit(GuestLog *log)
{
    g_autoptr(GError) error = NULL;

    log->limits = log->handler->get_limits(log->data);
    if (lanes_submit(log->lanes, log->folder, guest_log_work, guest_log_on_done,
                     guest_log_ref(log), &error))
        return;
    LOG_WARN("%s", error->message);
    guest_log_work(log);
    if (log->result == DRAIN_MORE)
        log->result = DRAIN_EMPTY;
    guest_log_on_done(log);
}

static int guest_log_on_readable(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    guest_log_submit(data);
    return 0;
}

bool guest_log_watch(GuestLog *log, Lanes *lanes, sd_event *event, int pipe_fd,
                     const GuestLogHandler *handler, void *data, GError **error)
{
    int result;

    log->lanes = lanes;
    log->event = event;
    log->handler = handler;
    log->data = data;
    log->drain.pipe_fd = pipe_fd;
    result = sd_event_add_io(event, &log->source, pipe_fd, EPOLLIN, guest_log_on_readable, log);
    if (result >= 0)
        result = sd_event_source_set_enabled(log->source, SD_EVENT_ONESHOT);
    if (result >= 0)
        return true;
    log->source = sd_event_source_disable_unref(log->source);
    error_set_errno(error, VIR_FROM_LOGGING, -result, "cannot watch the pipe of log '%s'",
                    log->path);
    return false;
}

void guest_log_unwatch(GuestLog *log)
{
    log->source = sd_event_source_disable_unref(log->source);
}

void guest_log_resume(GuestLog *log)
{
    if (log->source)
        sd_event_source_set_enabled(log->source, SD_EVENT_ONESHOT);
}

bool guest_log_is_ending(const GuestLog *log)
{
    return drain_has_lost_writers(log->drain.pipe_fd);
}
