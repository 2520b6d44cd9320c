/* Real processes through the real launcher. What needs root is skipped without. */
#include "virtqemud/guest/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fiber/process.h"
#include "tests/unit/fiber_fixture.h"

#define DEADLINE_MS 30000

/* One guest, and the file that its standard output and error go to. */
typedef struct ProcessCase {
    GuestProcessSpec spec;
    const char *script;
    char *folder, *log;
    GuestProcess *process;
    GuestProcessEnd end;
    uint64_t best_us, best_bare_us;
    GError *error;
    bool ok;
    int n_ends;
} ProcessCase;

static void case_init(ProcessCase *test, const char *script)
{
    g_autoptr(GError) error = NULL;

    *test = (ProcessCase){ .script = script };
    test->folder = g_dir_make_tmp("guest-process-XXXXXX", &error);
    g_assert_no_error(error);
    test->log = g_build_filename(test->folder, "log", NULL);
    test->spec.log_fd = open(test->log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666);
    g_assert_cmpint(test->spec.log_fd, >, 2);
}

static void case_clear(ProcessCase *test)
{
    g_autofree char *remove = g_strdup_printf("rm -rf %s", test->folder);

    close(test->spec.log_fd);
    g_assert_cmpint(system(remove), ==, 0);
    g_free(test->folder);
    g_free(test->log);
    g_clear_error(&test->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcessCase, case_clear)

static char *case_read_log(const ProcessCase *test)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents(test->log, &text, NULL, NULL));
    return text;
}

static bool case_log_is_empty(const ProcessCase *test)
{
    g_autofree char *log = case_read_log(test);

    return !*log;
}

static void count_end(GuestProcess *process, void *data)
{
    ProcessCase *test = data;

    g_assert_null(fiber_current());
    test->n_ends++;
}

static bool case_start(ProcessCase *test)
{
    const char *const argv[] = { "/bin/sh", "-c", test->script, NULL };
    static const char *const envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

    if (!test->spec.argv)
        test->spec.argv = argv;
    if (!test->spec.envp)
        test->spec.envp = envp;
    test->ok = guest_process_start(&test->spec, fiber_deadline_ms(DEADLINE_MS), count_end, test,
                                   &test->process, &test->error);
    if (test->spec.argv == argv)
        test->spec.argv = NULL;
    g_assert_true(test->ok == !test->error);
    return test->ok;
}

/* The loop reaps what was left to it. */
static void wait_for_no_children(void)
{
    uint64_t deadline_us = fiber_deadline_ms(DEADLINE_MS);
    siginfo_t info;

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           fiber_now_us() < deadline_us)
        fiber_sleep(1000, NULL);
}

/* Starts it and waits for its end. */
static void run_body(void *data)
{
    ProcessCase *test = data;

    if (case_start(test) && !test->spec.waits_for_go)
        g_assert_true(guest_process_wait_end(test->process, fiber_deadline_ms(DEADLINE_MS),
                                             &test->end, &test->error));
    g_clear_pointer(&test->process, guest_process_free);
    if (test->spec.waits_for_go)
        wait_for_no_children();
}

static void run(ProcessCase *test)
{
    fixture_run(run_body, test);
    if (test->error)
        g_test_message("%s", test->error->message);
}

static void assert_no_children(void)
{
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    g_assert_cmpint(errno, ==, ECHILD);
}

static void test_output_goes_to_the_log_and_status_is_known(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;

    case_init(&test, "echo out; echo err >&2; exit 7");
    run(&test);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==, "out\nerr\n");
    g_assert_true(test.end.is_known);
    g_assert_cmpint(test.end.exit_status, ==, 7);
    g_assert_cmpint(test.n_ends, ==, 1);
    assert_no_children();
}

static void test_signal_is_known(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "kill -SEGV $$");
    run(&test);
    g_assert_true(test.end.is_known);
    g_assert_cmpint(test.end.exit_status, ==, -1);
    g_assert_cmpint(test.end.signal, ==, SIGSEGV);
}

static void test_only_given_descriptors_are_open(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;
    int pipe_fds[2];

    case_init(&test, "ls /proc/$$/fd; echo hello >/dev/fd/30; readlink /proc/$$/fd/0");
    g_assert_cmpint(pipe(pipe_fds), ==, 0); /* inheritable, and not to be inherited */
    const GuestProcessFd fds[] = { { pipe_fds[1], 30 }, { pipe_fds[1], 4 } };
    test.spec.fds = fds;
    test.spec.n_fds = 2;
    run(&test);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==, "0\n1\n2\n30\n4\n/dev/null\n");
    char buffer[16] = "";
    g_assert_cmpint(read(pipe_fds[0], buffer, sizeof(buffer)), ==, 6);
    g_assert_cmpstr(buffer, ==, "hello\n");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* Whoever accepts sees the program's own number as its peer's. */
