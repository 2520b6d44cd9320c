/* Where virtlogd's files end: every line whole, none lost, the numbers right. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "virtlogd/log_file.h"
#include "virtlogd/log_reader.h"
#include "virtlogd/old_files.h"

typedef struct Case {
    char *folder, *path;
    LogFile *file;
} Case;

static void case_begin(Case *test, gconstpointer unused)
{
    test->folder = g_dir_make_tmp("logd-XXXXXX", NULL);
    test->path = g_build_filename(test->folder, "a.log", NULL);
    test->file = log_file_new(test->path);
    g_assert_cmpint(log_file_open(test->file, false), ==, 0);
}

static void case_end(Case *test, gconstpointer unused)
{
    g_autofree char *remove = g_strdup_printf("rm -rf %s", test->folder);

    log_file_free(test->file);
    g_assert_cmpint(system(remove), ==, 0);
    g_free(test->path);
    g_free(test->folder);
}

/* @number: -1 for the file that is written. */
static char *content(const Case *test, int number)
{
    g_autofree char *path = number < 0 ? g_strdup(test->path)
                                       : g_strdup_printf("%s.%d", test->path, number);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static void assert_content(const Case *test, int number, const char *expected)
{
    g_autofree char *text = content(test, number);

    g_assert_cmpstr(text, ==, expected);
}

static void append(Case *test, const LogLimits *limits, const char *text)
{
    g_assert_cmpint(log_file_append(test->file, limits, text, strlen(text)), ==, 0);
}

static void test_lines_fill_files(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 10, 3 };

    append(test, &limits, "aaaa\nbbbb\ncccc\ndddd\neeee\n");
    assert_content(test, 1, "aaaa\nbbbb\n");
    assert_content(test, 0, "cccc\ndddd\n");
    assert_content(test, -1, "eeee\n");
}

static void test_line_that_does_not_fit_goes_to_the_next_file(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 10, 3 };

    append(test, &limits, "aaaa\nbb");
    append(test, &limits, "bbbbbbb\n");
    assert_content(test, 0, NULL);
    assert_content(test, -1, "aaaa\nbbbbbbbbb\n");
    append(test, &limits, "c\n");
    assert_content(test, 0, "aaaa\nbbbbbbbbb\n");
    assert_content(test, -1, "c\n");
}

static void test_begun_line_is_finished_over_the_limit(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 10, 3 };

    append(test, &limits, "aaaaaaaa");
    append(test, &limits, "aaaaaaaa");
    append(test, &limits, "aaaa\nbb\n");
    assert_content(test, 0, "aaaaaaaaaaaaaaaaaaaa\n");
    assert_content(test, -1, "bb\n");
}

static void test_oldest_goes(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 2, 2 };

    append(test, &limits, "1\n2\n3\n4\n5\n");
    assert_content(test, 2, NULL);
    assert_content(test, 1, "3\n");
    assert_content(test, 0, "4\n");
    assert_content(test, -1, "5\n");
}

static void test_limit_lowered_below_the_size(Case *test, gconstpointer unused)
{
    const LogLimits none = { 0, 3 }, limits = { 4, 3 };

    append(test, &none, "aaaaaaaaaa\n");
    append(test, &limits, "b\n");
    assert_content(test, 0, "aaaaaaaaaa\n");
    assert_content(test, -1, "b\n");
}

static void test_endless_line_is_cut(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 100, 1000 };
    g_autofree char *bytes = g_strnfill(5 * LOG_LINE_MAX, 'x');
    size_t total = 0;

    append(test, &limits, bytes);
    for (int i = -1; i < 1000; i++) {
        g_autofree char *text = content(test, i);

        if (!text)
            break;
        g_assert_cmpuint(strlen(text), <=, LOG_LINE_MAX + 100);
        total += strlen(text);
    }
    g_assert_cmpuint(total, ==, 5 * LOG_LINE_MAX);
}

static void test_tail_is_what_has_no_end_yet(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 0, 3 };

    g_assert_cmpuint(log_file_get_tail(test->file), ==, 0);
    append(test, &limits, "abc");
    g_assert_cmpuint(log_file_get_tail(test->file), ==, 3);
    append(test, &limits, "\n");
    g_assert_cmpuint(log_file_get_tail(test->file), ==, 0);
    append(test, &limits, "ab");
    g_assert_cmpuint(log_file_get_tail(test->file), ==, 2);
}

