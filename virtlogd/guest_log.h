/* A log that is open: the pipe that a guest writes to, the file that it ends up in, and who it
 * is for. It ends when the last writer has gone and everything was written, or never with the
 * daemon: the pipe is a kept descriptor (kept_fds.h), the rest is in the state file.
 *
 * The file and the pipe's content belong to the thread of the log's folder while work is under
 * way there, which is never more than one thing for one log. */
#pragma once

#include "base/uuid.h"
#include "fiber/sync.h"
#include "virtlogd/drain.h"
#include "virtlogd/lanes.h"

typedef struct GuestLog GuestLog;

typedef struct GuestLogHandler {
    /* It has ended: nobody can write to it any more, and everything was written. */
    void (*ended)(GuestLog *log, void *data);
    LogLimits (*get_limits)(void *data);
    /* Calls guest_log_resume() a few milliseconds later. */
    void (*rest)(GuestLog *log, void *data);
} GuestLogHandler;

struct GuestLog {
    Lanes *lanes;
    sd_event *event;
    const GuestLogHandler *handler;
    void *data; /* the handler's */
    char *path, *folder;
    char *driver, *domain;
    Uuid uuid;
    char *pipe_name; /* NULL until it has a pipe */
    Drain drain;
    LogLimits limits; /* of the work under way */
    uint64_t n_moved; /* by it */
    DrainResult result;
    sd_event_source *source; /* NULL: not watched */
    bool is_in_gap; /* operators were told that lines are dropped, not yet that it is over */
    uint64_t n_dropped_seen, n_dropped_before_gap, dropped_at_us;
    FiberCompletion ended;
};

/* One reference, the caller's. @path is absolute and canonical. */
GuestLog *guest_log_new(const char *path, const char *driver, const char *domain,
                        const Uuid *uuid);
GuestLog *guest_log_ref(GuestLog *log);
void guest_log_unref(void *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestLog, guest_log_unref)

/* Begins to move what comes through @pipe_fd, which stays the caller's until the log has
 * ended. Errors: SYSTEM_ERROR. */
bool guest_log_watch(GuestLog *log, Lanes *lanes, sd_event *event, int pipe_fd,
                     const GuestLogHandler *handler, void *data, GError **error);
void guest_log_unwatch(GuestLog *log);
/* Looks at the pipe again, if it is still watched. */
void guest_log_resume(GuestLog *log);
/* Whether only what is in the pipe still comes: everybody who could write has gone. */
bool guest_log_is_ending(const GuestLog *log);
/* "domain 'NAME' (UUID)", to be freed. */
char *guest_log_describe_owner(const GuestLog *log);
