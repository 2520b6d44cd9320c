#include <fenv.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fiber/deadline.h"
#include "fiber/stack.h"
#include "tests/unit/fiber_fixture.h"

#define MANY 10000

/* --- Order --- */

typedef struct Trace {
    FiberLoop *loop;
    GString *text;
} Trace;

static void trace_child(void *data)
{
    Trace *trace = data;

    g_string_append(trace->text, "child ");
    fiber_yield(NULL);
    g_string_append(trace->text, "child-again ");
}

static void trace_parent(void *data)
{
    Trace *trace = data;
    g_autoptr(Fiber) child = fixture_spawn(trace->loop, trace_child, trace);

    g_string_append(trace->text, "parent ");
    fiber_yield(NULL);
    g_string_append(trace->text, "parent-again ");
    g_assert_true(fiber_join(child, FIBER_FOREVER, NULL));
    g_string_append(trace->text, "joined");
}

static void test_fiber_spawned_by_the_loop_runs_at_once(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GString) text = g_string_new(NULL);
    Trace trace = { loop, text };
    G_GNUC_UNUSED g_autoptr(Fiber) fiber = fixture_spawn(loop, trace_child, &trace);

    g_assert_cmpstr(text->str, ==, "child ");
    fixture_loop_drain(loop);
}

static void test_fiber_spawned_by_a_fiber_runs_when_the_caller_waits(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GString) text = g_string_new(NULL);
    Trace trace = { loop, text };
    G_GNUC_UNUSED g_autoptr(Fiber) fiber = fixture_spawn(loop, trace_parent, &trace);

    fixture_loop_drain(loop);
    g_assert_cmpstr(text->str, ==, "parent child parent-again child-again joined");
}

static void state_body(void *data)
{
    Fiber **fiber = data;

    g_assert_cmpuint(fiber_waiting_since_us(fiber_current()), ==, 0);
    *fiber = fiber_ref(fiber_current());
    g_assert_nonnull(fiber_get_loop(*fiber));
    fiber_sleep(1000, NULL);
}

static void test_fiber_state_is_visible_from_outside(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(Fiber) seen = NULL;
    uint64_t before = fiber_now_us();
    g_autoptr(Fiber) fiber = fixture_spawn(loop, state_body, &seen);

    g_assert_true(seen == fiber);
    g_assert_null(fiber_current());
    g_assert_cmpuint(fiber_waiting_since_us(fiber), >=, before);
    g_assert_false(fiber_has_ended(fiber));
    fixture_loop_drain(loop);
    g_assert_true(fiber_has_ended(fiber));
    g_assert_cmpuint(fiber_waiting_since_us(fiber), ==, 0);
}

static void quit_body(void *data)
{
    fiber_sleep(1000, NULL);
    fiber_loop_quit(data, 42);
}

static void test_loop_run_returns_the_code_of_quit(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    G_GNUC_UNUSED g_autoptr(Fiber) fiber = fixture_spawn(loop, quit_body, loop);
    int code = 0;

    g_assert_true(fiber_loop_run(loop, &code, NULL));
    g_assert_cmpint(code, ==, 42);
}

static int handle_exit(sd_event_source *source, uint64_t usec, void *data)
{
    return sd_event_exit(sd_event_source_get_event(source), 17);
}

static void test_loop_run_ends_when_the_event_loop_is_ended(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    int code = 0;

    sd_event_add_time_relative(fiber_loop_get_event(loop), NULL, CLOCK_MONOTONIC, 1000, 1000,
                               handle_exit, NULL);
    g_assert_true(fiber_loop_run(loop, &code, NULL));
    g_assert_cmpint(code, ==, 17);
}

static int handle_once(sd_event_source *source, uint64_t usec, void *data)
{
    fiber_spawn(data, "quit", quit_body, data, NULL, NULL);
    return 0;
}

static void test_event_handler_can_spawn(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    int code = 0;

    sd_event_add_time_relative(fiber_loop_get_event(loop), NULL, CLOCK_MONOTONIC, 1000, 1000,
                               handle_once, loop);
    g_assert_true(fiber_loop_run(loop, &code, NULL));
    g_assert_cmpint(code, ==, 42);
}

/* --- Time --- */

typedef struct Sleeper {
    uint64_t duration_us;
    GArray *order;
} Sleeper;

