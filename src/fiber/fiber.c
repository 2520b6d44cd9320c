/* The life of a fiber: spawned, resumed by its loop, suspended in a wait, ended.
 *
 * Switches go between the loop and a fiber only, never from fiber to fiber: the loop
 * alone decides who is next, and each stack has one place that it was left from.
 * Everything that waits (sleeping, locks, descriptors, threads) comes down to
 * fiber_wait() in here and fiber_wake() by whoever makes the wait come true. */
#include "fiber/fiber.h"

#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "fiber/internal.h"
#include "fiber/switch.h"
#include "fiber/wait_list.h"

/* As errno: what runs now is a property of the thread, not of a context. */
static _Thread_local Fiber *current_fiber;

Fiber *fiber_current(void)
{
    return current_fiber;
}

FiberLoop *fiber_get_loop(Fiber *fiber)
{
    return fiber->loop;
}

bool fiber_has_ended(const Fiber *fiber)
{
    return fiber->state == FIBER_ENDED;
}

bool fiber_is_cancelled(const Fiber *fiber)
{
    return fiber->is_cancelled;
}

uint64_t fiber_waiting_since_us(const Fiber *fiber)
{
    return fiber->waiting_since_us;
}

Fiber *fiber_ref(Fiber *fiber)
{
    fiber->n_refs++;
    return fiber;
}

void fiber_unref(Fiber *fiber)
{
    if (fiber && --fiber->n_refs == 0)
        g_free(fiber);
}

/* The outermost function of every fiber. It ends by leaving its stack for good. */
static void fiber_main(void *data)
{
    Fiber *fiber = data;
    FiberLoop *loop = fiber->loop;

    annotate_switch_finish(&fiber->annotate, &loop->annotate);
    fiber->func(fiber->data);
    fiber->state = FIBER_ENDED;
    annotate_switch_start(NULL, &loop->annotate);
    switch_to(&fiber->context, loop->context);
    abort();
}

/* On the loop's stack, after the last switch away from the fiber's own: that may go back
 * to the pool now. The structure lives on for those who hold references. */
static void fiber_finish(Fiber *fiber)
{
    FiberLoop *loop = fiber->loop;

    if (fiber->previous)
        fiber->previous->next = fiber->next;
    else
        loop->all = fiber->next;
    if (fiber->next)
        fiber->next->previous = fiber->previous;
    loop->n_fibers--;
    fiber_loop_put_stack(loop, fiber->stack);
    fiber->stack = NULL;
    fiber->loop = NULL;
    wait_list_wake_all(&fiber->joiners);
    fiber_unref(fiber);
}

void fiber_resume(Fiber *fiber)
{
    FiberLoop *loop = fiber->loop;

    fiber->state = FIBER_RUNNING;
    loop->n_switches++;
    current_fiber = fiber;
    annotate_switch_start(&loop->annotate, &fiber->annotate);
    switch_to(&loop->context, fiber->context);
    annotate_switch_finish(&loop->annotate, NULL);
    current_fiber = NULL;
    /* It may be gone after this: only joiners and holders of references keep it. */
    if (fiber->state == FIBER_ENDED)
        fiber_finish(fiber);
}

/* Back to the loop; returns when the loop resumes @fiber, the running one. */
static void fiber_suspend(Fiber *fiber)
{
    FiberLoop *loop = fiber->loop;

    annotate_switch_start(&fiber->annotate, &loop->annotate);
    switch_to(&fiber->context, loop->context);
    annotate_switch_finish(&fiber->annotate, &loop->annotate);
}

/* The structure is not on the stack, although that would be cheaper: a reference that
 * somebody keeps would keep the whole stack. */
static Fiber *fiber_new(FiberLoop *loop, const char *name, FiberFunc func, void *data)
{
    void *stack = stack_pool_get(&loop->stacks);
    if (!stack)
        return NULL;

    Fiber *fiber = g_new(Fiber, 1);
    *fiber = (Fiber){
        .loop = loop,
        .stack = stack,
        .func = func,
        .data = data,
        .name = name,
        .n_refs = 1,
        .state = FIBER_READY,
        /* Who is born while the loop closes still runs, to free its data. */
        .is_cancelled = loop->is_closing,
        .next = loop->all,
        .annotate = { .bottom = stack, .size = STACK_SIZE - ANNOTATE_RESERVED },
    };
    fiber->context = switch_prepare(stack, STACK_SIZE - ANNOTATE_RESERVED, fiber_main, fiber);
    if (loop->all)
        loop->all->previous = fiber;
    loop->all = fiber;
    loop->n_fibers++;
    loop->n_spawned++;
    return fiber;
}

