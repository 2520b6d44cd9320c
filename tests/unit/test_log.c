/* Logging: settings as text, what gets through, and outputs that are slow or broken. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

LOG_INIT("test.log");

typedef struct Fixture {
    char *folder;
    char *path; /* of the file that is logged to */
} Fixture;

static void set_outputs(const char *format, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("%s%s", format, path);

    log_set_outputs(text, &error);
    g_assert_no_error(error);
}

static void fixture_set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->folder = g_dir_make_tmp("test-log-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
    fixture->path = g_build_filename(fixture->folder, "log", NULL);
    set_outputs("1:file:", fixture->path);
    g_assert_true(log_set_filters("", NULL));
    g_assert_true(log_set_level(LOG_LEVEL_DEBUG, NULL));
}

static void fixture_tear_down(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *old = g_strconcat(fixture->path, ".old", NULL);

    g_assert_true(log_set_default_output("3:stderr", NULL));
    g_assert_true(log_set_outputs("", NULL));
    g_remove(fixture->path);
    g_remove(old);
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->folder);
    g_free(fixture->path);
}

static char *logged(const Fixture *fixture)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
    return text;
}

static void assert_logged(const Fixture *fixture, const char *wanted, bool is_there)
{
    g_autofree char *text = logged(fixture);

    g_assert_true((strstr(text, wanted) != NULL) == is_there);
}

static void test_line_has_the_known_format(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *text = NULL;
    g_autofree char *pattern =
        g_strdup_printf("^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\+0000: %d: warning : "
                        "test_line_has_the_known_format:\\d+ : disk 'vda' is slow\n$",
                        (int) gettid());

    LOG_WARN("disk '%s' is slow", "vda");
    text = logged(fixture);
    g_assert_true(g_regex_match_simple(pattern, text, 0, 0));
}

static void test_levels_have_names(Fixture *fixture, gconstpointer unused)
{
    LOG_DEBUG("x");
    LOG_INFO("x");
    LOG_ERROR("x");
    assert_logged(fixture, ": debug : ", true);
    assert_logged(fixture, ": info : ", true);
    assert_logged(fixture, ": error : ", true);
}

static void test_level_decides_without_filters(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(log_set_level(LOG_LEVEL_WARN, NULL));
    g_assert_cmpint(log_get_level(), ==, LOG_LEVEL_WARN);
    LOG_INFO("low");
    LOG_WARN("high");
    assert_logged(fixture, "low", false);
    assert_logged(fixture, "high", true);
}

