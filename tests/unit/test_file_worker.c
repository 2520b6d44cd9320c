/* The processes that touch files for the daemon: real ones, and programs that behave badly in
 * their place. */
#include "virtqemud/host/file_worker.h"

#include <errno.h>

#include "tests/unit/file_fixture.h"

static void call_head(FileCase *test, const char *path, FileAnswer *ret_answer)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(file_workers_call(test->workers, FILE_OP_HEAD, 0, path, NULL, NULL, soon(), ret_answer,
                                    &error));
    g_assert_no_error(error);
}

static void assert_counts(FileCase *test, unsigned idle, unsigned abandoned)
{
    unsigned n_idle, n_abandoned;

    file_workers_count(test->workers, &n_idle, &n_abandoned);
    g_assert_cmpuint(n_idle, ==, idle);
    g_assert_cmpuint(n_abandoned, ==, abandoned);
}

static void test_head_of_a_file_is_read(FileCase *test)
{
    g_autofree char *path = file_case_make(test, "f", "hello", 5);
    g_auto(FileAnswer) answer = { 0 };
    struct stat info;

    call_head(test, path, &answer);
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(answer.reply.errnum, ==, 0);
    g_assert_cmpuint(answer.reply.length, ==, 5);
    g_assert_cmpmem(answer.data, 5, "hello", 5);
    g_assert_cmpuint(answer.reply.inode, ==, info.st_ino);
    g_assert_cmpuint(answer.reply.mode, ==, info.st_mode);
}

static void test_long_file_is_cut(FileCase *test)
{
    g_autofree char *data = g_strnfill(FILE_WORKER_MAX_DATA + 10, 'x');
    g_autofree char *path = file_case_make(test, "f", data, FILE_WORKER_MAX_DATA + 10);
    g_auto(FileAnswer) answer = { 0 };

    call_head(test, path, &answer);
    g_assert_cmpuint(answer.reply.length, ==, FILE_WORKER_MAX_DATA);
    g_assert_cmpuint(answer.reply.size_bytes, ==, FILE_WORKER_MAX_DATA + 10);
}

static void test_pipe_is_not_waited_for(FileCase *test)
{
    g_autofree char *path = g_build_filename(test->folder, "pipe", NULL);
    g_auto(FileAnswer) answer = { 0 };

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    call_head(test, path, &answer);
    g_assert_true(S_ISFIFO(answer.reply.mode));
    g_assert_cmpuint(answer.reply.length, ==, 0);
}

static void test_missing_file_is_an_answer(FileCase *test)
{
    g_auto(FileAnswer) answer = { 0 };

    call_head(test, "/no/such/file", &answer);
    g_assert_cmpint(answer.reply.errnum, ==, ENOENT);
}

static int call_output(FileCase *test, const char *path, unsigned flags, int *ret_fd)
{
    g_autoptr(GError) error = NULL;
    g_auto(FileAnswer) answer = { 0 };

    g_assert_true(file_workers_call(test->workers, FILE_OP_OUTPUT, flags, path, NULL, NULL, soon(),
                                    &answer, &error));
    *ret_fd = file_answer_take_fd(&answer);
    return answer.reply.errnum;
}

