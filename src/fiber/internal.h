/* What the parts of this library know of each other: the insides of a fiber and of a
 * loop. Nobody else includes this.
 *
 * A fiber is READY (in the loop's queue), RUNNING, WAITING or ENDED. It leaves WAITING
 * once, by fiber_wake(); whoever wakes it first says why, later reasons are dropped. */
#pragma once

#include "fiber/annotate.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/stack.h"
#include "fiber/sync.h"

typedef enum FiberState {
    FIBER_READY,
    FIBER_RUNNING,
    FIBER_WAITING,
    FIBER_ENDED,
} FiberState;

typedef enum FiberWake {
    FIBER_WAKE_DONE, /* what it waited for has happened */
    FIBER_WAKE_TIMEOUT,
    FIBER_WAKE_CANCEL,
} FiberWake;

struct Fiber {
    FiberLoop *loop; /* NULL once it has ended */
    Fiber *next_ready;
    Fiber *previous, *next; /* all fibers of the loop */
    void *context;
    void *stack;
    FiberFunc func;
    void *data;
    const char *name;
    unsigned n_refs;
    FiberState state;
    FiberWake wake;
    bool is_cancelled;
    bool is_shielded; /* cancelling does not end the present wait */
    Deadline deadline;
    uint64_t waiting_since_us;
    FiberWaitList joiners;
    AnnotateStack annotate;
};

struct FiberLoop {
    sd_event *event;
    sd_event_source *timer, *trim_timer, *fd_source;
    void *context;
    AnnotateStack annotate;
    Fiber *ready_first, *ready_last;
    Fiber *all;
    StackPool stacks;
    DeadlineHeap deadlines;
    uint64_t timer_at_us;        /* when the timer fires at the latest; FIBER_FOREVER: off */
    uint64_t round_us;           /* the time, read at most once per round; 0: not yet */
    int fd_epoll;                /* what fiber_wait_fd() waits for, watched as one source */
    struct WaitFdSlot *fd_slots; /* by descriptor number */
    size_t n_fd_slots;
    struct OffloadPool *offload;
    bool is_trim_armed, is_closing, has_quit;
    int quit_code;
    size_t n_fibers;
    uint64_t n_spawned, n_switches;
};

/* fiber.c */
/* Fails when the running fiber is cancelled, or there is none: the beginning of every
 * function that may wait. */
bool fiber_may_wait(const char *what, GError **error);
/* Suspends the running fiber, which was asked fiber_may_wait() before. */
SUSPENDS bool fiber_wait(uint64_t deadline_us, const char *what, GError **error);
/* The same, but cancelling does not end it. False: the deadline has passed. */
SUSPENDS bool fiber_wait_shielded(uint64_t deadline_us);
/* False when @fiber does not wait any more. */
bool fiber_wake(Fiber *fiber, FiberWake reason);
/* Switches to @fiber, which is READY and in no queue, until it waits or ends. */
void fiber_resume(Fiber *fiber);

/* loop.c */
void fiber_loop_push_ready(FiberLoop *loop, Fiber *fiber);
void fiber_loop_add_deadline(FiberLoop *loop, Deadline *deadline);
void fiber_loop_put_stack(FiberLoop *loop, void *stack);
uint64_t fiber_loop_round_us(FiberLoop *loop);

/* wait_fd.c */
int wait_fd_dispatch(sd_event_source *source, int fd, uint32_t revents, void *data);
/* fiber_wait_fd() that cancelling does not end. */
SUSPENDS bool wait_fd_shielded(int fd, uint32_t events, uint64_t deadline_us);

/* offload.c */
void offload_pool_free(struct OffloadPool *pool);