static void sleeper_body(void *data)
{
    Sleeper *sleeper = data;
    uint64_t begin = fiber_now_us();

    g_assert_true(fiber_sleep(sleeper->duration_us, NULL));
    g_assert_cmpuint(fiber_now_us() - begin, >=, sleeper->duration_us);
    g_array_append_val(sleeper->order, sleeper->duration_us);
}

static void test_sleepers_wake_in_order_of_their_deadlines(void)
{
    const uint64_t durations[] = { 30000, 10000, 50000, 20000, 40000 };
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    Sleeper sleepers[G_N_ELEMENTS(durations)];

    for (size_t i = 0; i < G_N_ELEMENTS(durations); i++) {
        sleepers[i] = (Sleeper){ durations[i], order };
        fiber_spawn(loop, "sleeper", sleeper_body, &sleepers[i], NULL, NULL);
    }
    fixture_loop_drain(loop);
    for (size_t i = 0; i < G_N_ELEMENTS(durations); i++)
        g_assert_cmpuint(g_array_index(order, uint64_t, i), ==, (i + 1) * 10000);
}

static void test_deadline_heap_keeps_order_under_random_removal(void)
{
    enum { N = 500 };
    DeadlineHeap heap = { 0 };
    Deadline items[N] = { 0 };
    uint64_t last = 0;

    for (int i = 0; i < N; i++) {
        items[i].at_us = g_test_rand_int_range(0, 1000);
        deadline_heap_insert(&heap, &items[i]);
    }
    for (int i = 0; i < N; i += 3) {
        deadline_heap_remove(&heap, &items[i]);
        deadline_heap_remove(&heap, &items[i]);
    }
    for (size_t left = heap.n_items; left > 0; left--) {
        Deadline *first = deadline_heap_first(&heap);
        g_assert_cmpuint(first->at_us, >=, last);
        last = first->at_us;
        deadline_heap_remove(&heap, first);
    }
    g_assert_null(deadline_heap_first(&heap));
    deadline_heap_clear(&heap);
}

static void test_deadline_far_away_saturates(void)
{
    g_assert_cmpuint(fiber_deadline_ms(UINT64_MAX), ==, FIBER_FOREVER);
    g_assert_cmpuint(fiber_deadline_ms(UINT64_MAX / 1000), ==, FIBER_FOREVER);
    g_assert_cmpuint(fiber_deadline_ms(10), <=, fiber_now_us() + 10000);
}

/* --- Descriptors --- */

