/* The loop: fibers that are ready, then one sd_event_run(), for ever. Besides what its
 * owner adds, the event loop has three sources of ours, however many fibers wait: the
 * timer of all deadlines, the set of all descriptors, and the trimming of idle stacks. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/internal.h"

/* Fibers resumed in one round before the event loop has its turn again. */
#define LOOP_ROUND_MAX 128
/* How late a deadline may be noticed, so that several share one wake-up. */
#define LOOP_TIMER_ACCURACY_US 1000
/* A burst of calls leaves stacks behind that nobody needs: they go after one to two
 * intervals. An idle loop with nothing left to trim is not woken. */
#define LOOP_TRIM_INTERVAL_US (10 * G_USEC_PER_SEC)
#define LOOP_TRIM_ACCURACY_US (2 * G_USEC_PER_SEC)
/* A round while closing: how long a fiber that cannot be cancelled keeps us waiting. */
#define LOOP_CLOSING_STEP_US (100 * 1000)

static bool loop_check(int result, const char *what, GError **error)
{
    if (result >= 0)
        return true;
    error_set_errno(error, VIR_FROM_NONE, -result, "cannot %s", what);
    return false;
}

static void loop_arm_timer(FiberLoop *loop, uint64_t at_us)
{
    loop->timer_at_us = at_us;
    sd_event_source_set_time(loop->timer, at_us);
    sd_event_source_set_enabled(loop->timer, SD_EVENT_ONESHOT);
}

/* The timer is not touched when a wait ends before its deadline: at worst it fires once
 * for nothing. So a thousand calls that end in time cost no timer system call. */
static int loop_handle_timer(sd_event_source *source, uint64_t usec, void *data)
{
    FiberLoop *loop = data;
    uint64_t now = fiber_now_us();
    Deadline *first;

    loop->timer_at_us = FIBER_FOREVER;
    while ((first = deadline_heap_first(&loop->deadlines))) {
        if (first->at_us > now) {
            loop_arm_timer(loop, first->at_us);
            break;
        }
        void *owner = (char *)first - offsetof(Fiber, deadline);
        fiber_wake(owner, FIBER_WAKE_TIMEOUT);
    }
    return 0;
}

void fiber_loop_add_deadline(FiberLoop *loop, Deadline *deadline)
{
    deadline_heap_insert(&loop->deadlines, deadline);
    if (deadline->at_us < loop->timer_at_us)
        loop_arm_timer(loop, deadline->at_us);
}

static void loop_arm_trim(FiberLoop *loop)
{
    sd_event_source_set_time_relative(loop->trim_timer, LOOP_TRIM_INTERVAL_US);
    sd_event_source_set_enabled(loop->trim_timer, SD_EVENT_ONESHOT);
    loop->is_trim_armed = true;
}

static int loop_handle_trim(sd_event_source *source, uint64_t usec, void *data)
{
    FiberLoop *loop = data;

    loop->is_trim_armed = false;
    if (stack_pool_trim(&loop->stacks))
        loop_arm_trim(loop);
    return 0;
}

/* The timer is armed here at most once per interval: no system call per fiber. */
void fiber_loop_put_stack(FiberLoop *loop, void *stack)
{
    stack_pool_put(&loop->stacks, stack);
    if (!loop->is_trim_armed)
        loop_arm_trim(loop);
}

static bool loop_add_sources(FiberLoop *loop, GError **error)
{
    loop->fd_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!loop_check(loop->fd_epoll < 0 ? -errno : 0, "create an epoll descriptor", error) ||
        !loop_check(sd_event_new(&loop->event), "create an event loop", error) ||
        !loop_check(sd_event_add_time(loop->event, &loop->timer, CLOCK_MONOTONIC, FIBER_FOREVER,
                                      LOOP_TIMER_ACCURACY_US, loop_handle_timer, loop),
                    "add the timer of deadlines", error) ||
        !loop_check(sd_event_add_time(loop->event, &loop->trim_timer, CLOCK_MONOTONIC,
                                      FIBER_FOREVER, LOOP_TRIM_ACCURACY_US, loop_handle_trim, loop),
                    "add the timer of idle stacks", error) ||
        !loop_check(sd_event_add_io(loop->event, &loop->fd_source, loop->fd_epoll, EPOLLIN,
                                    wait_fd_dispatch, loop),
                    "watch the epoll descriptor", error))
        return false;
    sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
    sd_event_source_set_enabled(loop->trim_timer, SD_EVENT_OFF);
    return true;
}

