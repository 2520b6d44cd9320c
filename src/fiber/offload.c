/* A pool of threads per loop. Jobs go in under a lock; done ones come back in a list that
 * the loop empties when the event descriptor says so: one write and one wake-up for as
 * many as were done meanwhile. Threads never touch a fiber or the loop. */
#include "fiber/offload.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/internal.h"

#define OFFLOAD_MAX_THREADS 4
#define OFFLOAD_IDLE_US (10 * G_USEC_PER_SEC)

/* On the stack of the fiber that waits for it. */
typedef struct OffloadJob {
    OffloadFunc func;
    void *data;
    bool ok;
    GError *error;
    Fiber *fiber;
} OffloadJob;

/* Shared by the loop and the threads: every thread has a reference, so that the last
 * one out frees it. Fields below the lock are used under it only. */
typedef struct OffloadPool {
    sd_event_source *source;
    int event_fd;
    GMutex lock;
    GCond has_work, has_no_threads;
    GQueue todo, done;
    unsigned n_threads, n_idle;
    bool is_stopping;
} OffloadPool;

/* Run by the last to let go: the loop or, when it ends at that moment, a thread. */
static void offload_pool_clear(void *data)
{
    OffloadPool *pool = data;

    close(pool->event_fd);
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->has_work);
    g_cond_clear(&pool->has_no_threads);
}

/* NULL when there was nothing to do for OFFLOAD_IDLE_US, or the pool ends. */
static OffloadJob *offload_pool_take(OffloadPool *pool)
{
    gint64 idle_until = g_get_monotonic_time() + OFFLOAD_IDLE_US;
    bool has_time = true;

    pool->n_idle++;
    while (pool->todo.length == 0 && !pool->is_stopping && has_time)
        has_time = g_cond_wait_until(&pool->has_work, &pool->lock, idle_until);
    pool->n_idle--;
    return g_queue_pop_head(&pool->todo);
}

static void *offload_thread(void *data)
{
    OffloadPool *pool = data;
    OffloadJob *job;

    g_mutex_lock(&pool->lock);
    while ((job = offload_pool_take(pool))) {
        g_mutex_unlock(&pool->lock);
        job->ok = job->func(job->data, &job->error);
        g_mutex_lock(&pool->lock);
        g_queue_push_tail(&pool->done, job);
        /* Of more than one the loop has been told already. */
        if (pool->done.length == 1)
            eventfd_write(pool->event_fd, 1);
    }
    pool->n_threads--;
    g_cond_signal(&pool->has_no_threads);
    g_mutex_unlock(&pool->lock);
    g_atomic_rc_box_release_full(pool, offload_pool_clear);
    return NULL;
}

/* With all signals blocked in it: they belong to the thread of the loop. */
static bool offload_pool_start_thread(OffloadPool *pool, GError **error)
{
    g_autoptr(GError) thread_error = NULL;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    GThread *thread =
        g_thread_try_new("offload", offload_thread, g_atomic_rc_box_acquire(pool), &thread_error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (thread) {
        g_thread_unref(thread);
        pool->n_threads++;
        return true;
    }
    g_atomic_rc_box_release(pool);
    error_set(error, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "cannot start a thread: %s",
              thread_error->message);
    return false;
}

static int offload_handle_done(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    OffloadPool *pool = data;
    eventfd_t count;
    OffloadJob *job;

    eventfd_read(fd, &count);
    g_mutex_lock(&pool->lock);
    while ((job = g_queue_pop_head(&pool->done)))
        fiber_wake(job->fiber, FIBER_WAKE_DONE);
    g_mutex_unlock(&pool->lock);
    return 0;
}

static OffloadPool *offload_pool_get(FiberLoop *loop, GError **error)
{
    if (loop->offload)
        return loop->offload;

    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot create an event descriptor");
        return NULL;
    }
    OffloadPool *pool = g_atomic_rc_box_new0(OffloadPool);
    pool->event_fd = event_fd;
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->has_work);
    g_cond_init(&pool->has_no_threads);
    int result =
        sd_event_add_io(loop->event, &pool->source, event_fd, EPOLLIN, offload_handle_done, pool);
    if (result < 0) {
        g_atomic_rc_box_release_full(pool, offload_pool_clear);
        error_set_errno(error, VIR_FROM_NONE, -result, "cannot watch an event descriptor");
        return NULL;
    }
    loop->offload = pool;
    return pool;
}

/* A thread is started when all are busy; when that fails, those there are will do. */
static bool offload_pool_push(OffloadPool *pool, OffloadJob *job, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);

    if (pool->n_idle <= pool->todo.length && pool->n_threads < OFFLOAD_MAX_THREADS &&
        !offload_pool_start_thread(pool, pool->n_threads == 0 ? error : NULL) &&
        pool->n_threads == 0)
        return false;
    g_queue_push_tail(&pool->todo, job);
    g_cond_signal(&pool->has_work);
    return true;
}

bool fiber_offload(OffloadFunc func, void *data, GError **error)
{
    if (!fiber_may_wait("a thread", error))
        return false;
    OffloadPool *pool = offload_pool_get(fiber_get_loop(fiber_current()), error);
    if (!pool)
        return false;

    OffloadJob job = { .func = func, .data = data, .fiber = fiber_current() };
    if (!offload_pool_push(pool, &job, error))
        return false;
    /* For ever, and not to be cancelled: the thread works on the caller's data. */
    fiber_wait_shielded(FIBER_FOREVER);
    if (job.error)
        g_propagate_error(error, job.error);
    return job.ok;
}

/* No fiber is left, so no job either: the threads are idle, and end. */
void offload_pool_free(OffloadPool *pool)
{
    if (!pool)
        return;
    sd_event_source_disable_unref(pool->source);
    g_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    g_cond_broadcast(&pool->has_work);
    while (pool->n_threads > 0)
        g_cond_wait(&pool->has_no_threads, &pool->lock);
    g_mutex_unlock(&pool->lock);
    g_atomic_rc_box_release_full(pool, offload_pool_clear);
}