bool fiber_spawn(FiberLoop *loop, const char *name, FiberFunc func, void *data, Fiber **ret_fiber,
                 GError **error)
{
    Fiber *fiber = fiber_new(loop, name, func, data);

    if (!fiber) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_NO_MEMORY,
                  "no stack for fiber '%s' beside %zu others", name, loop->n_fibers);
        return false;
    }
    if (ret_fiber)
        *ret_fiber = fiber_ref(fiber);
    if (current_fiber)
        fiber_loop_push_ready(loop, fiber);
    else
        fiber_resume(fiber);
    return true;
}

/* Only queues it: the waker goes on, and what it does next still happens before. */
bool fiber_wake(Fiber *fiber, FiberWake reason)
{
    if (fiber->state != FIBER_WAITING)
        return false;
    fiber->wake = reason;
    fiber->state = FIBER_READY;
    fiber->waiting_since_us = 0;
    deadline_heap_remove(&fiber->loop->deadlines, &fiber->deadline);
    fiber_loop_push_ready(fiber->loop, fiber);
    return true;
}

void fiber_cancel(Fiber *fiber)
{
    fiber->is_cancelled = true;
    if (!fiber->is_shielded)
        fiber_wake(fiber, FIBER_WAKE_CANCEL);
}

static bool fiber_fail_cancelled(Fiber *fiber, const char *what, GError **error)
{
    error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_ABORTED, "'%s' was cancelled waiting for %s",
              fiber->name, what);
    return false;
}

bool fiber_may_wait(const char *what, GError **error)
{
    if (!current_fiber) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "waiting for %s outside of a fiber",
                  what);
        return false;
    }
    return !current_fiber->is_cancelled || fiber_fail_cancelled(current_fiber, what, error);
}

/* The one place where a fiber waits. A deadline in the past is no special case: the
 * timer fires at once, after the others had their turn. */
static FiberWake fiber_wait_for_wake(uint64_t deadline_us)
{
    Fiber *fiber = current_fiber;

    fiber->state = FIBER_WAITING;
    fiber->waiting_since_us = fiber_loop_round_us(fiber->loop);
    if (deadline_us != FIBER_FOREVER) {
        fiber->deadline.at_us = deadline_us;
        fiber_loop_add_deadline(fiber->loop, &fiber->deadline);
    }
    fiber_suspend(fiber);
    return fiber->wake;
}

bool fiber_wait(uint64_t deadline_us, const char *what, GError **error)
{
    switch (fiber_wait_for_wake(deadline_us)) {
    case FIBER_WAKE_DONE:
        return true;
    case FIBER_WAKE_TIMEOUT:
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_TIMEOUT, "'%s' waited too long for %s",
                  current_fiber->name, what);
        return false;
    case FIBER_WAKE_CANCEL:
        break;
    }
    return fiber_fail_cancelled(current_fiber, what, error);
}

bool fiber_wait_shielded(uint64_t deadline_us)
{
    Fiber *fiber = current_fiber;

    fiber->is_shielded = true;
    FiberWake wake = fiber_wait_for_wake(deadline_us);
    fiber->is_shielded = false;
    return wake == FIBER_WAKE_DONE;
}

bool fiber_join(Fiber *fiber, uint64_t deadline_us, GError **error)
{
    if (!fiber_may_wait("the end of a fiber", error))
        return false;
    if (fiber == current_fiber) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_INVALID,
                  "fiber '%s' would wait for itself", fiber->name);
        return false;
    }
    return fiber_has_ended(fiber) ||
           wait_list_wait(&fiber->joiners, deadline_us, "the end of a fiber", error);
}

bool fiber_sleep(uint64_t duration_us, GError **error)
{
    uint64_t now = fiber_now_us();
    uint64_t deadline = duration_us < FIBER_FOREVER - now ? now + duration_us : FIBER_FOREVER;

    if (!fiber_may_wait("time to pass", error))
        return false;
    return fiber_wait_for_wake(deadline) == FIBER_WAKE_TIMEOUT ||
           fiber_fail_cancelled(current_fiber, "time to pass", error);
}

bool fiber_yield(GError **error)
{
    if (!fiber_may_wait("its turn", error))
        return false;
    current_fiber->state = FIBER_READY;
    fiber_loop_push_ready(current_fiber->loop, current_fiber);
    fiber_suspend(current_fiber);
    /* Cancelled meanwhile? It was not waiting then, only waiting for its turn. */
    return fiber_may_wait("its turn", error);
}

uint64_t fiber_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * G_USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

uint64_t fiber_deadline_ms(uint64_t from_now_ms)
{
    uint64_t now = fiber_now_us();

    return from_now_ms < (FIBER_FOREVER - now) / 1000 ? now + from_now_ms * 1000 : FIBER_FOREVER;
}
