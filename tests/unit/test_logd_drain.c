/* From pipe to file: all of it, and when that cannot be, whole lines only. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "virtlogd/drain.h"

#define ALL (16 * 1024 * 1024)

static const LogLimits no_limits = { 0, 3 };

typedef struct Case {
    char *folder, *path;
    Drain drain;
    int write_fd;
} Case;

static void case_begin(Case *test, gconstpointer path)
{
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    g_assert_cmpint(fcntl(fds[0], F_SETFL, O_NONBLOCK), ==, 0);
    test->folder = g_dir_make_tmp("drain-XXXXXX", NULL);
    test->path = path ? g_strdup(path) : g_build_filename(test->folder, "a.log", NULL);
    test->drain.file = log_file_new(test->path);
    test->drain.pipe_fd = fds[0];
    test->write_fd = fds[1];
}

static void case_end(Case *test, gconstpointer unused)
{
    g_autofree char *remove = g_strdup_printf("rm -rf %s", test->folder);

    log_file_free(test->drain.file);
    close(test->drain.pipe_fd);
    if (test->write_fd >= 0)
        close(test->write_fd);
    g_assert_cmpint(system(remove), ==, 0);
    g_free(test->path);
    g_free(test->folder);
}

static void say(Case *test, const char *text)
{
    g_assert_cmpint(write(test->write_fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

static DrainResult run(Case *test, const LogLimits *limits)
{
    return drain_run(&test->drain, limits, ALL);
}

static void assert_content(const Case *test, const char *expected)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(test->path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void test_end_comes_behind_the_last_byte(Case *test, gconstpointer unused)
{
    say(test, "one\n");
    g_assert_cmpint(run(test, &no_limits), ==, DRAIN_EMPTY);
    say(test, "two");
    close(test->write_fd);
    test->write_fd = -1;
    g_assert_cmpint(run(test, &no_limits), ==, DRAIN_END);
    assert_content(test, "one\ntwo");
    g_assert_cmpuint(test->drain.n_written, ==, 7);
}

/* The loop closes the pipe then, while calls about the log may still be waiting for the disk. */
static void test_pipe_that_has_ended_is_not_touched_again(Case *test, gconstpointer unused)
{
    char byte;
    int others[2];

    close(test->write_fd);
    g_assert_cmpint(run(test, &no_limits), ==, DRAIN_END);
    g_assert_cmpint(pipe2(others, O_CLOEXEC | O_NONBLOCK), ==, 0);
    g_assert_cmpint(dup2(others[0], test->drain.pipe_fd), ==, test->drain.pipe_fd);
    test->write_fd = others[1];
    say(test, "x");
    g_assert_cmpint(run(test, &no_limits), ==, DRAIN_END);
    g_assert_cmpint(read(others[0], &byte, 1), ==, 1);
    close(others[0]);
}

static void test_budget_lets_others_have_their_turn(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 5, 100 };

    say(test, "aaaa\nbbbb\ncccc\n");
    g_assert_cmpint(drain_run(&test->drain, &limits, 0), ==, DRAIN_MORE);
    g_assert_cmpint(run(test, &limits), ==, DRAIN_EMPTY);
    assert_content(test, "cccc\n");
}

/* A folder in the place of the file: it cannot be opened until that has gone. */
static void block(Case *test)
{
    g_assert_cmpint(g_mkdir_with_parents(test->path, 0700), ==, 0);
}

static void unblock(Case *test)
{
    g_assert_cmpint(rmdir(test->path), ==, 0);
}

static void test_what_cannot_be_written_is_dropped_and_counted(Case *test, gconstpointer unused)
{
    block(test);
    say(test, "lost\nlost too\n");
    g_assert_cmpint(run(test, &no_limits), ==, DRAIN_EMPTY);
    g_assert_true(test->drain.is_dropping);
    g_assert_cmpint(test->drain.errnum, ==, EISDIR);
    g_assert_cmpuint(test->drain.n_dropped, ==, 14);
    unblock(test);
    say(test, "there\n");
    g_assert_cmpint(run(test, &no_limits), ==, DRAIN_EMPTY);
    g_assert_false(test->drain.is_dropping);
    assert_content(test, "there\n");
}

static void test_line_whose_beginning_was_dropped_is_dropped(Case *test, gconstpointer unused)
{
    block(test);
    say(test, "begin");
    run(test, &no_limits);
    unblock(test);
    say(test, " and");
    run(test, &no_limits);
    say(test, " end\nnext\n");
    run(test, &no_limits);
    assert_content(test, "next\n");
    g_assert_cmpuint(test->drain.n_dropped, ==, strlen("begin and end\n"));
}

static void test_line_that_was_cut_is_ended(Case *test, gconstpointer unused)
{
    say(test, "cut");
    run(test, &no_limits);
    g_autofree char *aside = g_strconcat(test->path, ".aside", NULL);
    log_file_close(test->drain.file);
    g_assert_cmpint(rename(test->path, aside), ==, 0);
    block(test);
    say(test, " off\nlost\n");
    run(test, &no_limits);
    unblock(test);
    g_assert_cmpint(rename(aside, test->path), ==, 0);
    say(test, "next\n");
    run(test, &no_limits);
    assert_content(test, "cut\nnext\n");
}

static void test_full_device_drops_and_counts(Case *test, gconstpointer unused)
{
    say(test, "x\n");
    g_assert_cmpint(run(test, &no_limits), ==, DRAIN_EMPTY);
    g_assert_true(test->drain.is_dropping);
    g_assert_cmpint(test->drain.errnum, ==, ENOSPC);
    g_assert_cmpuint(test->drain.n_dropped, ==, 2);
}

static void test_writers(Case *test, gconstpointer unused)
{
    g_assert_false(drain_has_lost_writers(test->drain.pipe_fd));
    say(test, "x");
    g_assert_false(drain_has_lost_writers(test->drain.pipe_fd));
    close(test->write_fd);
    test->write_fd = -1;
    g_assert_true(drain_has_lost_writers(test->drain.pipe_fd));
}

#define ADD(name, path)                                                                            \
    g_test_add("/logd_drain/" #name, Case, path, case_begin, test_##name, case_end)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(end_comes_behind_the_last_byte, NULL);
    ADD(pipe_that_has_ended_is_not_touched_again, NULL);
    ADD(budget_lets_others_have_their_turn, NULL);
    ADD(what_cannot_be_written_is_dropped_and_counted, NULL);
    ADD(line_whose_beginning_was_dropped_is_dropped, NULL);
    ADD(line_that_was_cut_is_ended, NULL);
    ADD(full_device_drops_and_counts, "/dev/full");
    ADD(writers, NULL);
    return g_test_run();
}
