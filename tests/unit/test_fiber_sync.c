#include "fiber/sync.h"
#include "tests/unit/fiber_fixture.h"

/* --- Completion --- */

static void completion_wait_body(void *data)
{
    g_autoptr(GError) error = NULL;

    fiber_completion_wait(data, FIBER_FOREVER, &error);
    g_assert_no_error(error);
}

static void test_completion_wakes_all_who_wait(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    FiberCompletion completion = { 0 };
    g_autoptr(Fiber) first = fixture_spawn(loop, completion_wait_body, &completion);
    g_autoptr(Fiber) second = fixture_spawn(loop, completion_wait_body, &completion);

    fiber_completion_signal(&completion);
    g_assert_false(fiber_has_ended(first));
    fixture_loop_drain(loop);
    g_assert_true(fiber_has_ended(first) && fiber_has_ended(second));
}

static void test_completion_signalled_before_does_not_wait(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    FiberCompletion completion = { 0 };

    fiber_completion_signal(&completion);
    g_autoptr(Fiber) fiber = fixture_spawn(loop, completion_wait_body, &completion);
    g_assert_true(fiber_has_ended(fiber));
}

static void completion_timeout_body(void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_completion_wait(data, fiber_deadline_ms(5), &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
}

static void test_completion_times_out(void)
{
    FiberCompletion completion = { 0 };

    fixture_run(completion_timeout_body, &completion);
    g_assert_null(completion.waiters.first);
}

static void completion_await_body(void *data)
{
    FiberCompletion *completion = data;

    g_assert_false(completion->is_done);
    fiber_completion_await(completion);
    g_assert_true(completion->is_done && fiber_is_cancelled(fiber_current()));
    fiber_completion_await(completion);
}

static void test_completion_is_awaited_when_cancelled_meanwhile(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    FiberCompletion completion = { 0 };
    g_autoptr(Fiber) fiber = fixture_spawn(loop, completion_await_body, &completion);

    fiber_cancel(fiber);
    fiber_loop_step(loop, 0, NULL);
    g_assert_false(fiber_has_ended(fiber));
    fiber_completion_signal(&completion);
    fixture_loop_drain(loop);
    g_assert_true(fiber_has_ended(fiber));
}

static void await_when_cancelled_body(void *data)
{
    g_assert_false(fiber_sleep(FIBER_FOREVER, NULL));
    completion_await_body(data);
}

static void test_completion_is_awaited_when_cancelled_before(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    FiberCompletion completion = { 0 };
    g_autoptr(Fiber) fiber = fixture_spawn(loop, await_when_cancelled_body, &completion);

    fiber_cancel(fiber);
    fiber_loop_step(loop, 0, NULL);
    g_assert_false(fiber_has_ended(fiber));
    fiber_completion_signal(&completion);
    fixture_loop_drain(loop);
    g_assert_true(fiber_has_ended(fiber));
}

/* --- Mutex --- */

typedef struct MutexCase {
    FiberMutex mutex;
    GString *text;
    int n_inside;
} MutexCase;

static void mutex_user_body(void *data)
{
    MutexCase *mutex_case = data;

    for (int i = 0; i < 10; i++) {
        g_assert_true(fiber_mutex_lock(&mutex_case->mutex, FIBER_FOREVER, NULL));
        g_assert_cmpint(mutex_case->n_inside++, ==, 0);
        fiber_yield(NULL);
        mutex_case->n_inside--;
        fiber_mutex_unlock(&mutex_case->mutex);
    }
}

static void test_mutex_lets_one_in(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    MutexCase mutex_case = { 0 };

    for (int i = 0; i < 5; i++)
        fiber_spawn(loop, "user", mutex_user_body, &mutex_case, NULL, NULL);
    fixture_loop_drain(loop);
    g_assert_null(mutex_case.mutex.owner);
}

static void mutex_turn_body(void *data)
{
    MutexCase *mutex_case = data;
    int number = ++mutex_case->n_inside;

    g_assert_true(fiber_mutex_lock(&mutex_case->mutex, FIBER_FOREVER, NULL));
    g_string_append_printf(mutex_case->text, "%d ", number);
    fiber_yield(NULL);
    fiber_mutex_unlock(&mutex_case->mutex);
    /* Whoever comes back at once queues behind those who wait. */
    if (number == 1) {
        g_assert_true(fiber_mutex_lock(&mutex_case->mutex, FIBER_FOREVER, NULL));
        g_string_append(mutex_case->text, "again");
        fiber_mutex_unlock(&mutex_case->mutex);
    }
}

static void test_mutex_is_fair(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GString) text = g_string_new(NULL);
    MutexCase mutex_case = { .text = text };

    for (int i = 0; i < 3; i++)
        fiber_spawn(loop, "turn", mutex_turn_body, &mutex_case, NULL, NULL);
    fixture_loop_drain(loop);
    g_assert_cmpstr(text->str, ==, "1 2 3 again");
}

