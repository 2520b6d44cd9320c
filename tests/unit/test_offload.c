#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "fiber/offload.h"
#include "tests/unit/fiber_fixture.h"

#define N_JOBS 50

typedef struct Job {
    GThread *thread;
    int value;
    bool was_run;
    bool ok;
} Job;

static bool job_run(void *data, GError **error)
{
    Job *job = data;

    g_usleep(2000);
    job->thread = g_thread_self();
    job->value *= 2;
    job->was_run = true;
    return true;
}

static void offload_body(void *data)
{
    Job *job = data;

    job->ok = fiber_offload(job_run, job, NULL);
}

static void test_function_runs_in_another_thread(void)
{
    Job job = { .value = 21 };

    fixture_run(offload_body, &job);
    g_assert_true(job.ok);
    g_assert_cmpint(job.value, ==, 42);
    g_assert_true(job.thread != g_thread_self());
}

static void test_many_jobs_share_at_most_four_threads(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(GHashTable) threads = g_hash_table_new(NULL, NULL);
    Job jobs[N_JOBS] = { 0 };

    for (int i = 0; i < N_JOBS; i++) {
        jobs[i].value = i;
        fiber_spawn(loop, "job", offload_body, &jobs[i], NULL, NULL);
    }
    fixture_loop_drain(loop);
    for (int i = 0; i < N_JOBS; i++) {
        g_assert_true(jobs[i].ok);
        g_assert_cmpint(jobs[i].value, ==, 2 * i);
        g_hash_table_add(threads, jobs[i].thread);
    }
    g_assert_cmpuint(g_hash_table_size(threads), >, 1);
    g_assert_cmpuint(g_hash_table_size(threads), <=, 4);
}

static bool job_fail(void *data, GError **error)
{
    error_set_errno(error, VIR_FROM_NONE, ENOENT, "no such thing");
    return false;
}

static void offload_fail_body(void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fiber_offload(job_fail, NULL, &error));
    assert_error_code(error, VIR_ERR_SYSTEM_ERROR);
    g_assert_false(fiber_offload(job_fail, NULL, NULL));
}

static void test_error_of_the_function_is_returned(void)
{
    fixture_run(offload_fail_body, NULL);
}

static void test_cancelled_fiber_waits_to_the_end_of_its_function(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    Job job = { .value = 1 };
    g_autoptr(Fiber) fiber = fixture_spawn(loop, offload_body, &job);

    fiber_cancel(fiber);
    g_assert_false(fiber_has_ended(fiber));
    fixture_loop_drain(loop);
    g_assert_true(job.ok);
    g_assert_cmpint(job.value, ==, 2);
}

static void test_loop_free_waits_for_functions_that_run(void)
{
    FiberLoop *loop = fixture_loop_new();
    Job jobs[8] = { 0 };

    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++)
        fiber_spawn(loop, "job", offload_body, &jobs[i], NULL, NULL);
    fiber_loop_free(loop);
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++)
        g_assert_true(jobs[i].ok);
}

static void offload_cancelled_before_body(void *data)
{
    g_autoptr(GError) error = NULL;
    Job *job = data;

    fiber_cancel(fiber_current());
    g_assert_false(fiber_offload(job_run, job, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
}

static void test_cancelled_fiber_starts_nothing(void)
{
    Job job = { 0 };

    fixture_run(offload_cancelled_before_body, &job);
    g_assert_false(job.was_run);
}

static bool job_look_at_signals(void *data, GError **error)
{
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    return sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
}

static void offload_signals_body(void *data)
{
    sigset_t blocked;

    g_assert_true(fiber_offload(job_look_at_signals, NULL, NULL));
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    g_assert_false(sigismember(&blocked, SIGTERM));
}

static void test_signals_are_blocked_in_the_threads_only(void)
{
    fixture_run(offload_signals_body, NULL);
}

#define ADD(function) g_test_add_func("/offload/" #function, test_##function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(function_runs_in_another_thread);
    ADD(many_jobs_share_at_most_four_threads);
    ADD(error_of_the_function_is_returned);
    ADD(cancelled_fiber_waits_to_the_end_of_its_function);
    ADD(loop_free_waits_for_functions_that_run);
    ADD(cancelled_fiber_starts_nothing);
    ADD(signals_are_blocked_in_the_threads_only);
    return g_test_run();
}