static void test_socket_is_connected_by_the_process_itself(void)
{
    g_auto(ProcessCase) test;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_autofree char *log = NULL;
    struct ucred peer;
    socklen_t length = sizeof(peer);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    case_init(&test, "echo $$; echo hello >&7");
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", test.folder);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    const GuestProcessFd fds[] = {
        { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 7, address.sun_path },
    };
    test.spec.fds = fds;
    test.spec.n_fds = 1;
    run(&test);
    g_assert_no_error(test.error);
    log = case_read_log(&test);
    int accepted = accept(listener, NULL, NULL);
    g_assert_cmpint(getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &peer, &length), ==, 0);
    g_assert_cmpint(peer.pid, ==, atoi(log));
    char buffer[16] = "";
    g_assert_cmpint(read(accepted, buffer, sizeof(buffer)), ==, 6);
    close(accepted);
    close(fds[0].fd);
    close(listener);
}

static void test_connection_that_is_refused_is_named(void)
{
    g_auto(ProcessCase) test;
    const GuestProcessFd fds[] = {
        { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 7, "/nowhere/sock" },
    };

    case_init(&test, "echo never");
    test.spec.fds = fds;
    test.spec.n_fds = 1;
    run(&test);
    g_assert_nonnull(test.error);
    g_assert_nonnull(strstr(test.error->message, "step 'connect' failed on /nowhere/sock"));
    g_assert_true(case_log_is_empty(&test));
    close(fds[0].fd);
}

/* Each source has the other's target as its number. */
static void test_descriptors_can_change_places(void)
{
    g_auto(ProcessCase) test;
    int first[2], second[2];
    char buffer[16] = "";

    case_init(&test, NULL);
    g_assert_cmpint(pipe2(first, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(second, O_CLOEXEC), ==, 0);
    g_autofree char *script = g_strdup_printf("printf a >/dev/fd/%d; printf b >/dev/fd/%d", first[1], second[1]);
    const GuestProcessFd fds[] = { { first[1], second[1] }, { second[1], first[1] } };
    test.script = script;
    test.spec.fds = fds;
    test.spec.n_fds = 2;
    run(&test);
    g_assert_cmpint(read(second[0], buffer, sizeof(buffer)), ==, 1);
    g_assert_cmpint(buffer[0], ==, 'a');
    g_assert_cmpint(read(first[0], buffer, sizeof(buffer)), ==, 1);
    g_assert_cmpint(buffer[0], ==, 'b');
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
}

static void test_signals_are_default_and_unblocked(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;
    sigset_t all, before;

    case_init(&test, "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2");
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    signal(SIGPIPE, SIG_IGN);
    run(&test);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==, "0000000000000000\n0000000000000000\n");
}

static void test_environment_folder_and_session_are_its_own(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;

    case_init(&test, "pwd; echo \"$WORD:$HOME\"; test $(cut -d' ' -f6 /proc/$$/stat) = $$ && umask");
    test.spec.envp = (const char *const[]){ "WORD=two words", "PATH=/usr/bin:/bin", NULL };
    test.spec.directory = "/usr";
    test.spec.sets_umask = true;
    test.spec.umask = 0002;
    run(&test);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==, "/usr\ntwo words:\n0002\n");
}

static void test_limits_and_priority_are_set(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;

    case_init(&test, "ulimit -n; ulimit -c; cat /proc/self/oom_score_adj; nice; "
                     "grep Cpus_allowed_list /proc/self/status | cut -f2");
    test.spec.limits = (GuestProcessLimits){ .n_files = 77, .sets_core = true };
    test.spec.oom_score = 500;
    test.spec.nice = 3;
    test.spec.affinity = "0,0-0";
    run(&test);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==, "77\n0\n500\n3\n0\n");
}

static void test_pid_file_has_the_number_of_the_process(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL, *pid_file = NULL, *text = NULL;

    case_init(&test, "echo -n $$");
    pid_file = g_build_filename(test.folder, "pid", NULL);
    g_assert_true(g_file_set_contents(pid_file, "of an earlier one", -1, NULL));
    test.spec.pid_file = pid_file;
    run(&test);
    log = case_read_log(&test);
    g_assert_true(g_file_get_contents(pid_file, &text, NULL, NULL));
    g_assert_cmpstr(log, ==, text);
}

