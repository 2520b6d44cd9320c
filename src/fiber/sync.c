/* In a cancelled fiber every function here that may fail does, also when it would not have to:
 * what a cancelled fiber can do does not depend on chance. */
#include "fiber/sync.h"

#include "base/error.h"
#include "fiber/internal.h"
#include "fiber/wait_list.h"

void fiber_completion_signal(FiberCompletion *completion)
{
    completion->is_done = true;
    wait_list_wake_all(&completion->waiters);
}

bool fiber_completion_wait(FiberCompletion *completion, uint64_t deadline_us, GError **error)
{
    if (!fiber_may_wait("completion", error))
        return false;
    return completion->is_done ||
           wait_list_wait(&completion->waiters, deadline_us, "completion", error);
}

void fiber_completion_await(FiberCompletion *completion)
{
    if (!completion->is_done)
        wait_list_await(&completion->waiters);
}

bool fiber_mutex_lock(FiberMutex *mutex, uint64_t deadline_us, GError **error)
{
    if (!fiber_may_wait("a lock", error))
        return false;
    if (!mutex->owner) {
        mutex->owner = fiber_current();
        return true;
    }
    if (mutex->owner == fiber_current()) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_INVALID,
                  "the fiber holds this lock already");
        return false;
    }
    return wait_list_wait(&mutex->waiters, deadline_us, "a lock", error);
}

/* Hands the mutex over before the next one runs: nobody who comes later gets ahead. */
void fiber_mutex_unlock(FiberMutex *mutex)
{
    g_return_if_fail(mutex->owner && mutex->owner == fiber_current());
    mutex->owner = wait_list_wake_first(&mutex->waiters);
}

void fiber_cond_signal(FiberCond *cond)
{
    wait_list_wake_first(&cond->waiters);
}

void fiber_cond_broadcast(FiberCond *cond)
{
    wait_list_wake_all(&cond->waiters);
}

bool fiber_cond_wait(FiberCond *cond, uint64_t deadline_us, GError **error)
{
    return wait_list_wait(&cond->waiters, deadline_us, "a condition", error);
}

/* --- Queue ---
 * A signal means "look again", not "this item is yours": somebody who did not wait may
 * have been faster, and then the waiter queues again. */

static bool queue_fail_closed(GError **error)
{
    error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_INVALID, "the queue is closed");
    return false;
}

static bool queue_is_full(const FiberQueue *queue)
{
    return queue->max_items > 0 && queue->items.length >= queue->max_items;
}

/* An event source's handler, which cannot wait, may push while there is room and pop
 * while there is something; a cancelled fiber may not. */
static bool queue_may_be_used(GError **error)
{
    return !fiber_current() || fiber_may_wait("a queue", error);
}

bool fiber_queue_push(FiberQueue *queue, void *item, uint64_t deadline_us, GError **error)
{
    if (!queue_may_be_used(error))
        return false;
    while (!queue->is_closed && queue_is_full(queue)) {
        if (!wait_list_wait(&queue->not_full.waiters, deadline_us, "room in a queue", error))
            return false;
    }
    if (queue->is_closed)
        return queue_fail_closed(error);
    g_queue_push_tail(&queue->items, item);
    fiber_cond_signal(&queue->not_empty);
    return true;
}

/* What was pushed before the queue was closed is still delivered. */
bool fiber_queue_pop(FiberQueue *queue, uint64_t deadline_us, void **ret_item, GError **error)
{
    if (!queue_may_be_used(error))
        return false;
    while (!queue->is_closed && queue->items.length == 0) {
        if (!wait_list_wait(&queue->not_empty.waiters, deadline_us, "an item in a queue", error))
            return false;
    }
    if (queue->items.length == 0)
        return queue_fail_closed(error);
    *ret_item = g_queue_pop_head(&queue->items);
    fiber_cond_signal(&queue->not_full);
    return true;
}

/* Everybody who waits learns of it. Items are not freed: they are the owner's. */
void fiber_queue_close(FiberQueue *queue)
{
    queue->is_closed = true;
    fiber_cond_broadcast(&queue->not_empty);
    fiber_cond_broadcast(&queue->not_full);
}
