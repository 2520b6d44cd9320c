/* The log of a guest: what stands in it, and what is read back for messages. */
#include "virtqemud/guest/log_file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define LONG_LINE 5000

typedef struct LogCase {
    char *folder;
    Paths *paths;
    LogFile *log;
} LogCase;

static void case_init(LogCase *test)
{
    g_autoptr(GError) error = NULL;

    *test = (LogCase){ .folder = g_dir_make_tmp("log-file-XXXXXX", &error) };
    g_assert_no_error(error);
    test->paths = paths_new(true, test->folder, &error);
    g_assert_no_error(error);
    test->log = log_file_open(test->paths, "g1", &error);
    g_assert_no_error(error);
}

static void case_clear(LogCase *test)
{
    g_autofree char *remove = g_strdup_printf("rm -rf %s", test->folder);

    g_assert_cmpint(system(remove), ==, 0);
    log_file_free(test->log);
    paths_free(test->paths);
    g_free(test->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LogCase, case_clear)

static char *case_read(const LogCase *test)
{
    g_autofree char *path = log_file_path(test->paths, "g1", NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* As QEMU does. */
static void case_say(const LogCase *test, const char *text)
{
    g_assert_cmpint(write(log_file_get_fd(test->log), text, strlen(text)), ==,
                    (ssize_t)strlen(text));
}

static void assert_last_words(const LogCase *test, size_t max_bytes, const char *expected)
{
    g_autofree char *words = log_file_last_words(test->log, max_bytes);

    g_assert_cmpstr(words, ==, expected);
}

static void test_file_is_private_and_where_logs_are(void)
{
    g_auto(LogCase) test;
    g_autofree char *path = NULL;
    struct stat info;

    case_init(&test);
    path = g_build_filename(test.folder, "var/log/libvirt/qemu/g1.log", NULL);
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
}

static void test_names_that_leave_the_folder_are_refused(void)
{
    static const char *const names[] = { "", ".", "..", "../x", "a/b" };
    g_auto(LogCase) test;

    case_init(&test);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(log_file_open(test.paths, names[i], &error));
        g_assert_cmpint(error->code, ==, VIR_ERR_INVALID_ARG);
    }
}

static void test_start_has_versions_and_a_command_for_a_shell(void)
{
    const LogFileStart start = {
        .emulator_version = "7.2.22",
        .hostname = "host1",
        .envp = (const char *const[]){ "LC_ALL=C", "HOME=/a b", "EMPTY=", NULL },
        .argv = (const char *const[]){ "/usr/bin/qemu", "-S", "-device", "{\"a\":\"it's\"}", "-m",
                                       "64", "-x", "", NULL },
    };
    g_auto(LogCase) test;
    g_autofree char *text = NULL;

    case_init(&test);
    g_assert_true(log_file_write_start(test.log, &start, NULL));
    text = case_read(&test);
    g_assert_true(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\+0000: "
                                       "starting up libvirt version: 11\\.3\\.0, package: "
                                       "splitvirt [0-9.]+, qemu version: 7\\.2\\.22, "
                                       "kernel: [^,]+, hostname: host1\n", text, 0, 0));
    g_assert_cmpstr(strchr(text, '\n') + 1, ==,
                    "LC_ALL=C \\\nHOME='/a b' \\\nEMPTY= \\\n/usr/bin/qemu \\\n-S \\\n"
                    "-device '{\"a\":\"it'\\''s\"}' \\\n-m 64 \\\n-x ''\n");
}

static void test_what_was_there_is_kept(void)
{
    g_auto(LogCase) test;
    g_autoptr(LogFile) again = NULL;
    g_autofree char *text = NULL;

    case_init(&test);
    case_say(&test, "first\n");
    again = log_file_open(test.paths, "g1", NULL);
    g_assert_true(log_file_write_end(again, "destroyed", NULL));
    case_say(&test, "last\n");
    text = case_read(&test);
    g_assert_true(g_regex_match_simple("^first\n[-0-9]+ [:.0-9]+\\+0000: shutting down, "
                                       "reason=destroyed\nlast\n$", text, 0, 0));
}

static void test_last_words_are_those_since_the_start(void)
{
    g_auto(LogCase) test;

    case_init(&test);
    case_say(&test, "of an earlier run\n");
    g_assert_true(log_file_mark(test.log, NULL));
    assert_last_words(&test, 1000, "");
    g_assert_true(log_file_write_line(test.log, NULL, "Domain is tainted"));
    case_say(&test, "one\r\n\n2026-11-20T21:57:13.380383Z qemu: two\n\n");
    g_assert_true(log_file_write_end(test.log, "failed", NULL));
    assert_last_words(&test, 1000, "one\n2026-11-20T21:57:13.380383Z qemu: two");
    g_assert_cmpint(ftruncate(log_file_get_fd(test.log), 0), ==, 0);
    assert_last_words(&test, 1000, "");
}

static void test_last_words_are_clean_text(void)
{
    g_auto(LogCase) test;
    static const char raw[] = "a\0b\x1b[31m\t\xff" "c\n";

    case_init(&test);
    g_assert_cmpint(write(log_file_get_fd(test.log), raw, sizeof(raw) - 1), ==, sizeof(raw) - 1);
    assert_last_words(&test, 1000, "a b [31m \xef\xbf\xbd" "c");
}

static void test_last_words_are_bounded(void)
{
    g_auto(LogCase) test;
    g_autofree char *line = g_strnfill(LONG_LINE, 'x');
    g_autofree char *cut = g_strnfill(100, 'x');

    case_init(&test);
    for (int i = 0; i < 100; i++) {
        case_say(&test, line);
        case_say(&test, "\n");
    }
    assert_last_words(&test, 100, cut);
    case_say(&test, "the end\n");
    assert_last_words(&test, 100, "the end");
    /* Not within a character. */
    assert_last_words(&test, 3, "the");
    case_say(&test, "\xc3\xa4\xc3\xb6\n");
    assert_last_words(&test, 3, "\xc3\xa4");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/log_file/" #name, test_##name)
    TEST(file_is_private_and_where_logs_are);
    TEST(names_that_leave_the_folder_are_refused);
    TEST(start_has_versions_and_a_command_for_a_shell);
    TEST(what_was_there_is_kept);
    TEST(last_words_are_those_since_the_start);
    TEST(last_words_are_clean_text);
    TEST(last_words_are_bounded);
    return g_test_run();
}
