#include "virtlockd/owner_watch.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

#include "base/error.h"
#include "base/plural.h"
#include "fiber/process.h"

#include "base/log.h"

LOG_INIT("locking.owner");

/* Of a process that ends the connection goes first, and the rest a moment later. */
#define END_PATIENCE_MS 500
/* From SIGTERM to SIGKILL. */
#define TERM_PATIENCE_MS 2000
/* Locks whose file system does not answer are given back when it does: first looked at soon, then
 * rarely, because each look may cost a process that hangs. */
#define RETRY_FIRST_US (10 * G_USEC_PER_SEC)
#define RETRY_MAX_US (600 * G_USEC_PER_SEC)

/* What a fiber is about. */
typedef struct OwnerJob {
    LockDaemon *lockd;
    LockOwner *owner;
    LockResource *resource; /* NULL: the owner as a whole */
    uint64_t lock_id;
} OwnerJob;

static void owner_job_free(OwnerJob *job)
{
    lock_owner_unref(job->owner);
    lock_resource_unref(job->resource);
    g_free(job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OwnerJob, owner_job_free)

/* @lock may be NULL. */
static void spawn(LockDaemon *lockd, LockOwner *owner, const Lock *lock, const char *name,
                  FiberFunc func)
{
    OwnerJob *job = g_new0(OwnerJob, 1);
    g_autoptr(GError) error = NULL;

    job->lockd = lockd;
    job->owner = lock_owner_ref(owner);
    if (lock) {
        job->resource = lock_resource_ref(lock->resource);
        job->lock_id = lock->id;
    }
    if (!fiber_spawn(lockd->loop, name, func, job, NULL, &error)) {
        LOG_GERROR(error);
        owner_job_free(job);
    }
}

static void run_release(void *data)
{
    g_autoptr(OwnerJob) job = data;

    for (uint64_t retry_us = RETRY_FIRST_US;; retry_us = MIN(retry_us * 2, RETRY_MAX_US)) {
        g_autoptr(GError) error = NULL;

        if (lockd_release_lock(job->lockd, job->resource, job->lock_id, &error) ||
            fiber_is_cancelled(fiber_current()))
            return;
        LOG_WARN("'%s' keeps its lock on '%s' for now: %s", job->owner->name, job->resource->path,
                 error->message);
        if (!fiber_sleep(retry_us, NULL))
            return;
    }
}

/* Each lock by itself: one on a file system that hangs must not keep the others. */
void owner_release(LockDaemon *lockd, LockOwner *owner)
{
    g_autoptr(GPtrArray) locks = g_ptr_array_copy(owner->locks, NULL, NULL);

    /* Its last lock may be its last reference. */
    lock_owner_ref(owner);
    owner->has_ended = true;
    if (locks->len > 0)
        LOG_INFO("process %d of '%s' has ended with %u lock%s", (int)owner->pid, owner->name,
                 locks->len, plural_s(locks->len));
    /* From the loop a fiber runs at once, and a short way may be all of its way. */
    for (guint i = 0; i < locks->len; i++)
        spawn(lockd, owner, g_ptr_array_index(locks, i), "lock release", run_release);
    lock_owner_unref(owner);
}

static int handle_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    LockOwner *owner = data;

    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    owner_release(owner->lockd, owner);
    return 0;
}

void owner_connect(LockOwner *owner, bool is_own)
{
    owner->n_connections++;
    owner->n_own_connections += is_own;
}

void owner_disconnect(LockDaemon *lockd, LockOwner *owner, bool is_own)
{
    owner->n_own_connections -= is_own;
    if (--owner->n_connections == 0 && owner->start_time == LOCK_OWNER_UNSEEN &&
        !daemon_is_ending(lockd->daemon))
        owner_release(lockd, owner);
}

bool owner_watch(LockDaemon *lockd, LockOwner *owner, GError **error)
{
    if (owner->start_time == LOCK_OWNER_UNSEEN) {
        owner->has_ended = false;
        return true;
    }
    if (owner->end || owner->has_ended)
        return true;
    if (owner->start_time == 0) {
        owner->has_ended = true;
        return true;
    }
    int pid_fd = pidfd_open(owner->pid, 0);
    if (pid_fd < 0 && errno != ESRCH) {
        error_set_errno(error, VIR_FROM_LOCKSPACE, errno, "cannot watch process %d of '%s'",
                        (int)owner->pid, owner->name);
        return false;
    }
    owner->pid_fd = pid_fd;
    /* Asked after the descriptor was opened: now it cannot become another process. */
    if (pid_fd < 0 || process_start_time(owner->pid) != owner->start_time) {
        owner->has_ended = true;
        return true;
    }
    owner->lockd = lockd;
    int result = sd_event_add_io(fiber_loop_get_event(lockd->loop), &owner->end, pid_fd, EPOLLIN,
                                 handle_end, owner);
    if (result < 0)
        error_set_errno(error, VIR_FROM_LOCKSPACE, -result, "cannot watch process %d of '%s'",
                        (int)owner->pid, owner->name);
    return result >= 0;
}

/* True when it has ended within @ms. */
SUSPENDS static bool wait_end(const LockOwner *owner, unsigned ms)
{
    return fiber_wait_fd(owner->pid_fd, EPOLLIN, fiber_deadline_ms(ms), NULL, NULL);
}

/* What comes of it is the watch's to see. */
static void run_kill(void *data)
{
    g_autoptr(OwnerJob) job = data;
    const LockOwner *owner = job->owner;

    if (wait_end(owner, END_PATIENCE_MS) || fiber_is_cancelled(fiber_current()))
        return;
    LOG_WARN("'%s' (process %d) has closed its connection and not ended: it is ended, because of "
             "its %u lock%s", owner->name, (int)owner->pid, owner->locks->len,
             plural_s(owner->locks->len));
    pidfd_send_signal(owner->pid_fd, SIGTERM, NULL, 0);
    if (wait_end(owner, TERM_PATIENCE_MS) || fiber_is_cancelled(fiber_current()))
        return;
    pidfd_send_signal(owner->pid_fd, SIGKILL, NULL, 0);
}

void owner_end(LockDaemon *lockd, LockOwner *owner)
{
    if (owner->has_ended || owner->is_being_killed || owner->locks->len == 0)
        return;
    owner->is_being_killed = true;
    spawn(lockd, owner, NULL, "owner kill", run_kill);
}