static void test_user_and_capabilities_are_given_up(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;
    const gid_t groups[] = { 12, 65534 };

    if (geteuid() != 0) {
        g_test_skip("only root can become another user");
        return;
    }
    case_init(&test, "grep -E '^(Uid|Gid|Groups|Cap|NoNew)' /proc/self/status | tr '\\t' ' '");
    test.spec.sets_user = true;
    test.spec.uid = 65533;
    test.spec.gid = 65534;
    test.spec.groups = groups;
    test.spec.n_groups = 2;
    test.spec.clears_capabilities = true;
    test.spec.denies_new_privileges = true;
    run(&test);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==,
                    "Uid: 65533 65533 65533 65533\nGid: 65534 65534 65534 65534\n"
                    "Groups: 12 65534 \nCapInh: 0000000000000000\nCapPrm: 0000000000000000\n"
                    "CapEff: 0000000000000000\nCapBnd: 0000000000000000\n"
                    "CapAmb: 0000000000000000\nNoNewPrivs: 1\n");
}

static void test_missing_program_is_an_error_that_names_it(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, NULL);
    test.spec.argv = (const char *const[]){ "/no/such/emulator", NULL };
    run(&test);
    assert_error_code(test.error, VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpstr(error_detail(test.error), ==,
                    "cannot execute '/no/such/emulator': No such file or directory");
    g_assert_cmpint(test.n_ends, ==, 0);
    assert_no_children();
}

static void test_failed_step_is_named(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "true");
    test.spec.directory = "/no/such/folder";
    run(&test);
    assert_error_code(test.error, VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpstr(error_detail(test.error), ==,
                    "cannot prepare the process of '/bin/sh': step 'directory' failed on "
                    "/no/such/folder: No such file or directory");
    assert_no_children();
}

static void test_missing_launcher_is_an_error(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *launcher = g_strdup(g_getenv("SPLITVIRT_LAUNCHER"));

    case_init(&test, "true");
    g_setenv("SPLITVIRT_LAUNCHER", "/no/such/launcher", TRUE);
    run(&test);
    g_setenv("SPLITVIRT_LAUNCHER", launcher, TRUE);
    assert_error_code(test.error, VIR_ERR_SYSTEM_ERROR);
    g_assert_nonnull(strstr(test.error->message, "/no/such/launcher"));
}

static void test_reserved_descriptor_is_refused(void)
{
    g_auto(ProcessCase) test;
    const GuestProcessFd fds[] = { { 0, 2 } };

    case_init(&test, "true");
    test.spec.fds = fds;
    test.spec.n_fds = 1;
    run(&test);
    assert_error_code(test.error, VIR_ERR_INTERNAL_ERROR);
}

static void go_body(void *data)
{
    ProcessCase *test = data;
    g_autofree char *before = NULL;

    g_assert_true(case_start(test));
    before = case_read_log(test);
    g_assert_cmpstr(before, ==, "");
    g_assert_true(guest_process_is_alive(test->process));
    g_assert_true(guest_process_go(test->process, &test->spec, fiber_deadline_ms(DEADLINE_MS),
                                   &test->error));
    g_assert_true(guest_process_wait_end(test->process, fiber_deadline_ms(DEADLINE_MS),
                                         &test->end, &test->error));
    g_clear_pointer(&test->process, guest_process_free);
}

static void test_waiting_process_runs_at_go(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;

    case_init(&test, "echo gone");
    test.spec.waits_for_go = true;
    fixture_run(go_body, &test);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==, "gone\n");
    g_assert_cmpint(test.n_ends, ==, 1);
}

static void test_waiting_process_that_is_freed_never_runs(void)
{
    g_auto(ProcessCase) test;
    g_autofree char *log = NULL;

    case_init(&test, "echo gone");
    test.spec.waits_for_go = true;
    run(&test);
    g_assert_no_error(test.error);
    log = case_read_log(&test);
    g_assert_cmpstr(log, ==, "");
    g_assert_cmpint(test.n_ends, ==, 0);
}

static void killed_before_go_body(void *data)
{
    ProcessCase *test = data;

    g_assert_true(case_start(test));
    kill(guest_process_get_pid(test->process), SIGKILL);
    fiber_wait_fd(guest_process_get_pid_fd(test->process), EPOLLIN, FIBER_FOREVER, NULL, NULL);
    g_assert_false(guest_process_go(test->process, &test->spec, fiber_deadline_ms(DEADLINE_MS),
                                    &test->error));
    g_clear_pointer(&test->process, guest_process_free);
    wait_for_no_children();
}