static void assert_written(FileCase *test, const char *path, unsigned flags, const char *expected)
{
    g_autofree char *text = NULL;
    int fd;

    g_assert_cmpint(call_output(test, path, flags, &fd), ==, 0);
    g_assert_cmpint(write(fd, "new", 3), ==, 3);
    close(fd);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void test_output_is_made_emptied_or_appended_to(FileCase *test)
{
    g_autofree char *path = g_build_filename(test->folder, "output", NULL);

    assert_written(test, path, 0, "new");
    assert_written(test, path, FILE_FLAG_APPEND, "newnew");
    assert_written(test, path, 0, "new");
}

static void test_output_to_a_pipe_that_nobody_reads_is_an_error(FileCase *test)
{
    g_autofree char *path = g_build_filename(test->folder, "pipe", NULL);
    int fd;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_assert_cmpint(call_output(test, path, 0, &fd), ==, ENXIO);
    g_assert_cmpint(fd, ==, -1);
}

static void test_worker_is_used_again(FileCase *test)
{
    for (int i = 0; i < 100; i++) {
        g_auto(FileAnswer) answer = { 0 };
        call_head(test, "/etc/passwd", &answer);
        assert_counts(test, 1, 0);
    }
}

static void test_too_long_path_is_refused(FileCase *test)
{
    g_autofree char *path = g_strnfill(FILE_WORKER_MAX_PATH, 'x');
    g_autoptr(GError) error = NULL;
    FileAnswer answer;

    g_assert_false(file_workers_call(test->workers, FILE_OP_HEAD, 0, path, NULL, NULL, soon(), &answer,
                                     &error));
    assert_error_code(error, VIR_ERR_SYSTEM_ERROR);
}

/* Puts a shell script in the worker's place for one call, which must fail. */
static void call_script(FileCase *test, const char *script, unsigned ms, GError **error)
{
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", script);
    g_autofree char *path = file_case_make(test, "script", text, strlen(text));
    g_autofree char *before = g_strdup(g_getenv("SPLITVIRT_FILE_WORKER"));
    FileAnswer answer;

    g_assert_cmpint(chmod(path, 0755), ==, 0);
    g_setenv("SPLITVIRT_FILE_WORKER", path, TRUE);
    g_assert_false(file_workers_call(test->workers, FILE_OP_HEAD, 0, "/etc/passwd", NULL, NULL,
                                     fiber_deadline_ms(ms), &answer, error));
    g_setenv("SPLITVIRT_FILE_WORKER", before, TRUE);
}

static void test_worker_that_hangs_is_abandoned(FileCase *test)
{
    g_autoptr(GError) error = NULL;
    g_auto(FileAnswer) answer = { 0 };

    call_script(test, "exec sleep 1000", 50, &error);
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
    g_assert_nonnull(strstr(error->message, "the file system of '/etc/passwd' does not answer"));
    assert_counts(test, 0, 1);
    /* The next call is not in its way, and what was killed is gone at last. */
    call_head(test, "/etc/passwd", &answer);
    for (unsigned i = 0, idle, abandoned = 1; abandoned > 0 && i < 1000; i++) {
        fiber_sleep(5000, NULL);
        file_workers_count(test->workers, &idle, &abandoned);
    }
    assert_counts(test, 1, 0);
}

static void test_worker_that_dies_is_an_error(FileCase *test)
{
    g_autoptr(GError) error = NULL;

    call_script(test, "kill -9 $$", 30000, &error);
    assert_error_code(error, VIR_ERR_OPERATION_FAILED);
}

static void test_worker_that_answers_garbage_is_an_error(FileCase *test)
{
    g_autoptr(GError) error = NULL;

    call_script(test, "echo garbage >&3; exec sleep 1000", 30000, &error);
    assert_error_code(error, VIR_ERR_OPERATION_FAILED);
}

static void test_missing_worker_is_an_error(FileCase *test)
{
    g_autoptr(GError) error = NULL;

    g_setenv("SPLITVIRT_FILE_WORKER", "/no/such/worker", TRUE);
    FileAnswer answer;
    g_assert_false(file_workers_call(test->workers, FILE_OP_HEAD, 0, "/etc/passwd", NULL, NULL, soon(),
                                     &answer, &error));
    assert_error_code(error, VIR_ERR_SYSTEM_ERROR);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_data_func("/file_worker/" #name, (void *)test_##name, file_case_run)
    TEST(head_of_a_file_is_read);
    TEST(long_file_is_cut);
    TEST(pipe_is_not_waited_for);
    TEST(missing_file_is_an_answer);
    TEST(output_is_made_emptied_or_appended_to);
    TEST(output_to_a_pipe_that_nobody_reads_is_an_error);
    TEST(worker_is_used_again);
    TEST(too_long_path_is_refused);
    TEST(worker_that_hangs_is_abandoned);
    TEST(worker_that_dies_is_an_error);
    TEST(worker_that_answers_garbage_is_an_error);
    TEST(missing_worker_is_an_error);
    return g_test_run();
}