static void test_levels_out_of_range_are_refused(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(log_set_level(0, NULL));
    g_assert_false(log_set_level(5, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG);
    g_assert_cmpint(log_get_level(), ==, LOG_LEVEL_DEBUG);
}

static void test_filter_matches_part_of_the_source(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(log_set_filters("4:st.lo", NULL));
    LOG_WARN("refused");
    g_assert_true(log_set_filters("4:other", NULL));
    LOG_WARN("passed");
    assert_logged(fixture, "refused", false);
    assert_logged(fixture, "passed", true);
}

static void test_first_matching_filter_decides(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(log_set_filters("4:test 1:test", NULL));
    LOG_DEBUG("refused");
    g_assert_true(log_set_filters("1:test 4:test", NULL));
    LOG_DEBUG("passed");
    assert_logged(fixture, "refused", false);
    assert_logged(fixture, "passed", true);
}

static void test_output_has_its_own_level(Fixture *fixture, gconstpointer unused)
{
    set_outputs("3:file:", fixture->path);
    LOG_INFO("low");
    LOG_WARN("high");
    assert_logged(fixture, "low", false);
    assert_logged(fixture, "high", true);
}

static int evaluated(int *count)
{
    return ++*count;
}

static void test_arguments_of_unwanted_messages_are_not_evaluated(Fixture *fixture,
                                                                  gconstpointer unused)
{
    int count = 0;

    set_outputs("3:file:", fixture->path);
    LOG_WARN("%d", evaluated(&count));
    LOG_DEBUG("%d", evaluated(&count));
    g_assert_cmpint(count, ==, 1);
}

static void test_filters_read_back_as_set(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *set;
        const char *get;
        unsigned int count;
    } cases[] = {
        { "1:util 3:rpc", "1:*util* 3:*rpc*", 2 },
        { " 1:a   2:b ", "1:*a* 2:*b*", 2 },
        { "1:+qemu", "1:*qemu*", 1 },
        { "+01:a", "1:*a*", 1 },
        { "1:a*b", "1:*a*b*", 1 },
        { "1:*a*", "1:*a*", 1 },
        { "", "", 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;
        unsigned int count;

        g_assert_true(log_set_filters(cases[i].set, NULL));
        text = log_get_filters(&count);
        g_assert_cmpstr(text, ==, cases[i].get);
        g_assert_cmpuint(count, ==, cases[i].count);
    }
}

static void test_wrong_filters_change_nothing(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *set;
        const char *message;
    } cases[] = {
        { "9:x", "Invalid priority '9' for filter '9:x'" },
        { "0:x", "Invalid priority '0' for filter '0:x'" },
        { "-1:x", "Invalid priority '-1' for filter '-1:x'" },
        { "00000000000000000000000000011:x",
          "Invalid priority '00000000000000000000000000011' for filter "
          "'00000000000000000000000000011:x'" },
        { ":x", "Invalid priority '' for filter ':x'" },
        { "a:x", "Invalid priority 'a' for filter 'a:x'" },
        { "+:x", "Invalid priority '+' for filter '+:x'" },
        { "1", "Malformed format for filter '1'" },
        { "x", "Malformed format for filter 'x'" },
        { "1:a:b", "Malformed format for filter '1:a:b'" },
        { "1:", "Invalid match string ''" },
        { "1:+", "Invalid match string '+'" },
        { "1:a 9:b", "Invalid priority '9' for filter '9:b'" },
    };

    g_assert_true(log_set_filters("2:kept", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        unsigned int count;

        g_assert_false(log_set_filters(cases[i].set, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG);
        g_assert_cmpstr(error_detail(error), ==, cases[i].message);
        text = log_get_filters(&count);
        g_assert_cmpstr(text, ==, "2:*kept*");
    }
}

static void assert_outputs(const char *expected, unsigned int expected_count)
{
    unsigned int count;
    g_autofree char *text = log_get_outputs(&count);

    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(count, ==, expected_count);
}

static void test_outputs_read_back_as_set(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *set;
        const char *get;
        unsigned int count;
    } cases[] = {
        { "1:stderr", "1:stderr", 1 },
        { "+01:stderr", "1:stderr", 1 },
        { "1:stderr 2:stderr", "2:stderr", 1 },
        { " 1:stderr  2:file:/dev/null ", "1:stderr 2:file:/dev/null", 2 },
        { "1:file:/dev/null 2:file:/dev//null", "2:file:/dev/null", 1 },
        { "4:syslog:me", "4:syslog:me", 1 },
        { "4:syslog:", "4:syslog:", 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(log_set_outputs(cases[i].set, NULL));
        assert_outputs(cases[i].get, cases[i].count);
    }
}

static void test_relative_path_is_made_absolute(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *here = g_get_current_dir();
    g_autofree char *expected = g_strdup_printf("1:file:%s", fixture->path);

    g_assert_cmpint(g_chdir(fixture->folder), ==, 0);
    g_assert_true(log_set_outputs("1:file:log", NULL));
    g_assert_cmpint(g_chdir(here), ==, 0);
    assert_outputs(expected, 1);
}

static void test_no_outputs_mean_the_default(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *other = g_strdup_printf("2:file:%s", fixture->path);

    g_assert_true(log_set_outputs("", NULL));
    assert_outputs("3:stderr", 1);
    g_assert_true(log_set_default_output(other, NULL));
    assert_outputs("3:stderr", 1);
    g_assert_true(log_set_outputs(" ", NULL));
    assert_outputs(other, 1);
    g_assert_false(log_set_default_output("1:nosuch", NULL));
}

static void test_wrong_outputs_change_nothing(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *set;
        const char *message;
    } cases[] = {
        { "9:stderr", "Invalid log priority '9' for log output '9:stderr'" },
        { "0:stderr", "Invalid log priority '0' for log output '0:stderr'" },
        { ":stderr", "Invalid log priority '' for log output ':stderr'" },
        { "a:stderr", "Invalid log priority 'a' for log output 'a:stderr'" },
        { "-1:stderr", "Invalid log priority '-1' for log output '-1:stderr'" },
        { "1:", "Invalid log destination '' for log output '1:'" },
        { "1:nosuch", "Invalid log destination 'nosuch' for log output '1:nosuch'" },
        { "1:nosuch:x", "Invalid log destination 'nosuch' for log output '1:nosuch:x'" },
        { "1:STDERR", "Invalid log destination 'STDERR' for log output '1:STDERR'" },
        { "1", "Malformed format for log output '1'" },
        { "stderr", "Malformed format for log output 'stderr'" },
        { "1:stderr:x", "Log output '1:stderr:x' does not meet the format requirements for "
                        "destination type 'stderr'" },
        { "1:file", "Log output '1:file' does not meet the format requirements for "
                    "destination type 'file'" },
        { "1:file:", "Log output '1:file:' does not meet the format requirements for "
                     "destination type 'file'" },
        { "1:file:/tmp/a:b", "Log output '1:file:/tmp/a:b' does not meet the format requirements "
                             "for destination type 'file'" },
        { "1:syslog", "Log output '1:syslog' does not meet the format requirements for "
                      "destination type 'syslog'" },
        { "1:journald:x", "Log output '1:journald:x' does not meet the format requirements for "
                          "destination type 'journald'" },
        { "1:stderr 9:stderr", "Invalid log priority '9' for log output '9:stderr'" },
    };
    g_autofree char *kept = g_strdup_printf("1:file:%s", fixture->path);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(log_set_outputs(cases[i].set, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG);
        g_assert_cmpstr(error_detail(error), ==, cases[i].message);
        assert_outputs(kept, 1);
    }
    LOG_ERROR("still here");
    assert_logged(fixture, "still here", true);
}

static void test_file_that_cannot_be_opened_changes_nothing(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *kept = g_strdup_printf("1:file:%s", fixture->path);
    g_autofree char *text = g_strdup_printf("1:stderr 1:file:%s", fixture->folder);
    g_autofree char *message = g_strdup_printf("failed to open %s: Is a directory",
                                               fixture->folder);

    g_assert_false(log_set_outputs(text, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpstr(error->message, ==, message);
    assert_outputs(kept, 1);
}

static void test_no_message_can_pass_for_two(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    LOG_ERROR("first\n2026-01-01 forged\r\x1b[0m\x7f");
    text = logged(fixture);
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpstr(lines[1], ==, "\t2026-01-01 forged\\x0d\\x1b[0m\\x7f");
}

static void test_huge_message_is_cut_between_characters(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *huge = g_malloc(300001);
    g_autofree char *text = NULL;

    /* Euro signs: 65536 is no multiple of their three bytes. */
    for (size_t i = 0; i < 300000; i += 3)
        memcpy(huge + i, "\xe2\x82\xac", 3);
    huge[300000] = '\0';
    LOG_ERROR("%s", huge);
    text = logged(fixture);
    g_assert_cmpuint(strlen(text), <, 66000);
    g_assert_cmpuint(strlen(text), >, 65500);
    g_assert_true(g_utf8_validate(text, -1, NULL));
}

static void test_reopen_follows_rotation(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *old = g_strconcat(fixture->path, ".old", NULL);

    LOG_ERROR("before");
    g_assert_cmpint(g_rename(fixture->path, old), ==, 0);
    g_assert_true(log_reopen(NULL));
    LOG_ERROR("after");
    assert_logged(fixture, "after", true);
    assert_logged(fixture, "before", false);
}

static void test_failed_reopen_keeps_the_old_file(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *old = g_strconcat(fixture->path, ".old", NULL);
    g_autofree char *text = NULL;

    g_assert_cmpint(g_rename(fixture->path, old), ==, 0);
    g_assert_cmpint(g_mkdir(fixture->path, 0700), ==, 0);
    g_assert_false(log_reopen(&error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
    LOG_ERROR("to the old one");
    g_assert_true(g_file_get_contents(old, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "to the old one"));
}

static void test_log_file_is_private(Fixture *fixture, gconstpointer unused)
{
    struct stat status;

    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
}

static void test_full_device_is_survived(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(log_set_outputs("1:file:/dev/full", NULL));
    errno = EXDEV;
    LOG_ERROR("lost");
    g_assert_cmpint(errno, ==, EXDEV);
}

static void test_pipe_that_nobody_reads_does_not_block(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *line = g_strnfill(3000, 'x');
    int reader;

    g_remove(fixture->path);
    g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
    g_assert_false(log_reopen(NULL));
    reader = open(fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    set_outputs("1:file:", fixture->path);
    for (int i = 0; i < 100; i++)
        LOG_ERROR("%s", line);
    close(reader);
}

static void test_stderr_that_nobody_reads_does_not_block(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *line = g_strnfill(3000, 'x');
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_assert_cmpint(dup2(ends[1], STDERR_FILENO), ==, STDERR_FILENO);
    g_assert_true(log_set_outputs("1:stderr", NULL));
    for (int i = 0; i < 100; i++)
        LOG_ERROR("%s", line);
    /* A reader that is gone raises no SIGPIPE either. */
    close(ends[0]);
    LOG_ERROR("%s", line);
    g_assert_cmpint(dup2(saved, STDERR_FILENO), ==, STDERR_FILENO);
    close(saved);
    close(ends[1]);
}

static gpointer log_many(gpointer unused)
{
    for (int i = 0; i < 500; i++)
        LOG_WARN("complete line");
    return NULL;
}

static void test_threads_log_while_settings_change(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GThread *threads[3];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("logger", log_many, NULL);
    for (int i = 0; i < 100; i++) {
        g_assert_true(log_set_filters(i % 2 == 0 ? "1:test" : "", NULL));
        set_outputs("1:file:", fixture->path);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    text = logged(fixture);
    lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3 * 500 + 1);
    for (size_t i = 0; i < 3 * 500; i++)
        g_assert_true(g_str_has_suffix(lines[i], " : complete line"));
}

#define ADD(name)                                                                            \
    g_test_add("/log/" #name, Fixture, NULL, fixture_set_up, test_##name, fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(line_has_the_known_format);
    ADD(levels_have_names);
    ADD(level_decides_without_filters);
    ADD(levels_out_of_range_are_refused);
    ADD(filter_matches_part_of_the_source);
    ADD(first_matching_filter_decides);
    ADD(output_has_its_own_level);
    ADD(arguments_of_unwanted_messages_are_not_evaluated);
    ADD(filters_read_back_as_set);
    ADD(wrong_filters_change_nothing);
    ADD(outputs_read_back_as_set);
    ADD(relative_path_is_made_absolute);
    ADD(no_outputs_mean_the_default);
    ADD(wrong_outputs_change_nothing);
    ADD(file_that_cannot_be_opened_changes_nothing);
    ADD(no_message_can_pass_for_two);
    ADD(huge_message_is_cut_between_characters);
    ADD(reopen_follows_rotation);
    ADD(failed_reopen_keeps_the_old_file);
    ADD(log_file_is_private);
    ADD(full_device_is_survived);
    ADD(pipe_that_nobody_reads_does_not_block);
    ADD(stderr_that_nobody_reads_does_not_block);
    ADD(threads_log_while_settings_change);
    return g_test_run();
}
