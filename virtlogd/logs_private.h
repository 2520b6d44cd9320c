/* The inside of Logs, for its parts: opening and ending (logs.c), what calls do with files
 * (log_work.c), what the next daemon needs (recover.c). */
#pragma once

#include "common/kept_fds.h"
#include "virtlogd/logs.h"

struct Logs {
    Daemon *daemon;
    Lanes *lanes;
    KeptFds *kept;
    GHashTable *by_path; /* to GuestLog, owned; those being opened as well */
    char *state_path;
    sd_event_source *age_timer;
    GPtrArray *resting; /* of GuestLog, references */
    sd_event_source *rest_timer; /* armed while there are any */
    uint64_t n_written, n_dropped; /* of logs that have ended */
};

extern const GuestLogHandler logs_handler;

/* logs.c. Takes @log, which has a pipe's name, and watches its pipe. */
bool logs_adopt(Logs *logs, GuestLog *log, int pipe_fd, GError **error);
LogLimits logs_get_limits(const Logs *logs);
/* recover.c */
bool logs_save(const Logs *logs, GError **error);
/* Errors: OPERATION_ABORTED, when the daemon ends already. */
SUSPENDS bool logs_recover(Logs *logs, GError **error);
/* aging.c. Deletes what is older than the configuration wants, now and every hour. */
void logs_begin_aging(Logs *logs);
void logs_end_aging(Logs *logs);

/* log_work.c: what is done in the thread of a log's folder for a call. */
typedef enum LogWorkKind {
    LOG_WORK_OPEN,
    LOG_WORK_APPEND,
    LOG_WORK_POSITION,
    LOG_WORK_READ,
} LogWorkKind;

typedef struct LogWork {
    LogWorkKind kind;
    GuestLog *log; /* a reference; not the table's own when the path is not open */
    LogLimits limits;
    bool truncates, has_pipe;
    char *text; /* APPEND: in, READ: out */
    size_t max; /* READ */
    LogPosition position; /* READ: in, others: out */
    int result; /* 0 or a negative errno */
} LogWork;

/* For @path, open or not. */
LogWork *log_work_new(Logs *logs, LogWorkKind kind, const char *path);
void log_work_free(void *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogWork, log_work_free)
/* Does it, in time; on failure @work is not the caller's any more, and *@work is NULL. */
SUSPENDS bool log_work_run(Logs *logs, LogWork **work, GError **error);