static void test_launcher_killed_before_go_is_an_error(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "echo gone");
    test.spec.waits_for_go = true;
    fixture_run(killed_before_go_body, &test);
    g_assert_nonnull(test.error);
    g_assert_cmpint(test.n_ends, ==, 0);
    assert_no_children();
}

/* Whoever ends a guest that is still being prepared waits for this. */
static void ended_before_go_body(void *data)
{
    ProcessCase *test = data;

    g_assert_true(case_start(test));
    test->ok = guest_process_kill(test->process, 0, fiber_deadline_ms(DEADLINE_MS), &test->end,
                                  &test->error);
    g_clear_pointer(&test->process, guest_process_free);
}

static void test_waiting_process_can_be_ended(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "echo gone");
    test.spec.waits_for_go = true;
    fixture_run(ended_before_go_body, &test);
    g_assert_no_error(test.error);
    g_assert_true(test.ok);
    g_assert_cmpint(test.n_ends, ==, 1);
    g_assert_true(case_log_is_empty(&test));
    assert_no_children();
}

/* A program that cannot be read in time, as on a dead server: here a stopped launcher. */
static void stopped_body(void *data)
{
    ProcessCase *test = data;

    g_assert_true(case_start(test));
    kill(guest_process_get_pid(test->process), SIGSTOP);
    g_clear_error(&test->error);
    g_assert_false(guest_process_go(test->process, &test->spec, fiber_deadline_ms(20), &test->error));
    g_clear_pointer(&test->process, guest_process_free);
    wait_for_no_children();
}

static void test_launcher_that_hangs_is_given_up_and_killed(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "echo gone");
    test.spec.waits_for_go = true;
    fixture_run(stopped_body, &test);
    assert_error_code(test.error, VIR_ERR_OPERATION_TIMEOUT);
    assert_no_children();
}

static void kill_body(void *data)
{
    ProcessCase *test = data;
    bool is_gentle = test->spec.nice == 1;

    g_assert_true(case_start(test));
    /* Until the shell has set its trap. */
    while (case_log_is_empty(test))
        fiber_sleep(2000, NULL);
    test->ok = guest_process_kill(test->process, is_gentle ? FIBER_FOREVER : fiber_deadline_ms(50),
                                  fiber_deadline_ms(is_gentle ? 50 : DEADLINE_MS), &test->end,
                                  &test->error);
    if (!test->ok)
        guest_process_kill(test->process, 0, fiber_deadline_ms(DEADLINE_MS), NULL, NULL);
    g_assert_false(guest_process_is_alive(test->process));
    g_assert_true(guest_process_signal(test->process, SIGTERM, NULL));
    g_clear_pointer(&test->process, guest_process_free);
}

static void test_kill_is_gentle_first(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "trap 'exit 3' TERM; echo; while :; do sleep 0.01; done");
    test.spec.nice = 2;
    fixture_run(kill_body, &test);
    g_assert_true(test.ok);
    g_assert_cmpint(test.end.exit_status, ==, 3);
}

static void test_kill_ends_a_process_that_ignores_it(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "trap '' TERM; echo; while :; do sleep 0.01; done");
    test.spec.nice = 2;
    fixture_run(kill_body, &test);
    g_assert_true(test.ok);
    g_assert_cmpint(test.end.signal, ==, SIGKILL);
    assert_no_children();
}

static void test_gentle_kill_gives_up(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "trap '' TERM; echo; while :; do sleep 0.01; done");
    test.spec.nice = 1;
    fixture_run(kill_body, &test);
    g_assert_false(test.ok);
    assert_error_code(test.error, VIR_ERR_SYSTEM_ERROR);
    g_assert_nonnull(strstr(test.error->message, "SIGTERM: Device or resource busy"));
}

