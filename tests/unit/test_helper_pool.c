/* Helper processes: what is sent to them and comes back, descriptors included, and helpers that
 * behave badly. They are short programs of the test's own. */
#include "fiber/helper_pool.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fiber_fixture.h"

#define MIN_ANSWER 2
#define MAX_ANSWER 64
#define PATIENCE_MS 30000

/* Answers with what was sent: the bytes and the descriptor. */
static const char echo[] =
    "#!/usr/bin/python3\n"
    "import array, socket\n"
    "s = socket.socket(fileno=3)\n"
    "while True:\n"
    "    data, anc, flags, peer = s.recvmsg(1000, socket.CMSG_SPACE(4))\n"
    "    if not data:\n"
    "        break\n"
    "    fds = array.array('i', anc[0][2]) if anc else []\n"
    "    s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if anc else [])\n";

/* Says on the descriptor that comes that it has begun, and when it was told to go on that it is
 * done. */
static const char slow[] =
    "#!/usr/bin/python3\n"
    "import array, os, socket\n"
    "s = socket.socket(fileno=3)\n"
    "data, anc, flags, peer = s.recvmsg(1000, socket.CMSG_SPACE(4))\n"
    "fd = array.array('i', anc[0][2])[0]\n"
    "os.write(fd, b'b')\n"
    "os.read(fd, 1)\n"
    "os.write(fd, b'd')\n";

typedef struct PoolCase PoolCase;
struct PoolCase {
    void (*func)(PoolCase *test);
    HelperPool *pool;
    char *program;
};

