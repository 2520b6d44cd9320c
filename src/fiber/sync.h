/* What fibers of one loop wait for each other with. All are plain structs inside their
 * owner, zero is the initial state, and none may be freed while a fiber waits in it. */
#pragma once

#include "fiber/fiber.h"

typedef struct FiberWaitList {
    struct FiberWaiter *first, *last;
} FiberWaitList;

/* Something that happens once: a reply arrived, a process ended. Signalling may come
 * from the loop or from a fiber, before or after somebody waits. */
typedef struct FiberCompletion {
    FiberWaitList waiters;
    bool is_done;
} FiberCompletion;
void fiber_completion_signal(FiberCompletion *completion);
SUSPENDS bool fiber_completion_wait(FiberCompletion *completion, uint64_t deadline_us,
                                    GError **error);
/* The same in any case, also when the fiber is cancelled: before memory is freed that somebody
 * else still works with, who comes to an end by itself. */
SUSPENDS void fiber_completion_await(FiberCompletion *completion);

/* Fair mutex: order of arrival. */
typedef struct FiberMutex {
    FiberWaitList waiters;
    Fiber *owner;
} FiberMutex;
SUSPENDS bool fiber_mutex_lock(FiberMutex *mutex, uint64_t deadline_us, GError **error);
void fiber_mutex_unlock(FiberMutex *mutex);

/* Condition: wait returns after a signal; look at the state again, as always. */
typedef struct FiberCond {
    FiberWaitList waiters;
} FiberCond;
void fiber_cond_signal(FiberCond *cond);
void fiber_cond_broadcast(FiberCond *cond);
SUSPENDS bool fiber_cond_wait(FiberCond *cond, uint64_t deadline_us, GError **error);

/* Bounded queue of pointers. push waits while it is full, pop while it is empty. */
typedef struct FiberQueue {
    GQueue items;
    size_t max_items; /* 0: no limit */
    bool is_closed;
    FiberCond not_empty, not_full;
} FiberQueue;
/* Error OPERATION_INVALID when the queue is closed. */
SUSPENDS bool fiber_queue_push(FiberQueue *queue, void *item, uint64_t deadline_us, GError **error);
SUSPENDS bool fiber_queue_pop(FiberQueue *queue, uint64_t deadline_us, void **ret_item,
                              GError **error);
void fiber_queue_close(FiberQueue *queue);