/* A process whose parent is gone; its number comes back through the log. */
static void adopt_body(void *data)
{
    ProcessCase *test = data;
    FiberLoop *loop = fiber_get_loop(fiber_current());
    g_autoptr(GuestProcess) adopted = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;

    run_body(test);
    log = case_read_log(test);
    pid_t pid = atoi(log);
    uint64_t start_time = process_start_time(pid);
    g_assert_false(guest_process_adopt(loop, pid, start_time + 1, NULL, NULL, &adopted, &error));
    assert_error_code(error, VIR_ERR_OPERATION_INVALID);
    test->n_ends = 0;
    g_assert_true(guest_process_adopt(loop, pid, start_time, count_end, test, &adopted,
                                      &test->error));
    g_assert_true(guest_process_is_alive(adopted));
    g_assert_cmpuint(guest_process_get_start_time(adopted), ==, start_time);
    g_assert_true(guest_process_kill(adopted, FIBER_FOREVER, fiber_deadline_ms(DEADLINE_MS),
                                     &test->end, &test->error));
}

static void test_process_of_another_parent_is_adopted(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, "setsid sleep 1000 >/dev/null 2>&1 & echo $!");
    fixture_run(adopt_body, &test);
    g_assert_no_error(test.error);
    g_assert_false(test.end.is_known);
    g_assert_cmpint(test.n_ends, ==, 1);
}

static void test_process_that_is_gone_cannot_be_adopted(void)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    pid_t pid = fork();
    uint64_t start_time;
    siginfo_t info;

    if (pid == 0)
        _exit(0);
    /* A zombie, whose number and start time are still there. */
    g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==, 0);
    start_time = process_start_time(pid);
    for (int i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        GuestProcess *process = NULL;

        g_assert_false(guest_process_adopt(loop, i < 2 ? pid : -1, start_time, NULL, NULL,
                                           &process, &error));
        assert_error_code(error, VIR_ERR_OPERATION_INVALID);
        waitpid(pid, NULL, 0);
    }
}

/* The best of many: what it costs, whatever else the machine has to do. */
static void start_often_body(void *data)
{
    static const char *const argv[] = { "/bin/true", NULL };
    const ProcessSpec bare = { .argv = argv, .deadline_us = fiber_deadline_ms(DEADLINE_MS) };
    ProcessCase *test = data;

    test->spec.argv = argv;
    test->best_us = test->best_bare_us = UINT64_MAX;
    for (int i = 0; i < 50; i++) {
        uint64_t begin = fiber_now_us();
        g_assert_true(case_start(test));
        test->best_us = MIN(test->best_us, fiber_now_us() - begin);
        g_assert_true(guest_process_wait_end(test->process, FIBER_FOREVER, NULL, NULL));
        g_clear_pointer(&test->process, guest_process_free);
        begin = fiber_now_us();
        g_assert_true(process_run_checked(&bare, NULL, NULL));
        test->best_bare_us = MIN(test->best_bare_us, fiber_now_us() - begin);
    }
}

static void test_start_costs_two_milliseconds_more_than_a_bare_one_at_most(void)
{
    g_auto(ProcessCase) test;

    case_init(&test, NULL);
    fixture_run(start_often_body, &test);
    g_test_message("a start takes %" G_GUINT64_FORMAT " us, a bare run %" G_GUINT64_FORMAT " us",
                   test.best_us, test.best_bare_us);
#ifndef __SANITIZE_ADDRESS__
    g_assert_cmpuint(test.best_us, <, test.best_bare_us + 2000);
#endif
    assert_no_children();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/guest_process/" #name, test_##name)
    TEST(output_goes_to_the_log_and_status_is_known);
    TEST(signal_is_known);
    TEST(only_given_descriptors_are_open);
    TEST(socket_is_connected_by_the_process_itself);
    TEST(connection_that_is_refused_is_named);
    TEST(waiting_process_can_be_ended);
    TEST(descriptors_can_change_places);
    TEST(signals_are_default_and_unblocked);
    TEST(environment_folder_and_session_are_its_own);
    TEST(limits_and_priority_are_set);
    TEST(pid_file_has_the_number_of_the_process);
    TEST(user_and_capabilities_are_given_up);
    TEST(missing_program_is_an_error_that_names_it);
    TEST(failed_step_is_named);
    TEST(missing_launcher_is_an_error);
    TEST(reserved_descriptor_is_refused);
    TEST(waiting_process_runs_at_go);
    TEST(waiting_process_that_is_freed_never_runs);
    TEST(launcher_killed_before_go_is_an_error);
    TEST(launcher_that_hangs_is_given_up_and_killed);
    TEST(kill_is_gentle_first);
    TEST(kill_ends_a_process_that_ignores_it);
    TEST(gentle_kill_gives_up);
    TEST(process_of_another_parent_is_adopted);
    TEST(process_that_is_gone_cannot_be_adopted);
    TEST(start_costs_two_milliseconds_more_than_a_bare_one_at_most);
    return g_test_run();
}
