/* Fibers: stackful coroutines over one sd-event loop. A fiber runs until it waits;
 * between two waits it owns the whole process. One loop belongs to one thread.
 *
 * Nothing here survives a restart. The current fiber of a thread is the one piece of
 * state outside a context struct: a thread-local, as errno is. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Marks a function that may suspend the calling fiber: whatever it looked up before
 * the call may have changed after it. Such a function may only be called in a fiber. */
#define SUSPENDS

/* Deadlines are absolute, CLOCK_MONOTONIC, in microseconds. */
#define FIBER_FOREVER UINT64_MAX

typedef struct FiberLoop FiberLoop;
typedef struct Fiber Fiber;
typedef void (*FiberFunc)(void *data);

FiberLoop *fiber_loop_new(GError **error);
/* All fibers must have ended, or are cancelled and run to their end here. */
void fiber_loop_free(FiberLoop *loop);
/* Cancels all fibers and runs them to their end; those spawned later are
 * cancelled from the start. */
void fiber_loop_end_fibers(FiberLoop *loop);
sd_event *fiber_loop_get_event(FiberLoop *loop);
/* Runs until fiber_loop_quit(); *@ret_code is its argument. */
bool fiber_loop_run(FiberLoop *loop, int *ret_code, GError **error);
/* One round: ready fibers, then what the event loop has, waiting at most @timeout_us. */
bool fiber_loop_step(FiberLoop *loop, uint64_t timeout_us, GError **error);
void fiber_loop_quit(FiberLoop *loop, int code);

/* Starts a fiber. Called from the loop itself (an event source's handler) it runs at
 * once until its first wait or its end; called from a fiber, it runs when the caller
 * next waits or ends. @name is a static string, shown in statistics. @ret_fiber (may be
 * NULL) receives a reference, for fiber_join() and fiber_cancel().
 * Errors: NO_MEMORY when no stack can be had; then @func is never called. */
bool fiber_spawn(FiberLoop *loop, const char *name, FiberFunc func, void *data, Fiber **ret_fiber,
                 GError **error);
Fiber *fiber_ref(Fiber *fiber);
void fiber_unref(Fiber *fiber);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FiberLoop, fiber_loop_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fiber, fiber_unref)

/* The running fiber, NULL outside of one; its loop. */
Fiber *fiber_current(void);
FiberLoop *fiber_get_loop(Fiber *fiber);
bool fiber_has_ended(const Fiber *fiber);
/* When the fiber last suspended (monotonic us), 0 while it runs or is ready to. */
uint64_t fiber_waiting_since_us(const Fiber *fiber);

/* Makes the wait in which @fiber is, and every later one, fail with OPERATION_ABORTED. */
void fiber_cancel(Fiber *fiber);
bool fiber_is_cancelled(const Fiber *fiber);
SUSPENDS bool fiber_join(Fiber *fiber, uint64_t deadline_us, GError **error);
SUSPENDS bool fiber_sleep(uint64_t duration_us, GError **error);
/* Lets the others run once. */
SUSPENDS bool fiber_yield(GError **error);
/* Waits until @fd has one of @events (EPOLLIN, …); errors OPERATION_TIMEOUT,
 * OPERATION_ABORTED. @ret_revents may be NULL. Several fibers may wait for one @fd; it
 * should stay open until the wait is over: who waits for a closed one is not woken. */
SUSPENDS bool fiber_wait_fd(int fd, uint32_t events, uint64_t deadline_us, uint32_t *ret_revents,
                            GError **error);

uint64_t fiber_now_us(void);
uint64_t fiber_deadline_ms(uint64_t from_now_ms);

typedef struct FiberStats {
    size_t n_fibers;         /* now alive */
    size_t n_stacks_pooled;  /* free stacks kept */
    size_t stack_high_water; /* most bytes of one stack ever used, when measured */
    uint64_t n_spawned;
    uint64_t n_switches;
} FiberStats;
void fiber_loop_get_stats(FiberLoop *loop, FiberStats *ret_stats);