static void wait_fd_timeout_body(void *data)
{
    g_autoptr(GError) error = NULL;
    int *fds = data;

    g_assert_false(fiber_wait_fd(fds[0], EPOLLIN, fiber_deadline_ms(5), NULL, &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
}

static void test_wait_fd_times_out(void)
{
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    fixture_run(wait_fd_timeout_body, fds);
    close(fds[0]);
    close(fds[1]);
}

static void wait_fd_body(void *data)
{
    int *fd = data;
    uint32_t revents = 0;

    g_assert_true(fiber_wait_fd(*fd, EPOLLIN, fiber_deadline_ms(5000), &revents, NULL));
    g_assert_true(revents & EPOLLIN);
    *fd = -1;
}

/* Both fibers wait for the same descriptor, which the event loop watches as well. */
static void test_two_fibers_wait_for_one_descriptor(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    sd_event_source *source = NULL;
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    int first = fds[0], second = fds[0];
    sd_event_add_io(fiber_loop_get_event(loop), &source, fds[0], EPOLLPRI, NULL, NULL);
    fiber_spawn(loop, "first", wait_fd_body, &first, NULL, NULL);
    fiber_spawn(loop, "second", wait_fd_body, &second, NULL, NULL);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    fixture_loop_drain(loop);
    g_assert_cmpint(first, ==, -1);
    g_assert_cmpint(second, ==, -1);
    sd_event_source_disable_unref(source);
    close(fds[0]);
    close(fds[1]);
}

static void wait_fd_aborted_body(void *data)
{
    g_assert_false(fiber_wait_fd(*(int *)data, EPOLLIN, FIBER_FOREVER, NULL, NULL));
}

/* A duplicate keeps the closed pipe alive in the kernel, which goes on reporting it. */
static void test_late_events_of_a_closed_descriptor_are_dropped(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    int fds[2], others[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    int number = fds[0], duplicate = dup(fds[0]);
    g_autoptr(Fiber) aborted = fixture_spawn(loop, wait_fd_aborted_body, &number);
    close(number);
    fiber_cancel(aborted);
    fiber_loop_step(loop, 0, NULL);
    g_assert_true(fiber_has_ended(aborted));

    g_assert_cmpint(pipe2(others, O_CLOEXEC), ==, 0);
    g_assert_cmpint(others[0], ==, number);
    int waited = number;
    g_autoptr(Fiber) fiber = fixture_spawn(loop, wait_fd_body, &waited);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    for (int i = 0; i < 5; i++)
        fiber_loop_step(loop, 0, NULL);
    g_assert_false(fiber_has_ended(fiber));
    g_assert_cmpint(write(others[1], "x", 1), ==, 1);
    fixture_loop_drain(loop);
    g_assert_cmpint(waited, ==, -1);
    close(duplicate);
    close(fds[1]);
    close(others[0]);
    close(others[1]);
}

static void wait_fd_again_body(void *data)
{
    int *fds = data;
    char byte;

    for (int i = 0; i < 5; i++) {
        g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
        g_assert_true(fiber_wait_fd(fds[0], EPOLLIN, fiber_deadline_ms(5000), NULL, NULL));
        g_assert_cmpint(read(fds[0], &byte, 1), ==, 1);
        g_assert_false(fiber_wait_fd(fds[0], EPOLLIN, fiber_deadline_ms(1), NULL, NULL));
    }
    close(fds[0]);
    close(fds[1]);
}

/* The second time the numbers mean other pipes. */
static void test_wait_fd_works_again_and_after_a_number_is_reused(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();

    for (int i = 0; i < 2; i++) {
        int fds[2];
        g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
        G_GNUC_UNUSED g_autoptr(Fiber) fiber = fixture_spawn(loop, wait_fd_again_body, fds);
        fixture_loop_drain(loop);
    }
}

static void wait_fd_past_deadline_body(void *data)
{
    int *fd = data;

    g_assert_true(fiber_wait_fd(*fd, EPOLLIN, 1, NULL, NULL));
}

static void test_ready_descriptor_wins_over_a_past_deadline(void)
{
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    fixture_run(wait_fd_past_deadline_body, &fds[0]);
    close(fds[0]);
    close(fds[1]);
}

static void wait_fd_hang_up_body(void *data)
{
    int *fd = data;
    uint32_t revents = 0;

    g_assert_true(fiber_wait_fd(*fd, EPOLLIN, fiber_deadline_ms(5000), &revents, NULL));
    g_assert_true(revents & EPOLLHUP);
}

static void test_wait_fd_reports_hang_up(void)
{
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    close(fds[1]);
    fixture_run(wait_fd_hang_up_body, &fds[0]);
    close(fds[0]);
}

static void wait_fd_file_body(void *data)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint32_t revents = 0;

    g_assert_true(fiber_wait_fd(fd, EPOLLIN, FIBER_FOREVER, &revents, NULL));
    g_assert_cmpuint(revents, ==, EPOLLIN);
    close(fd);
}

static void test_regular_file_is_always_ready(void)
{
    fixture_run(wait_fd_file_body, NULL);
}

static void wait_fd_bad_body(void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_wait_fd(-1, EPOLLIN, FIBER_FOREVER, NULL, &error));
    assert_error_code(error, VIR_ERR_SYSTEM_ERROR);
}

static void test_wait_fd_refuses_a_bad_descriptor(void)
{
    fixture_run(wait_fd_bad_body, NULL);
}

/* --- Joining and cancelling --- */

static void join_timeout_body(void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_join(data, fiber_deadline_ms(5), &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
    g_clear_error(&error);
    fiber_cancel(data);
    g_assert_true(fiber_join(data, FIBER_FOREVER, &error));
    g_assert_true(fiber_join(data, FIBER_FOREVER, &error));
    g_assert_false(fiber_join(fiber_current(), FIBER_FOREVER, &error));
    assert_error_code(error, VIR_ERR_OPERATION_INVALID);
}

static void sleep_forever_body(void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_sleep(FIBER_FOREVER, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
}

static void test_join_times_out_and_succeeds_after_the_end(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(Fiber) sleeper = fixture_spawn(loop, sleep_forever_body, NULL);
    G_GNUC_UNUSED g_autoptr(Fiber) joiner = fixture_spawn(loop, join_timeout_body, sleeper);

    fixture_loop_drain(loop);
}

static void cancelled_body(void *data)
{
    g_autoptr(GError) error = NULL;
    bool *was_there = data;

    g_assert_false(fiber_sleep(FIBER_FOREVER, NULL));
    g_assert_true(fiber_is_cancelled(fiber_current()));
    g_assert_false(fiber_yield(&error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
    g_clear_error(&error);
    g_assert_false(fiber_wait_fd(0, EPOLLIN, FIBER_FOREVER, NULL, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
    g_clear_error(&error);
    g_assert_false(fiber_join(fiber_current(), FIBER_FOREVER, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
    g_clear_error(&error);
    g_assert_false(fiber_sleep(1, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
    *was_there = true;
}

static void test_cancelled_fiber_cannot_wait_any_more(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    bool was_there = false;
    g_autoptr(Fiber) fiber = fixture_spawn(loop, cancelled_body, &was_there);

    fiber_cancel(fiber);
    g_assert_false(was_there);
    fixture_loop_drain(loop);
    g_assert_true(was_there);
    fiber_cancel(fiber);
}

static void cancelled_wait_fd_body(void *data)
{
    g_autoptr(GError) error = NULL;
    int *fd = data;

    g_assert_false(fiber_wait_fd(*fd, EPOLLIN, FIBER_FOREVER, NULL, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
}

static void cancelled_join_body(void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_join(data, FIBER_FOREVER, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
}

static void cancelled_yield_body(void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_yield(&error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
}

static void test_cancel_ends_waits_for_descriptors_fibers_and_turns(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    g_autoptr(Fiber) on_fd = fixture_spawn(loop, cancelled_wait_fd_body, &fds[0]);
    g_autoptr(Fiber) on_fiber = fixture_spawn(loop, cancelled_join_body, on_fd);
    g_autoptr(Fiber) on_turn = fixture_spawn(loop, cancelled_yield_body, NULL);
    fiber_cancel(on_turn);
    fiber_cancel(on_fiber);
    fiber_cancel(on_fd);
    fixture_loop_drain(loop);
    close(fds[0]);
    close(fds[1]);
}

static void spawn_more_body(void *data)
{
    g_assert_false(fiber_sleep(FIBER_FOREVER, NULL));
    fiber_spawn(fiber_get_loop(fiber_current()), "late", cancelled_body, data, NULL, NULL);
}

static void test_loop_free_runs_what_is_left_to_its_end(void)
{
    FiberLoop *loop = fixture_loop_new();
    bool was_there = false, late_was_there = false;
    g_autoptr(Fiber) fiber = fixture_spawn(loop, cancelled_body, &was_there);
    G_GNUC_UNUSED g_autoptr(Fiber) spawner = fixture_spawn(loop, spawn_more_body, &late_was_there);

    fiber_loop_free(loop);
    g_assert_true(was_there);
    g_assert_true(late_was_there);
    g_assert_true(fiber_has_ended(fiber));
}

static void test_waiting_outside_of_a_fiber_is_an_error(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_yield(&error));
    assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
}

/* --- What a switch preserves --- */

static void float_body(void *data)
{
    int id = GPOINTER_TO_INT(data);
    double a = id * 1.5, b = id * 2.5, c = id * 3.5;
    float d = (float)id * 4.5f;
    long e = id * 5L, f = id * 6L, g = id * 7L, h = id * 8L, i = id * 9L;

    for (int round = 1; round <= 100; round++) {
        a += 1, b += 2, c += 3, d += 4;
        e++, f += 2, g += 3, h += 4, i += 5;
        fiber_yield(NULL);
        g_assert_cmpfloat(a, ==, id * 1.5 + round);
        g_assert_cmpfloat(b, ==, id * 2.5 + 2 * round);
        g_assert_cmpfloat(c, ==, id * 3.5 + 3 * round);
        g_assert_cmpfloat((double)d, ==, (double)((float)id * 4.5f) + 4 * round);
        g_assert_cmpint(e + f + g + h + i, ==, id * 35L + 15L * round);
    }
}

static void test_registers_survive_switches(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();

    for (int id = 1; id <= 20; id++)
        fiber_spawn(loop, "float", float_body, GINT_TO_POINTER(id), NULL, NULL);
    fixture_loop_drain(loop);
}

static void rounding_body(void *data)
{
    int mode = GPOINTER_TO_INT(data);

    fesetround(mode);
    for (int i = 0; i < 3; i++) {
        fiber_yield(NULL);
        g_assert_cmpint(fegetround(), ==, mode);
    }
}

static void test_rounding_mode_belongs_to_the_fiber(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();

    fiber_spawn(loop, "up", rounding_body, GINT_TO_POINTER(FE_UPWARD), NULL, NULL);
    fiber_spawn(loop, "down", rounding_body, GINT_TO_POINTER(FE_DOWNWARD), NULL, NULL);
    g_assert_cmpint(fegetround(), ==, FE_TONEAREST);
    fixture_loop_drain(loop);
    g_assert_cmpint(fegetround(), ==, FE_TONEAREST);
}

static void alignment_body(void *data)
{
    _Alignas(16) volatile char buffer[64];

    buffer[0] = 1;
    g_assert_cmpuint((uintptr_t)buffer % 16, ==, 0);
    *(uintptr_t *)data = (uintptr_t)__builtin_frame_address(0) % 16;
}

static void test_stack_is_aligned(void)
{
    uintptr_t misalignment = 1;

    fixture_run(alignment_body, &misalignment);
    g_assert_cmpuint(misalignment, ==, 0);
}

/* --- Stacks --- */

/* About 1 KiB of stack per level; the index keeps the compiler from seeing how little. */
static G_GNUC_NO_INLINE size_t recurse(size_t depth)
{
    volatile char frame[1024];
    size_t i = depth % sizeof(frame);

    frame[i] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + (size_t)(frame[i] & 1);
}

static void recurse_body(void *data)
{
    recurse(GPOINTER_TO_SIZE(data));
}

static void test_deep_recursion_hits_the_guard(void)
{
    const struct rlimit no_core = { 0, 0 };
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        close(STDERR_FILENO);
        fixture_run(recurse_body, GSIZE_TO_POINTER(1024 * 1024));
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
#ifdef ANNOTATE_ASAN
    g_assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#else
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGSEGV);
#endif
}

static void test_high_water_shows_the_deepest_stack(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    FiberStats stats;

    fiber_spawn(loop, "shallow", recurse_body, GSIZE_TO_POINTER(1), NULL, NULL);
    fiber_loop_get_stats(loop, &stats);
    g_assert_cmpuint(stats.stack_high_water, >, 0);
    size_t shallow = stats.stack_high_water;
    fiber_spawn(loop, "deep", recurse_body, GSIZE_TO_POINTER(100), NULL, NULL);
    fiber_loop_get_stats(loop, &stats);
    g_assert_cmpuint(stats.stack_high_water, >=, 100 * 1024);
    g_assert_cmpuint(stats.stack_high_water, >, shallow);
    g_assert_cmpuint(stats.stack_high_water, <, STACK_SIZE);
    g_assert_cmpuint(stats.n_stacks_pooled, ==, 1);
    g_assert_cmpuint(stats.n_spawned, ==, 2);
}

static void test_trim_keeps_what_was_needed_since_the_last_one(void)
{
    StackPool pool = { 0 };
    void *stacks[20];

    for (size_t i = 0; i < G_N_ELEMENTS(stacks); i++)
        stacks[i] = stack_pool_get(&pool);
    for (size_t i = 0; i < G_N_ELEMENTS(stacks); i++)
        stack_pool_put(&pool, stacks[i]);
    g_assert_true(stack_pool_trim(&pool));
    g_assert_cmpuint(pool.n_free, ==, 20);
    for (size_t i = 0; i < 5; i++)
        stacks[i] = stack_pool_get(&pool);
    for (size_t i = 0; i < 5; i++)
        stack_pool_put(&pool, stacks[i]);
    g_assert_true(stack_pool_trim(&pool));
    g_assert_cmpuint(pool.n_free, ==, 5);
    g_assert_false(stack_pool_trim(&pool));
    g_assert_cmpuint(pool.n_free, ==, STACK_POOL_IDLE);
    stack_pool_clear(&pool);
    g_assert_cmpuint(pool.n_free, ==, 0);
}

static size_t resident_kib(void)
{
    g_autofree char *text = NULL;
    unsigned long total = 0, resident = 0;

    g_file_get_contents("/proc/self/statm", &text, NULL, NULL);
    sscanf(text, "%lu %lu", &total, &resident);
    return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static void many_body(void *data)
{
    size_t *n_ended = data;

    g_assert_false(fiber_sleep(UINT64_C(3600) * G_USEC_PER_SEC, NULL));
    (*n_ended)++;
}

static void test_ten_thousand_fibers_wait_and_their_memory_comes_back(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GPtrArray) fibers = g_ptr_array_new_with_free_func((GDestroyNotify)fiber_unref);
    size_t n_ended = 0, before = resident_kib();
    FiberStats stats;

    for (int i = 0; i < MANY; i++)
        g_ptr_array_add(fibers, fixture_spawn(loop, many_body, &n_ended));
    fiber_loop_get_stats(loop, &stats);
    g_assert_cmpuint(stats.n_fibers, ==, MANY);
    size_t grown = resident_kib() - before;
    for (int i = 0; i < MANY; i++)
        fiber_cancel(fibers->pdata[i]);
    fixture_loop_drain(loop);
    g_assert_cmpuint(n_ended, ==, MANY);
    fiber_loop_get_stats(loop, &stats);
    g_assert_cmpuint(stats.n_stacks_pooled, <=, STACK_POOL_MAX);
#ifndef ANNOTATE_ASAN
    g_assert_cmpuint(grown, <, MANY * 16);
    g_assert_cmpuint(resident_kib(), <, before + grown / 4);
#endif
    g_test_message("%zu KiB for %d waiting fibers", grown, MANY);
}

static void test_spawn_without_room_for_a_stack_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    struct rlimit before, none = { 0, 0 };
    Fiber *fiber = NULL;

    getrlimit(RLIMIT_AS, &before);
    none.rlim_max = before.rlim_max;
    g_assert_cmpint(setrlimit(RLIMIT_AS, &none), ==, 0);
    bool ok = fiber_spawn(loop, "none", many_body, NULL, &fiber, &error);
    setrlimit(RLIMIT_AS, &before);
    g_assert_false(ok);
    g_assert_null(fiber);
    assert_error_code(error, VIR_ERR_NO_MEMORY);
}

#define ADD(function) g_test_add_func("/fiber/" #function, test_##function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(fiber_spawned_by_the_loop_runs_at_once);
    ADD(fiber_spawned_by_a_fiber_runs_when_the_caller_waits);
    ADD(fiber_state_is_visible_from_outside);
    ADD(loop_run_returns_the_code_of_quit);
    ADD(loop_run_ends_when_the_event_loop_is_ended);
    ADD(event_handler_can_spawn);
    ADD(sleepers_wake_in_order_of_their_deadlines);
    ADD(deadline_heap_keeps_order_under_random_removal);
    ADD(deadline_far_away_saturates);
    ADD(wait_fd_times_out);
    ADD(two_fibers_wait_for_one_descriptor);
    ADD(late_events_of_a_closed_descriptor_are_dropped);
    ADD(wait_fd_works_again_and_after_a_number_is_reused);
    ADD(ready_descriptor_wins_over_a_past_deadline);
    ADD(wait_fd_reports_hang_up);
    ADD(regular_file_is_always_ready);
    ADD(wait_fd_refuses_a_bad_descriptor);
    ADD(join_times_out_and_succeeds_after_the_end);
    ADD(cancelled_fiber_cannot_wait_any_more);
    ADD(cancel_ends_waits_for_descriptors_fibers_and_turns);
    ADD(loop_free_runs_what_is_left_to_its_end);
    ADD(waiting_outside_of_a_fiber_is_an_error);
    ADD(registers_survive_switches);
    ADD(rounding_mode_belongs_to_the_fiber);
    ADD(stack_is_aligned);
    ADD(deep_recursion_hits_the_guard);
    ADD(high_water_shows_the_deepest_stack);
    ADD(trim_keeps_what_was_needed_since_the_last_one);
    ADD(ten_thousand_fibers_wait_and_their_memory_comes_back);
    ADD(spawn_without_room_for_a_stack_is_an_error);
    return g_test_run();
}