/* Any way of cutting the input gives whole lines in each file, and all of them. */
static void test_random_pieces(Case *test, gconstpointer unused)
{
    g_autoptr(GString) all = g_string_new(NULL);
    g_autoptr(GString) found = g_string_new(NULL);
    const LogLimits limits = { 200, 5000 };
    size_t done = 0;

    for (int i = 0; i < 200; i++) {
        for (int j = g_random_int_range(0, 300); j > 0; j--)
            g_string_append_c(all, (char)g_random_int_range('a', 'z'));
        g_string_append_c(all, '\n');
    }
    while (done < all->len) {
        size_t piece = (size_t)g_random_int_range(1, 500);

        piece = MIN(piece, all->len - done);
        g_assert_cmpint(log_file_append(test->file, &limits, all->str + done, piece), ==, 0);
        done += piece;
    }
    for (int i = -1; i < 5000; i++) {
        g_autofree char *text = content(test, i);

        if (!text)
            break;
        g_assert_true(g_str_has_suffix(text, "\n"));
        /* Only the last line may begin within the limit and end beyond it. */
        const char *last = g_strrstr_len(text, (gssize)strlen(text) - 1, "\n");
        g_assert_cmpint(last ? last - text : 0, <=, 200);
        g_string_prepend(found, text);
    }
    g_assert_cmpstr(found->str, ==, all->str);
}

static void assert_read(const Case *test, uint64_t inode, uint64_t offset, size_t max,
                        const char *expected)
{
    g_autofree char *text = NULL;
    size_t length = 0;

    g_assert_cmpint(log_read(test->path, inode, offset, max, &text, &length), ==, 0);
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(length, ==, strlen(expected));
}

static void test_reading_over_files(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 4, 5 };
    uint64_t inode = test->file->ino;
    char *text;
    size_t length;

    append(test, &limits, "a1\n");
    append(test, &limits, "b2\nc3\nd4\n");
    assert_read(test, inode, 0, 100, "a1\nb2\nc3\nd4\n");
    assert_read(test, inode, 1, 4, "1\nb2");
    assert_read(test, inode, 500, 100, "b2\nc3\nd4\n");
    assert_read(test, test->file->ino, 1, 100, "4\n");
    g_assert_cmpint(log_read(test->path, 1, 0, 10, &text, &length), ==, -EBADF);
    g_assert_cmpint(log_read(test->path, inode, UINT64_MAX, 10, &text, &length), ==, -EBADF);
}

static void test_truncating_removes_backups(Case *test, gconstpointer unused)
{
    const LogLimits limits = { 4, 5 };

    append(test, &limits, "a1\nb2\nc3\n");
    g_assert_cmpint(log_file_open(test->file, true), ==, 0);
    assert_content(test, -1, "");
    assert_content(test, 0, NULL);
    assert_content(test, 1, NULL);
}

static void test_what_is_no_file_is_refused(Case *test, gconstpointer unused)
{
    g_autofree char *fifo = g_build_filename(test->folder, "fifo", NULL);
    LogFile *file = log_file_new(fifo);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_cmpint(log_file_open(file, false), ==, -EINVAL);
    log_file_free(file);
    file = log_file_new(test->folder);
    g_assert_cmpint(log_file_open(file, false), ==, -EISDIR);
    log_file_free(file);
}

static void test_old_files_do_not_follow_links(Case *test, gconstpointer unused)
{
    g_autofree char *inside = g_build_filename(test->folder, "logs", NULL);
    g_autofree char *link = g_build_filename(inside, "link", NULL);
    g_autofree char *old = g_build_filename(inside, "old", NULL);
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(FileId));

    g_assert_cmpint(g_mkdir(inside, 0700), ==, 0);
    g_assert_cmpint(symlink(test->folder, link), ==, 0);
    g_assert_true(g_file_set_contents(old, "x", 1, NULL));
    g_assert_cmpuint(old_files_delete(inside, time(NULL) + 100, open), ==, 1);
    g_assert_true(g_file_test(test->path, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
}

#define ADD(name) g_test_add("/logd_file/" #name, Case, NULL, case_begin, test_##name, case_end)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(lines_fill_files);
    ADD(line_that_does_not_fit_goes_to_the_next_file);
    ADD(begun_line_is_finished_over_the_limit);
    ADD(oldest_goes);
    ADD(limit_lowered_below_the_size);
    ADD(endless_line_is_cut);
    ADD(tail_is_what_has_no_end_yet);
    ADD(random_pieces);
    ADD(reading_over_files);
    ADD(truncating_removes_backups);
    ADD(what_is_no_file_is_refused);
    ADD(old_files_do_not_follow_links);
    return g_test_run();
}
