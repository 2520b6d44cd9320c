#include "virtlogd/lanes.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/sync.h"

#define LANE_IDLE_US (10 * G_USEC_PER_SEC)

typedef struct LaneJob {
    LaneFunc work, done;
    void *data;
} LaneJob;

/* Made for a job, and gone with its thread. */
typedef struct Lane {
    struct Lanes *lanes;
    char *folder;
    GQueue todo;
    GCond has_work;
    gint64 busy_since_us; /* 0: idle */
} Lane;

/* Counted by the owner and by each thread. Everything below the lock is used under it only. */
struct Lanes {
    sd_event_source *source;
    int event_fd;
    GMutex lock;
    GHashTable *by_folder; /* to Lane, freed by its thread */
    GQueue done;
    GCond has_no_threads;
    unsigned n_threads;
    bool is_stopping;
};

static void lanes_clear(void *data)
{
    Lanes *lanes = data;

    close(lanes->event_fd);
    g_queue_clear_full(&lanes->done, g_free);
    g_hash_table_unref(lanes->by_folder);
    g_mutex_clear(&lanes->lock);
    g_cond_clear(&lanes->has_no_threads);
}

static void lanes_deliver(Lanes *lanes)
{
    GQueue done;
    LaneJob *job;

    g_mutex_lock(&lanes->lock);
    done = lanes->done;
    g_queue_init(&lanes->done);
    g_mutex_unlock(&lanes->lock);
    while ((job = g_queue_pop_head(&done))) {
        job->done(job->data);
        g_free(job);
    }
}

static int lanes_on_done(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    eventfd_t count;

    eventfd_read(fd, &count);
    lanes_deliver(data);
    return 0;
}

Lanes *lanes_new(FiberLoop *loop, GError **error)
{
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    Lanes *lanes;
    int result;

    if (event_fd < 0) {
        error_set_errno(error, VIR_FROM_LOGGING, errno, "cannot create an event descriptor");
        return NULL;
    }
    lanes = g_atomic_rc_box_new0(Lanes);
    lanes->event_fd = event_fd;
    lanes->by_folder = g_hash_table_new(g_str_hash, g_str_equal);
    g_mutex_init(&lanes->lock);
    g_cond_init(&lanes->has_no_threads);
    result = sd_event_add_io(fiber_loop_get_event(loop), &lanes->source, event_fd, EPOLLIN,
                             lanes_on_done, lanes);
    if (result < 0) {
        g_atomic_rc_box_release_full(lanes, lanes_clear);
        error_set_errno(error, VIR_FROM_LOGGING, -result, "cannot watch an event descriptor");
        return NULL;
    }
    return lanes;
}

/* The lock is held. */
static void lanes_forget_todo(Lanes *lanes)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, lanes->by_folder);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Lane *lane = value;

        while (lane->todo.length > 0)
            g_queue_push_tail(&lanes->done, g_queue_pop_head(&lane->todo));
        g_cond_signal(&lane->has_work);
    }
}

bool lanes_free(Lanes *lanes, uint64_t patience_us)
{
    gint64 until = g_get_monotonic_time() + (gint64)patience_us;
    bool is_idle;

    if (!lanes)
        return true;
    sd_event_source_disable_unref(lanes->source);
    g_mutex_lock(&lanes->lock);
    lanes->is_stopping = true;
    lanes_forget_todo(lanes);
    while (lanes->n_threads > 0 &&
           g_cond_wait_until(&lanes->has_no_threads, &lanes->lock, until))
        ;
    is_idle = lanes->n_threads == 0;
    g_mutex_unlock(&lanes->lock);
    lanes_deliver(lanes);
    g_atomic_rc_box_release_full(lanes, lanes_clear);
    return is_idle;
}

/* NULL when there was nothing to do for a while, or all ends. */
static LaneJob *lane_take(Lane *lane)
{
    gint64 idle_until = g_get_monotonic_time() + LANE_IDLE_US;
    bool has_time = true;

    lane->busy_since_us = 0;
    while (lane->todo.length == 0 && !lane->lanes->is_stopping && has_time)
        has_time = g_cond_wait_until(&lane->has_work, &lane->lanes->lock, idle_until);
    if (lane->todo.length > 0)
        lane->busy_since_us = g_get_monotonic_time();
    return g_queue_pop_head(&lane->todo);
}

