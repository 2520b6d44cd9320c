/* Work in order for one folder, side by side for two, and no waiting for what hangs. */
#include <unistd.h>

#include "tests/unit/fiber_fixture.h"
#include "virtlogd/lanes.h"

typedef struct Step {
    GString *order;
    int wait_fd; /* a pipe that is read before; -1: none */
    char name;
    bool *is_freed;
} Step;

static void step_work(void *data)
{
    Step *step = data;
    char byte;

    if (step->wait_fd >= 0 && read(step->wait_fd, &byte, 1) != 1)
        return;
    /* Only tests with one folder, or with one that hangs, look at this. */
    g_string_append_c(step->order, step->name);
}

static void step_free(void *data)
{
    Step *step = data;

    *step->is_freed = true;
    g_free(step);
}

static Step *step_new(GString *order, int wait_fd, char name, bool *is_freed)
{
    Step *step = g_new(Step, 1);

    *step = (Step){ order, wait_fd, name, is_freed };
    return step;
}

static bool run(Lanes *lanes, const char *folder, Step *step, uint64_t ms, GError **error)
{
    return lanes_run(lanes, folder, step_work, step, step_free, fiber_deadline_ms(ms), "the log",
                     error);
}

static void body_hang(void *data)
{
    Lanes *lanes = data;
    g_autoptr(GString) order = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *stuck = NULL;
    bool is_freed = false, is_other_freed = false;
    Step *other = step_new(order, -1, 'b', &is_other_freed);
    int fds[2];

    g_assert_cmpint(pipe(fds), ==, 0);
    g_assert_false(run(lanes, "/slow", step_new(order, fds[0], 'a', &is_freed), 50, &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
    g_assert_nonnull(strstr(error->message, "the log"));
    g_clear_error(&error);
    stuck = lanes_find_stuck(lanes, 1000);
    g_assert_cmpstr(stuck, ==, "/slow");
    /* The other folder goes on. */
    g_assert_true(run(lanes, "/quick", other, 30000, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(order->str, ==, "b");
    step_free(other);
    /* What was late is freed when it is done, in the loop. */
    g_assert_false(is_freed);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    while (!is_freed)
        fiber_sleep(1000, NULL);
    g_assert_cmpstr(order->str, ==, "ba");
    close(fds[0]);
    close(fds[1]);
}

static void body_order(void *data)
{
    g_autoptr(GString) order = g_string_new(NULL);
    bool is_freed = false;

    for (char name = 'a'; name < 'f'; name++) {
        g_autoptr(GError) error = NULL;
        Step *step = step_new(order, -1, name, &is_freed);

        g_assert_true(run(data, "/one", step, 30000, &error));
        step_free(step);
    }
    g_assert_cmpstr(order->str, ==, "abcde");
}

static void run_with_lanes(FiberFunc body)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GError) error = NULL;
    Lanes *lanes = lanes_new(loop, &error);

    fiber_unref(fixture_spawn(loop, body, lanes));
    fixture_loop_drain(loop);
    g_assert_true(lanes_free(lanes, 30 * G_USEC_PER_SEC));
}

static void test_order(void)
{
    run_with_lanes(body_order);
}

static void test_what_hangs_is_left(void)
{
    run_with_lanes(body_hang);
}

static void count_done(void *data)
{
    ++*(int *)data;
}

static void sleep_work(void *data)
{
    g_usleep(20000);
}

static void test_what_has_not_begun_counts_as_done(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GError) error = NULL;
    Lanes *lanes = lanes_new(loop, &error);
    int n_done = 0;

    for (int i = 0; i < 10; i++)
        g_assert_true(lanes_submit(lanes, "/one", sleep_work, count_done, &n_done, &error));
    g_assert_true(lanes_free(lanes, 30 * G_USEC_PER_SEC));
    g_assert_cmpint(n_done, ==, 10);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/logd_lanes/order", test_order);
    g_test_add_func("/logd_lanes/what_hangs_is_left", test_what_hangs_is_left);
    g_test_add_func("/logd_lanes/what_has_not_begun_counts_as_done",
                    test_what_has_not_begun_counts_as_done);
    return g_test_run();
}