static void mutex_hold_body(void *data)
{
    MutexCase *mutex_case = data;
    g_autoptr(GError) error = NULL;

    g_assert_true(fiber_mutex_lock(&mutex_case->mutex, FIBER_FOREVER, NULL));
    g_assert_false(fiber_mutex_lock(&mutex_case->mutex, FIBER_FOREVER, &error));
    assert_error_code(error, VIR_ERR_OPERATION_INVALID);
    g_assert_true(fiber_sleep(20000, NULL));
    fiber_mutex_unlock(&mutex_case->mutex);
}

static void mutex_timeout_body(void *data)
{
    MutexCase *mutex_case = data;
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_mutex_lock(&mutex_case->mutex, fiber_deadline_ms(5), &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
}

static void test_mutex_times_out_and_is_free_afterwards(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    MutexCase mutex_case = { 0 };

    fiber_spawn(loop, "hold", mutex_hold_body, &mutex_case, NULL, NULL);
    fiber_spawn(loop, "late", mutex_timeout_body, &mutex_case, NULL, NULL);
    fixture_loop_drain(loop);
    g_assert_null(mutex_case.mutex.owner);
    g_assert_null(mutex_case.mutex.waiters.first);
}

/* --- Condition --- */

typedef struct CondCase {
    FiberCond cond;
    int n_woken;
    int n_failed;
} CondCase;

static void cond_wait_body(void *data)
{
    CondCase *cond_case = data;

    if (fiber_cond_wait(&cond_case->cond, fiber_deadline_ms(20), NULL))
        cond_case->n_woken++;
    else
        cond_case->n_failed++;
}

static void test_cond_signal_wakes_one_and_broadcast_all(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    CondCase cond_case = { 0 };

    for (int i = 0; i < 4; i++)
        fiber_spawn(loop, "wait", cond_wait_body, &cond_case, NULL, NULL);
    fiber_cond_signal(&cond_case.cond);
    fiber_loop_step(loop, 0, NULL);
    g_assert_cmpint(cond_case.n_woken, ==, 1);
    fiber_cond_broadcast(&cond_case.cond);
    fixture_loop_drain(loop);
    g_assert_cmpint(cond_case.n_woken, ==, 4);
}

/* The first has been cancelled, but has not run since: the signal is for the second. */
static void test_signal_is_not_lost_on_a_cancelled_fiber(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    CondCase cond_case = { 0 };
    g_autoptr(Fiber) first = fixture_spawn(loop, cond_wait_body, &cond_case);
    G_GNUC_UNUSED g_autoptr(Fiber) second = fixture_spawn(loop, cond_wait_body, &cond_case);

    fiber_cancel(first);
    fiber_cond_signal(&cond_case.cond);
    fixture_loop_drain(loop);
    g_assert_cmpint(cond_case.n_woken, ==, 1);
    g_assert_cmpint(cond_case.n_failed, ==, 1);
}

/* Woken and then cancelled: the wait was over. */
static void test_cancel_after_the_signal_does_not_undo_it(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    CondCase cond_case = { 0 };
    g_autoptr(Fiber) fiber = fixture_spawn(loop, cond_wait_body, &cond_case);

    fiber_cond_signal(&cond_case.cond);
    fiber_cancel(fiber);
    fixture_loop_drain(loop);
    g_assert_cmpint(cond_case.n_woken, ==, 1);
}

/* --- Queue --- */

typedef struct QueueCase {
    FiberQueue queue;
    int n_items;
    bool was_closed;
} QueueCase;

static void queue_push_body(void *data)
{
    QueueCase *queue_case = data;

    for (int i = 1; i <= 100; i++) {
        g_assert_true(
            fiber_queue_push(&queue_case->queue, GINT_TO_POINTER(i), FIBER_FOREVER, NULL));
        g_assert_cmpuint(queue_case->queue.items.length, <=, queue_case->queue.max_items);
    }
    fiber_queue_close(&queue_case->queue);
}

static void queue_pop_body(void *data)
{
    QueueCase *queue_case = data;
    g_autoptr(GError) error = NULL;
    void *item = NULL;

    while (fiber_queue_pop(&queue_case->queue, FIBER_FOREVER, &item, &error))
        g_assert_cmpint(GPOINTER_TO_INT(item), ==, ++queue_case->n_items);
    assert_error_code(error, VIR_ERR_OPERATION_INVALID);
    queue_case->was_closed = true;
}

static void test_queue_delivers_in_order_until_closed(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    QueueCase queue_case = { .queue.max_items = 3 };

    fiber_spawn(loop, "push", queue_push_body, &queue_case, NULL, NULL);
    fiber_spawn(loop, "pop", queue_pop_body, &queue_case, NULL, NULL);
    fixture_loop_drain(loop);
    g_assert_cmpint(queue_case.n_items, ==, 100);
    g_assert_true(queue_case.was_closed);
}

static void queue_limits_body(void *data)
{
    QueueCase *queue_case = data;
    FiberQueue *queue = &queue_case->queue;
    g_autoptr(GError) error = NULL;
    void *item = NULL;

    g_assert_false(fiber_queue_pop(queue, fiber_deadline_ms(2), &item, &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
    g_clear_error(&error);
    g_assert_true(fiber_queue_push(queue, queue, FIBER_FOREVER, &error));
    g_assert_false(fiber_queue_push(queue, queue, fiber_deadline_ms(2), &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
    g_clear_error(&error);
    fiber_queue_close(queue);
    g_assert_false(fiber_queue_push(queue, queue, FIBER_FOREVER, &error));
    assert_error_code(error, VIR_ERR_OPERATION_INVALID);
    g_assert_true(fiber_queue_pop(queue, FIBER_FOREVER, &item, NULL));
    g_assert_true(item == queue);
}

static void test_queue_full_or_closed_is_an_error(void)
{
    QueueCase queue_case = { .queue.max_items = 1 };

    fixture_run(queue_limits_body, &queue_case);
}

static void test_queue_takes_items_from_an_event_handler(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    QueueCase queue_case = { 0 };
    int number = 1;

    fiber_spawn(loop, "pop", queue_pop_body, &queue_case, NULL, NULL);
    g_assert_true(fiber_queue_push(&queue_case.queue, GINT_TO_POINTER(number), 0, NULL));
    fiber_loop_step(loop, 0, NULL);
    g_assert_cmpint(queue_case.n_items, ==, 1);
    fiber_queue_close(&queue_case.queue);
    fixture_loop_drain(loop);
}

/* --- Cancelling --- */

typedef struct Everything {
    FiberMutex mutex;
    FiberCond cond;
    FiberCompletion completion;
    FiberQueue empty, full;
    int n_aborted;
} Everything;

static void everything_count(Everything *all, bool ok, GError *error)
{
    g_assert_false(ok);
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
    all->n_aborted++;
    g_error_free(error);
}

static void wait_mutex_body(void *data)
{
    Everything *all = data;
    GError *error = NULL;
    bool ok = fiber_mutex_lock(&all->mutex, FIBER_FOREVER, &error);
    everything_count(all, ok, error);
}

static void wait_cond_body(void *data)
{
    Everything *all = data;
    GError *error = NULL;
    bool ok = fiber_cond_wait(&all->cond, FIBER_FOREVER, &error);
    everything_count(all, ok, error);
}

static void wait_completion_body(void *data)
{
    Everything *all = data;
    GError *error = NULL;
    bool ok = fiber_completion_wait(&all->completion, fiber_deadline_ms(60000), &error);
    everything_count(all, ok, error);
}

static void wait_pop_body(void *data)
{
    Everything *all = data;
    GError *error = NULL;
    void *item = NULL;
    bool ok = fiber_queue_pop(&all->empty, FIBER_FOREVER, &item, &error);
    everything_count(all, ok, error);
}

static void wait_push_body(void *data)
{
    Everything *all = data;
    GError *error = NULL;
    bool ok = fiber_queue_push(&all->full, all, FIBER_FOREVER, &error);
    everything_count(all, ok, error);
}

static void test_cancel_ends_every_kind_of_wait(void)
{
    const FiberFunc bodies[] = { wait_mutex_body, wait_cond_body, wait_completion_body,
                                 wait_pop_body, wait_push_body };
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GPtrArray) fibers = g_ptr_array_new_with_free_func((GDestroyNotify)fiber_unref);
    Everything all = { .full.max_items = 1 };
    g_autoptr(Fiber) holder = NULL;

    fiber_queue_push(&all.full, &all, FIBER_FOREVER, NULL);
    holder = fixture_spawn(loop, wait_cond_body, &all);
    all.mutex.owner = holder;
    for (int i = 0; i < 500; i++)
        g_ptr_array_add(fibers, fixture_spawn(loop, bodies[i % G_N_ELEMENTS(bodies)], &all));
    for (guint i = 0; i < fibers->len; i++)
        fiber_cancel(fibers->pdata[(i * 7) % fibers->len]);
    fixture_loop_drain_to(loop, 1);
    g_assert_cmpint(all.n_aborted, ==, 500);
    g_assert_null(all.mutex.waiters.first);
    g_assert_null(all.completion.waiters.first);
    g_assert_null(all.empty.not_empty.waiters.last);
    g_assert_null(all.full.not_full.waiters.last);
    fiber_cancel(holder);
    fixture_loop_drain(loop);
    g_assert_null(all.cond.waiters.first);
    g_queue_clear(&all.full.items);
}

static void cancelled_everything_body(void *data)
{
    Everything *all = data;

    fiber_cancel(fiber_current());
    wait_mutex_body(all);
    wait_cond_body(all);
    wait_completion_body(all);
    wait_pop_body(all);
    wait_push_body(all);
}

static void test_cancelled_fiber_gets_nothing_even_without_waiting(void)
{
    Everything all = { .completion.is_done = true };

    fixture_run(cancelled_everything_body, &all);
    g_assert_cmpint(all.n_aborted, ==, 5);
    g_assert_null(all.mutex.owner);
    g_assert_cmpuint(all.full.items.length, ==, 0);
}

#define ADD(function) g_test_add_func("/fiber-sync/" #function, test_##function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(completion_wakes_all_who_wait);
    ADD(completion_signalled_before_does_not_wait);
    ADD(completion_times_out);
    ADD(completion_is_awaited_when_cancelled_meanwhile);
    ADD(completion_is_awaited_when_cancelled_before);
    ADD(mutex_lets_one_in);
    ADD(mutex_is_fair);
    ADD(mutex_times_out_and_is_free_afterwards);
    ADD(cond_signal_wakes_one_and_broadcast_all);
    ADD(signal_is_not_lost_on_a_cancelled_fiber);
    ADD(cancel_after_the_signal_does_not_undo_it);
    ADD(queue_delivers_in_order_until_closed);
    ADD(queue_full_or_closed_is_an_error);
    ADD(queue_takes_items_from_an_event_handler);
    ADD(cancel_ends_every_kind_of_wait);
    ADD(cancelled_fiber_gets_nothing_even_without_waiting);
    return g_test_run();
}
