/* Calls about files. Work that is late goes on without its call, so everything that it touches
 * is its own. */
#include <string.h>

#include "base/error.h"
#include "virtlogd/log_reader.h"
#include "virtlogd/logs_private.h"

/* A disk that needs longer for one call is not slow but gone; its client waits no longer. */
#define WORK_PATIENCE_MS 30000
/* What is in the pipe when a call comes is written before it; what comes meanwhile need not be. */
#define PIPE_BYTES (1024 * 1024)

LogWork *log_work_new(Logs *logs, LogWorkKind kind, const char *path)
{
    static const Uuid nobody;
    GuestLog *open = g_hash_table_lookup(logs->by_path, path);
    LogWork *work = g_new0(LogWork, 1);

    work->kind = kind;
    work->log = open ? guest_log_ref(open) : guest_log_new(path, "", "", &nobody);
    work->has_pipe = open && open->source;
    work->limits = logs_get_limits(logs);
    return work;
}

void log_work_free(void *data)
{
    LogWork *work = data;

    if (!work)
        return;
    guest_log_unref(work->log);
    g_free(work->text);
    g_free(work);
}

static int work_get_position(LogWork *work)
{
    const LogFile *file = work->log->drain.file;
    int result = log_file_check(work->log->drain.file);

    work->position = (LogPosition){ file->ino, file->size };
    return result;
}

/* The wire's strings end at a zero byte: what is behind it must not be lost for that. */
static int work_read(LogWork *work)
{
    size_t length = 0;
    int result = log_read(work->log->path, work->position.inode, work->position.offset, work->max,
                          &work->text, &length);
    char *zero;

    while (result == 0 && (zero = memchr(work->text, '\0', length)))
        *zero = '?';
    return result;
}

static void work_do(void *data)
{
    LogWork *work = data;
    Drain *drain = &work->log->drain;

    if (work->has_pipe)
        drain_run(drain, &work->limits, PIPE_BYTES);
    switch (work->kind) {
    case LOG_WORK_OPEN:
        work->result = log_file_open(drain->file, work->truncates);
        work->position = (LogPosition){ drain->file->ino, drain->file->size };
        break;
    case LOG_WORK_APPEND:
        work->result = log_file_append(drain->file, &work->limits, work->text,
                                       strlen(work->text));
        if (!work->has_pipe)
            log_file_close(drain->file);
        break;
    case LOG_WORK_POSITION:
        work->result = work_get_position(work);
        break;
    case LOG_WORK_READ:
        work->result = work_read(work);
        break;
    }
}

bool log_work_run(Logs *logs, LogWork **work, GError **error)
{
    LogWork *mine = g_steal_pointer(work);
    g_autofree char *what = g_strdup_printf("log '%s'", mine->log->path);
    g_autofree char *folder = g_strdup(mine->log->folder);

    if (!lanes_run(logs->lanes, folder, work_do, mine, log_work_free,
                   fiber_deadline_ms(WORK_PATIENCE_MS), what, error))
        return false;
    *work = mine;
    return true;
}
