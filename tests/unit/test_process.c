#include "fiber/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fiber_fixture.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", script, NULL })

/* A run of one program in a fiber. */
typedef struct RunCase {
    ProcessSpec spec;
    ProcessResult result;
    GError *error;
    bool ok;
} RunCase;

static void run_body(void *data)
{
    RunCase *run = data;

    run->ok = process_run(&run->spec, &run->result, &run->error);
    g_assert_true(run->ok == !run->error);
}

static void run_case_clear(RunCase *run)
{
    process_result_clear(&run->result);
    g_clear_error(&run->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RunCase, run_case_clear)

static void run_shell(RunCase *run, const char *script)
{
    run->spec.argv = SHELL(script);
    if (run->spec.deadline_us == 0)
        run->spec.deadline_us = fiber_deadline_ms(30000);
    fixture_run(run_body, run);
}

static void assert_no_children(void)
{
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    g_assert_cmpint(errno, ==, ECHILD);
}

static void test_outputs_and_status_are_returned(void)
{
    g_auto(RunCase) run = { 0 };

    run_shell(&run, "echo out; echo err >&2; exit 7");
    g_assert_no_error(run.error);
    g_assert_cmpint(run.result.exit_status, ==, 7);
    g_assert_cmpint(run.result.signal, ==, 0);
    g_assert_cmpstr(run.result.output->str, ==, "out\n");
    g_assert_cmpstr(run.result.error_output->str, ==, "err\n");
    assert_no_children();
}

static void test_signal_is_returned(void)
{
    g_auto(RunCase) run = { 0 };

    run_shell(&run, "kill -TERM $$");
    g_assert_true(run.ok);
    g_assert_cmpint(run.result.exit_status, ==, -1);
    g_assert_cmpint(run.result.signal, ==, SIGTERM);
}

static void test_input_is_read_by_the_program(void)
{
    g_autofree char *input = g_strnfill(300000, 'i');
    g_auto(RunCase) run = { .spec = { .input = input, .input_length = 300000 } };

    run_shell(&run, "wc -c");
    g_assert_cmpint(atoi(run.result.output->str), ==, 300000);
}

static void test_program_that_does_not_read_its_input_is_no_error(void)
{
    g_autofree char *input = g_strnfill(300000, 'i');
    g_auto(RunCase) run = { .spec = { .input = input, .input_length = 300000 } };

    run_shell(&run, "exit 0");
    g_assert_true(run.ok);
    g_assert_cmpint(run.result.exit_status, ==, 0);
}

static void test_input_is_empty_when_none_is_given(void)
{
    g_auto(RunCase) run = { 0 };

    run_shell(&run, "wc -c");
    g_assert_cmpint(atoi(run.result.output->str), ==, 0);
}

static void test_big_output_is_complete(void)
{
    g_auto(RunCase) run = { .spec.max_output = 4 * 1024 * 1024 };

    run_shell(&run, "head -c 3000000 /dev/zero; head -c 1000000 /dev/zero >&2");
    g_assert_true(run.ok);
    g_assert_cmpuint(run.result.output->len, ==, 3000000);
    g_assert_cmpuint(run.result.error_output->len, ==, 1000000);
}

static void test_output_over_the_limit_is_an_error(void)
{
    g_auto(RunCase) run = { .spec.max_output = 1000 };

    run_shell(&run, "exec cat /dev/zero");
    assert_error_code(run.error, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(run.error->message, "sh"));
    g_assert_nonnull(strstr(run.error->message, "1000"));
    assert_no_children();
}

static void test_output_up_to_the_limit_is_kept(void)
{
    g_auto(RunCase) run = { .spec.max_output = 1000 };

    run_shell(&run, "head -c 1000 /dev/zero");
    g_assert_true(run.ok);
    g_assert_cmpuint(run.result.output->len, ==, 1000);
}

static void test_missing_program_is_named(void)
{
    const char *const argv[] = { "no-such-program-anywhere", NULL };
    g_auto(RunCase) run = { .spec = { .argv = argv, .deadline_us = FIBER_FOREVER } };

    fixture_run(run_body, &run);
    assert_error_code(run.error, VIR_ERR_SYSTEM_ERROR);
    g_assert_nonnull(strstr(run.error->message, "no-such-program-anywhere"));
    assert_no_children();
}

static void test_deadline_kills_the_whole_group(void)
{
    g_auto(RunCase) run = { 0 };
    int fds[2];
    char byte;

    /* Whoever of the group lives keeps the write end open. */
    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    run.spec.fds = &fds[1];
    run.spec.n_fds = 1;
    run.spec.deadline_us = fiber_deadline_ms(100);
    run_shell(&run, "sleep 60 & trap '' TERM; sleep 60; sleep 60");
    assert_error_code(run.error, VIR_ERR_OPERATION_TIMEOUT);
    g_assert_nonnull(strstr(run.error->message, "'sh'"));
    close(fds[1]);
    g_assert_cmpint(read(fds[0], &byte, 1), ==, 0);
    close(fds[0]);
    assert_no_children();
}

static void cancel_soon_body(void *data)
{
    g_assert_true(fiber_sleep(20000, NULL));
    fiber_cancel(data);
}

static void test_cancel_kills_and_reaps(void)
{
    g_auto(RunCase) run = { .spec = { .argv = SHELL("sleep 60"), .deadline_us = FIBER_FOREVER } };
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(Fiber) runner = fixture_spawn(loop, run_body, &run);
    G_GNUC_UNUSED g_autoptr(Fiber) canceller = fixture_spawn(loop, cancel_soon_body, runner);

    fixture_loop_drain(loop);
    assert_error_code(run.error, VIR_ERR_OPERATION_ABORTED);
    assert_no_children();
}

static void test_loop_free_kills_and_reaps(void)
{
    g_auto(RunCase) run = { .spec = { .argv = SHELL("sleep 60"), .deadline_us = FIBER_FOREVER } };
    FiberLoop *loop = fixture_loop_new();

    fiber_spawn(loop, "runner", run_body, &run, NULL, NULL);
    fiber_loop_free(loop);
    assert_error_code(run.error, VIR_ERR_OPERATION_ABORTED);
    assert_no_children();
}

/* As a daemon does that goes to the background. */
static void test_left_behind_grandchild_is_not_waited_for(void)
{
    g_auto(RunCase) run = { 0 };
    uint64_t begin = fiber_now_us();

    run_shell(&run, "sleep 5 & echo started");
    g_assert_true(run.ok);
    g_assert_cmpstr(run.result.output->str, ==, "started\n");
    g_assert_cmpuint(fiber_now_us() - begin, <, 4 * G_USEC_PER_SEC);
}

static void test_only_given_descriptors_are_inherited(void)
{
    g_auto(RunCase) run = { 0 };
    int fds[2];

    g_assert_cmpint(pipe(fds), ==, 0);
    g_assert_cmpint(dup2(fds[0], 50), ==, 50);
    /* In reverse: each one's number is the other's place. */
    g_assert_cmpint(dup3(fds[1], 20, O_CLOEXEC), ==, 20);
    int given[2] = { 20, 3 };
    int saved = fcntl(3, F_DUPFD_CLOEXEC, 60);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup3(null_fd, 3, O_CLOEXEC);
    run.spec.fds = given;
    run.spec.n_fds = 2;
    run_shell(&run,
              "echo through >&3; readlink /proc/self/fd/4;"
              "for n in 5 20 50 60; do [ -e /proc/self/fd/$n ] && echo leaked $n; done; true");
    g_assert_cmpstr(run.result.output->str, ==, "/dev/null\n");
    char text[16] = "";
    g_assert_cmpint(read(50, text, sizeof(text) - 1), ==, 8);
    g_assert_cmpstr(text, ==, "through\n");
    if (saved >= 0) {
        dup2(saved, 3);
        close(saved);
    }
    close(null_fd);
    close(fds[1]);
    close(20);
    close(50);
}

static void test_environment_is_replaced_when_given(void)
{
    const char *const envp[] = { "ONLY=this", "PATH=/usr/bin:/bin", NULL };
    g_auto(RunCase) run = { .spec.envp = envp };

    run_shell(&run, "echo $ONLY$HOME");
    g_assert_cmpstr(run.result.output->str, ==, "this\n");
}

static void test_signals_are_default_and_unblocked_in_the_child(void)
{
    g_auto(RunCase) run = { 0 };
    sigset_t blocked, before;

    sigfillset(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    run_shell(&run, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -s '\\t\\n' ' '");
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    unsigned long is_blocked = 1, is_ignored = 1;
    g_assert_cmpint(
        sscanf(run.result.output->str, "SigBlk: %lx SigIgn: %lx", &is_blocked, &is_ignored), ==, 2);
    /* 32 and 33 are the C library's own. */
    g_assert_cmphex(is_blocked, ==, 0);
    g_assert_cmphex(is_ignored & ~0x180000000ul, ==, 0);
}

/* --- Checked --- */

static void checked_body(void *data)
{
    RunCase *run = data;
    g_autofree char *output = NULL;

    run->ok = process_run_checked(&run->spec, &output, &run->error);
    if (run->ok)
        run->result.output = g_string_new(output);
}

static void run_checked(RunCase *run, const char *script)
{
    run->spec.argv = SHELL(script);
    run->spec.deadline_us = fiber_deadline_ms(30000);
    fixture_run(checked_body, run);
}

static void test_checked_returns_the_output(void)
{
    g_auto(RunCase) run = { 0 };

    run_checked(&run, "echo fine");
    g_assert_no_error(run.error);
    g_assert_cmpstr(run.result.output->str, ==, "fine\n");
}

static void test_checked_error_carries_the_last_line_of_stderr(void)
{
    g_auto(RunCase) run = { 0 };

    run_checked(&run, "echo first >&2; printf 'the\\033 reason\\n\\n' >&2; exit 3");
    assert_error_code(run.error, VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpstr(error_detail(run.error), ==, "program 'sh' failed with status 3: the  reason");
}

static void test_checked_error_names_the_signal(void)
{
    g_auto(RunCase) run = { 0 };

    run_checked(&run, "kill -KILL $$");
    assert_error_code(run.error, VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpstr(error_detail(run.error), ==, "program 'sh' was ended by signal 9");
}

/* --- Waiting for the end of any process --- */

typedef struct WaitCase {
    pid_t pid;
    uint64_t start_time;
    uint64_t deadline_us;
    GError *error;
    bool ok;
} WaitCase;

static void wait_end_body(void *data)
{
    WaitCase *wait = data;

    wait->ok = process_wait_end(wait->pid, wait->start_time, wait->deadline_us, &wait->error);
}

static pid_t start_sleeper(unsigned seconds)
{
    pid_t pid = fork();

    if (pid == 0) {
        sleep(seconds);
        _exit(0);
    }
    return pid;
}

static void end_sleeper(pid_t pid)
{
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static void test_wait_end_returns_when_the_process_ends(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    pid_t pid = start_sleeper(60);
    WaitCase wait = { pid, process_start_time(pid), FIBER_FOREVER, NULL, false };
    g_autoptr(Fiber) fiber = fixture_spawn(loop, wait_end_body, &wait);

    fiber_loop_step(loop, 20000, NULL);
    g_assert_false(fiber_has_ended(fiber));
    kill(pid, SIGKILL);
    fixture_loop_drain(loop);
    g_assert_true(wait.ok);
    end_sleeper(pid);
}

static void test_wait_end_times_out(void)
{
    pid_t pid = start_sleeper(60);
    WaitCase wait = { pid, 0, fiber_deadline_ms(10), NULL, false };

    fixture_run(wait_end_body, &wait);
    assert_error_code(wait.error, VIR_ERR_OPERATION_TIMEOUT);
    g_clear_error(&wait.error);
    end_sleeper(pid);
}

static void test_wait_end_sees_a_reused_number(void)
{
    pid_t pid = start_sleeper(60);
    WaitCase wait = { pid, process_start_time(pid) + 1, FIBER_FOREVER, NULL, false };

    fixture_run(wait_end_body, &wait);
    g_assert_true(wait.ok);
    end_sleeper(pid);
}

static void test_wait_end_of_nobody_succeeds(void)
{
    pid_t pid = start_sleeper(60);
    WaitCase wait = { pid, 1, FIBER_FOREVER, NULL, false };

    end_sleeper(pid);
    g_assert_cmpuint(process_start_time(pid), ==, 0);
    fixture_run(wait_end_body, &wait);
    g_assert_true(wait.ok);
}

static void test_wait_end_refuses_a_bad_number(void)
{
    WaitCase wait = { -1, 0, FIBER_FOREVER, NULL, false };

    fixture_run(wait_end_body, &wait);
    assert_error_code(wait.error, VIR_ERR_SYSTEM_ERROR);
    g_clear_error(&wait.error);
}

#define ADD(function) g_test_add_func("/process/" #function, test_##function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(outputs_and_status_are_returned);
    ADD(signal_is_returned);
    ADD(input_is_read_by_the_program);
    ADD(program_that_does_not_read_its_input_is_no_error);
    ADD(input_is_empty_when_none_is_given);
    ADD(big_output_is_complete);
    ADD(output_over_the_limit_is_an_error);
    ADD(output_up_to_the_limit_is_kept);
    ADD(missing_program_is_named);
    ADD(deadline_kills_the_whole_group);
    ADD(cancel_kills_and_reaps);
    ADD(loop_free_kills_and_reaps);
    ADD(left_behind_grandchild_is_not_waited_for);
    ADD(only_given_descriptors_are_inherited);
    ADD(environment_is_replaced_when_given);
    ADD(signals_are_default_and_unblocked_in_the_child);
    ADD(checked_returns_the_output);
    ADD(checked_error_carries_the_last_line_of_stderr);
    ADD(checked_error_names_the_signal);
    ADD(wait_end_returns_when_the_process_ends);
    ADD(wait_end_times_out);
    ADD(wait_end_sees_a_reused_number);
    ADD(wait_end_of_nobody_succeeds);
    ADD(wait_end_refuses_a_bad_number);
    return g_test_run();
}