/* The lock is held: nobody can find the lane any more, nor be about to give it work. */
static void lane_free(Lane *lane)
{
    g_hash_table_remove(lane->lanes->by_folder, lane->folder);
    g_cond_clear(&lane->has_work);
    g_free(lane->folder);
    g_free(lane);
}

static void *lane_thread(void *data)
{
    Lane *lane = data;
    Lanes *lanes = lane->lanes;
    LaneJob *job;

    g_mutex_lock(&lanes->lock);
    while ((job = lane_take(lane))) {
        g_mutex_unlock(&lanes->lock);
        job->work(job->data);
        g_mutex_lock(&lanes->lock);
        g_queue_push_tail(&lanes->done, job);
        /* Of more than one the loop has been told already. */
        if (lanes->done.length == 1)
            eventfd_write(lanes->event_fd, 1);
    }
    lane_free(lane);
    lanes->n_threads--;
    g_cond_signal(&lanes->has_no_threads);
    g_mutex_unlock(&lanes->lock);
    g_atomic_rc_box_release_full(lanes, lanes_clear);
    return NULL;
}

/* With all signals blocked in it: they belong to the thread of the loop. */
static Lane *lane_new(Lanes *lanes, const char *folder, GError **error)
{
    g_autoptr(GError) thread_error = NULL;
    Lane *lane = g_new0(Lane, 1);
    sigset_t all, before;
    GThread *thread;

    lane->lanes = g_atomic_rc_box_acquire(lanes);
    lane->folder = g_strdup(folder);
    g_cond_init(&lane->has_work);
    g_hash_table_insert(lanes->by_folder, lane->folder, lane);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = g_thread_try_new("log", lane_thread, lane, &thread_error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!thread) {
        lane_free(lane);
        g_atomic_rc_box_release(lanes);
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_SYSTEM_ERROR, "cannot start a thread: %s",
                  thread_error->message);
        return NULL;
    }
    g_thread_unref(thread);
    lanes->n_threads++;
    return lane;
}

bool lanes_submit(Lanes *lanes, const char *folder, LaneFunc work, LaneFunc done, void *data,
                  GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lanes->lock);
    Lane *lane = g_hash_table_lookup(lanes->by_folder, folder);
    LaneJob *job;

    if (lanes->is_stopping) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_OPERATION_ABORTED, "the daemon is stopping");
        return false;
    }
    if (!lane && !(lane = lane_new(lanes, folder, error)))
        return false;
    job = g_new(LaneJob, 1);
    *job = (LaneJob){ work, done, data };
    g_queue_push_tail(&lane->todo, job);
    g_cond_signal(&lane->has_work);
    return true;
}

char *lanes_find_stuck(Lanes *lanes, uint64_t us)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lanes->lock);
    gint64 limit = g_get_monotonic_time() - (gint64)us;
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, lanes->by_folder);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Lane *lane = value;

        if (lane->busy_since_us != 0 && lane->busy_since_us < limit)
            return g_strdup(lane->folder);
    }
    return NULL;
}

/* Between a fiber and a lane: whoever lets go last frees it. */
typedef struct LaneWait {
    LaneFunc work;
    void *data;
    GDestroyNotify free;
    FiberCompletion done;
    bool is_abandoned;
} LaneWait;

static void wait_work(void *data)
{
    LaneWait *wait = data;

    wait->work(wait->data);
}

static void wait_done(void *data)
{
    LaneWait *wait = data;

    if (wait->is_abandoned) {
        wait->free(wait->data);
        g_free(wait);
        return;
    }
    fiber_completion_signal(&wait->done);
}

bool lanes_run(Lanes *lanes, const char *folder, LaneFunc work, void *data, GDestroyNotify free,
               uint64_t deadline_us, const char *what, GError **error)
{
    LaneWait *wait = g_new0(LaneWait, 1);
    g_autoptr(GError) failure = NULL;

    *wait = (LaneWait){ .work = work, .data = data, .free = free };
    if (!lanes_submit(lanes, folder, wait_work, wait_done, wait, error)) {
        free(data);
        g_free(wait);
        return false;
    }
    if (fiber_completion_wait(&wait->done, deadline_us, &failure) || wait->done.is_done) {
        g_free(wait);
        return true;
    }
    wait->is_abandoned = true;
    if (failure->code == VIR_ERR_OPERATION_TIMEOUT)
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_OPERATION_TIMEOUT,
                  "the file system of %s does not answer", what);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