static void use_program(PoolCase *test, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_file_set_contents(test->program, text, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(chmod(test->program, 0755), ==, 0);
}

static void body(void *data)
{
    PoolCase *test = data;

    test->pool = helper_pool_new(fiber_get_loop(fiber_current()), "splitvirt_test_helper",
                                 VIR_FROM_LOCKSPACE, MIN_ANSWER, MAX_ANSWER);
    use_program(test, echo);
    test->func(test);
    helper_pool_free(test->pool);
}

static void run(gconstpointer func)
{
    g_autofree char *folder = g_dir_make_tmp("helper-XXXXXX", NULL);
    PoolCase test = { .program = g_build_filename(folder, "helper", NULL) };

    memcpy(&test.func, &func, sizeof(func));
    g_setenv("SPLITVIRT_TEST_HELPER", test.program, TRUE);
    fixture_run(body, &test);
    unlink(test.program);
    rmdir(folder);
    g_free(test.program);
}

static bool is_spent(const GByteArray *answer)
{
    return answer->len == 5 && memcmp(answer->data, "spent", 5) == 0;
}

static bool call(PoolCase *test, const char *text, int fd, unsigned ms, GByteArray **ret_answer,
                 int *ret_fd, GError **error)
{
    const HelperCall what = { text, strlen(text), fd, "/some/path", fiber_deadline_ms(ms),
                              is_spent };

    return helper_pool_call(test->pool, &what, ret_answer, ret_fd, error);
}

static void assert_counts(PoolCase *test, unsigned idle, unsigned abandoned)
{
    unsigned n_idle, n_abandoned;

    helper_pool_count(test->pool, &n_idle, &n_abandoned);
    g_assert_cmpuint(n_idle, ==, idle);
    g_assert_cmpuint(n_abandoned, ==, abandoned);
}

static void test_answer_comes_back(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;
    g_autoptr(GError) error = NULL;
    int fd;

    g_assert_true(call(test, "hello", -1, PATIENCE_MS, &answer, &fd, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(answer->data, answer->len, "hello", 5);
    g_assert_cmpint(fd, ==, -1);
    assert_counts(test, 1, 0);
}

static void test_descriptor_goes_there_and_back(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;
    int ends[2], fd;
    char byte;

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_true(call(test, "fd", ends[1], PATIENCE_MS, &answer, &fd, NULL));
    g_assert_cmpint(fd, >, 2);
    g_assert_cmpint(fd, !=, ends[1]);
    close(ends[1]);
    g_assert_cmpint(write(fd, "x", 1), ==, 1);
    g_assert_cmpint(read(ends[0], &byte, 1), ==, 1);
    close(fd);
    close(ends[0]);
}

static void test_descriptor_that_nobody_wants_is_closed(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;
    int ends[2], next;

    g_assert_true(call(test, "warm", -1, PATIENCE_MS, &answer, NULL, NULL));
    g_assert_cmpint(pipe(ends), ==, 0);
    next = dup(ends[0]);
    close(next);
    g_clear_pointer(&answer, g_byte_array_unref);
    g_assert_true(call(test, "fd", ends[1], PATIENCE_MS, &answer, NULL, NULL));
    /* The lowest free number is the same as before. */
    int again = dup(ends[0]);
    g_assert_cmpint(again, ==, next);
    close(again);
    close(ends[0]);
    close(ends[1]);
}

static void test_helper_that_is_spent_is_not_used_again(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;

    g_assert_true(call(test, "spent", -1, PATIENCE_MS, &answer, NULL, NULL));
    assert_counts(test, 0, 1);
}

static void test_short_answer_is_an_error(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(call(test, "x", -1, PATIENCE_MS, &answer, NULL, &error));
    assert_error_code(error, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(error->message, "'/some/path'"));
}

static void test_helper_that_hangs_is_abandoned(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;
    g_autoptr(GError) error = NULL;

    use_program(test, "#!/bin/sh\nexec sleep 1000\n");
    g_assert_false(call(test, "hello", -1, 50, &answer, NULL, &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
    assert_counts(test, 0, 1);
    use_program(test, echo);
    g_assert_true(call(test, "hello", -1, PATIENCE_MS, &answer, NULL, NULL));
}

typedef struct SlowCall {
    PoolCase *test;
    int fd;
} SlowCall;

static void slow_call_body(void *data)
{
    SlowCall *slow_call = data;
    g_autoptr(GByteArray) answer = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(call(slow_call->test, "hello", slow_call->fd, PATIENCE_MS, &answer, NULL,
                        &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
}

/* The next byte that comes; 0 at the end. */
static char read_byte(int fd)
{
    char byte = 0;

    g_assert_true(fiber_wait_fd(fd, EPOLLIN, fiber_deadline_ms(PATIENCE_MS), NULL, NULL));
    return read(fd, &byte, 1) == 1 ? byte : 0;
}

static void test_helper_finishes_what_was_cancelled(PoolCase *test)
{
    g_autoptr(Fiber) fiber = NULL;
    SlowCall slow_call = { .test = test };
    int ends[2];

    use_program(test, slow);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    slow_call.fd = ends[1];
    g_assert_true(fiber_spawn(fiber_get_loop(fiber_current()), "call", slow_call_body, &slow_call,
                              &fiber, NULL));
    g_assert_cmpint(read_byte(ends[0]), ==, 'b');
    close(ends[1]);
    fiber_cancel(fiber);
    g_assert_true(fiber_join(fiber, fiber_deadline_ms(PATIENCE_MS), NULL));
    g_assert_cmpint(write(ends[0], "g", 1), ==, 1);
    g_assert_cmpint(read_byte(ends[0]), ==, 'd');
    close(ends[0]);
}

static void test_helper_that_ends_is_an_error(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;
    g_autoptr(GError) error = NULL;

    use_program(test, "#!/bin/sh\nexit 0\n");
    g_assert_false(call(test, "hello", -1, PATIENCE_MS, &answer, NULL, &error));
    assert_error_code(error, VIR_ERR_OPERATION_FAILED);
}

static void test_missing_program_is_an_error(PoolCase *test)
{
    g_autoptr(GByteArray) answer = NULL;
    g_autoptr(GError) error = NULL;

    unlink(test->program);
    g_assert_false(call(test, "hello", -1, PATIENCE_MS, &answer, NULL, &error));
    assert_error_code(error, VIR_ERR_SYSTEM_ERROR);
    g_assert_nonnull(strstr(error->message, test->program));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_data_func("/helper_pool/" #name, (void *)test_##name, run)
    TEST(answer_comes_back);
    TEST(descriptor_goes_there_and_back);
    TEST(descriptor_that_nobody_wants_is_closed);
    TEST(helper_that_is_spent_is_not_used_again);
    TEST(short_answer_is_an_error);
    TEST(helper_that_hangs_is_abandoned);
    TEST(helper_finishes_what_was_cancelled);
    TEST(helper_that_ends_is_an_error);
    TEST(missing_program_is_an_error);
    return g_test_run();
}