FiberLoop *fiber_loop_new(GError **error)
{
    g_autoptr(FiberLoop) loop = g_new0(FiberLoop, 1);

    loop->fd_epoll = -1;
    loop->timer_at_us = FIBER_FOREVER;
    return loop_add_sources(loop, error) ? g_steal_pointer(&loop) : NULL;
}

sd_event *fiber_loop_get_event(FiberLoop *loop)
{
    return loop->event;
}

/* When fibers began to wait is for people to read: exact to a round, not worth a look at
 * the clock for each. Deadlines do not use this. */
uint64_t fiber_loop_round_us(FiberLoop *loop)
{
    if (loop->round_us == 0)
        loop->round_us = fiber_now_us();
    return loop->round_us;
}

void fiber_loop_push_ready(FiberLoop *loop, Fiber *fiber)
{
    fiber->next_ready = NULL;
    if (loop->ready_last)
        loop->ready_last->next_ready = fiber;
    else
        loop->ready_first = fiber;
    loop->ready_last = fiber;
}

/* Bounded: fibers that wake each other for ever must not keep descriptors and timers
 * from being looked at. */
static void loop_run_ready(FiberLoop *loop)
{
    loop->round_us = 0;
    for (int i = 0; i < LOOP_ROUND_MAX && loop->ready_first; i++) {
        Fiber *fiber = loop->ready_first;
        loop->ready_first = fiber->next_ready;
        if (!loop->ready_first)
            loop->ready_last = NULL;
        fiber_resume(fiber);
    }
}

bool fiber_loop_step(FiberLoop *loop, uint64_t timeout_us, GError **error)
{
    g_return_val_if_fail(!fiber_current(), false);

    loop_run_ready(loop);
    if (loop->ready_first || (loop->has_quit && !loop->is_closing))
        timeout_us = 0;
    /* One source is dispatched per run; what it woke runs before the next one. */
    int result = sd_event_run(loop->event, timeout_us);
    loop->round_us = 0;
    return result == -EINTR || loop_check(result, "run the event loop", error);
}

bool fiber_loop_run(FiberLoop *loop, int *ret_code, GError **error)
{
    while (!loop->has_quit) {
        if (!fiber_loop_step(loop, FIBER_FOREVER, error))
            return false;
        /* Somebody has called sd_event_exit(), a signal handler of sd-event perhaps. */
        if (sd_event_get_state(loop->event) == SD_EVENT_FINISHED) {
            loop->has_quit = true;
            sd_event_get_exit_code(loop->event, &loop->quit_code);
        }
    }
    loop->has_quit = false;
    if (ret_code)
        *ret_code = loop->quit_code;
    return true;
}

void fiber_loop_quit(FiberLoop *loop, int code)
{
    loop->has_quit = true;
    loop->quit_code = code;
}

/* Also those that are started meanwhile, by the clean-up of others. */
void fiber_loop_end_fibers(FiberLoop *loop)
{
    loop->is_closing = true;
    for (Fiber *fiber = loop->all; fiber; fiber = fiber->next)
        fiber_cancel(fiber);
    while (loop->all) {
        while (loop->ready_first)
            loop_run_ready(loop);
        /* What is left waits for a thread or for a child to die. */
        if (loop->all && !fiber_loop_step(loop, LOOP_CLOSING_STEP_US, NULL))
            break;
    }
}

void fiber_loop_free(FiberLoop *loop)
{
    if (!loop)
        return;
    fiber_loop_end_fibers(loop);
    offload_pool_free(loop->offload);
    /* Sources go before what they watch. */
    sd_event_source_disable_unref(loop->fd_source);
    sd_event_source_disable_unref(loop->trim_timer);
    sd_event_source_disable_unref(loop->timer);
    sd_event_unref(loop->event);
    if (loop->fd_epoll >= 0)
        close(loop->fd_epoll);
    g_free(loop->fd_slots);
    stack_pool_clear(&loop->stacks);
    deadline_heap_clear(&loop->deadlines);
    g_free(loop);
}

void fiber_loop_get_stats(FiberLoop *loop, FiberStats *ret_stats)
{
    stack_pool_measure(&loop->stacks);
    *ret_stats = (FiberStats){
        .n_fibers = loop->n_fibers,
        .n_stacks_pooled = loop->stacks.n_free,
        .stack_high_water = loop->stacks.high_water,
        .n_spawned = loop->n_spawned,
        .n_switches = loop->n_switches,
    };
}
