/* The daemons' command line. */
#include <string.h>

#include "base/error.h"
#include "common/options.h"

static const OptionsSpec qemu = { "virtqemud", "Runs guests.", false };
static const OptionsSpec proxy = { "virtproxyd", "Forwards calls.", true };

/* Parses @line, words separated by single blanks, as @spec's command line. */
static Options *parse(const OptionsSpec *spec, const char *line, GError **error)
{
    g_autofree char *command = g_strconcat(spec->name, *line ? " " : "", line, NULL);
    g_auto(GStrv) words = g_strsplit(command, " ", -1);
    /* getopt moves the words about, and could lose none but would confuse g_strfreev. */
    g_autofree char **argv = g_memdup2(words, sizeof(char *) * (g_strv_length(words) + 1));

    return options_parse(spec, (int) g_strv_length(words), argv, error);
}

static void assert_refused(const OptionsSpec *spec, const char *line, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Options) options = parse(spec, line, &error);

    g_assert_null(options);
    g_assert_error(error, error_quark(VIR_FROM_CONF), VIR_ERR_INVALID_ARG);
    g_assert_cmpstr(error_detail(error), ==, expected);
}

static char *printed(void (*print)(const OptionsSpec *, FILE *), const OptionsSpec *spec)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    print(spec, out);
    g_assert_cmpint(fclose(out), ==, 0);
    return text;
}

static void test_no_options_leave_all_unset(void)
{
    g_autoptr(Options) options = parse(&qemu, "", NULL);

    g_assert_nonnull(options);
    g_assert_false(options->daemonize || options->verbose || options->listen);
    g_assert_false(options->check_config || options->has_timeout);
    g_assert_null(options->config_path);
    g_assert_null(options->pid_path);
    g_assert_null(options->root);
}

static void test_short_options(void)
{
    g_autoptr(Options) options = parse(&proxy, "-dvl -f /a.conf -p /a.pid -t 120", NULL);

    g_assert_nonnull(options);
    g_assert_true(options->daemonize && options->verbose && options->listen);
    g_assert_cmpstr(options->config_path, ==, "/a.conf");
    g_assert_cmpstr(options->pid_path, ==, "/a.pid");
    g_assert_true(options->has_timeout);
    g_assert_cmpuint(options->timeout_s, ==, 120);
}

static void test_long_options(void)
{
    g_autoptr(Options) options =
        parse(&proxy, "--daemon --verbose --listen --config=/a.conf --pid-file /a.pid "
                      "--timeout 0 --root /r/ --check-config", NULL);

    g_assert_nonnull(options);
    g_assert_true(options->daemonize && options->verbose && options->listen);
    g_assert_true(options->check_config);
    g_assert_cmpstr(options->config_path, ==, "/a.conf");
    g_assert_cmpstr(options->pid_path, ==, "/a.pid");
    g_assert_cmpstr(options->root, ==, "/r");
    g_assert_true(options->has_timeout);
    g_assert_cmpuint(options->timeout_s, ==, 0);
}

static void test_ready_fd_is_a_number(void)
{
    g_autoptr(Options) options = parse(&qemu, "--ready-fd 7", NULL);

    g_assert_nonnull(options);
    g_assert_true(options->has_ready_fd);
    g_assert_cmpint(options->ready_fd, ==, 7);
    assert_refused(&qemu, "--ready-fd x",
                   "option --ready-fd: 'x' is no descriptor's number from 1 on");
    assert_refused(&qemu, "--ready-fd 0",
                   "option --ready-fd: '0' is no descriptor's number from 1 on");
}

static void test_relative_paths_become_absolute(void)
{
    g_autofree char *folder = g_get_current_dir();
    g_autofree char *expected = g_build_filename(folder, "b.conf", NULL);
    g_autoptr(Options) options = parse(&qemu, "-f a/../b.conf", NULL);

    g_assert_nonnull(options);
    g_assert_cmpstr(options->config_path, ==, expected);
}

static void test_last_of_repeated_options_counts(void)
{
    g_autoptr(Options) options = parse(&qemu, "-f /a -f /b -t 1 -t 2", NULL);

    g_assert_nonnull(options);
    g_assert_cmpstr(options->config_path, ==, "/b");
    g_assert_cmpuint(options->timeout_s, ==, 2);
}

static void test_help_and_version_end_the_line(void)
{
    g_autoptr(Options) help = parse(&qemu, "-h --nonsense", NULL);
    g_autoptr(Options) version = parse(&qemu, "--version nonsense", NULL);
    g_autoptr(Options) capital = parse(&qemu, "-V", NULL);

    g_assert_nonnull(help);
    g_assert_true(help->show_help);
    g_assert_nonnull(version);
    g_assert_true(version->show_version);
    g_assert_nonnull(capital);
    g_assert_true(capital->show_version);
}

static void test_unknown_options_are_refused(void)
{
    assert_refused(&qemu, "--foo", "option --foo is unknown or cannot be used so; see --help");
    assert_refused(&qemu, "-x", "option -x is unknown or cannot be used so; see --help");
    assert_refused(&qemu, "-dx", "option -x is unknown or cannot be used so; see --help");
    assert_refused(&qemu, "--daemon=yes",
                   "option --daemon=yes is unknown or cannot be used so; see --help");
}

static void test_listen_is_for_virtproxyd_alone(void)
{
    assert_refused(&qemu, "-l", "option -l is unknown or cannot be used so; see --help");
    assert_refused(&qemu, "--listen",
                   "option --listen is unknown or cannot be used so; see --help");
}

static void test_missing_arguments_are_refused(void)
{
    assert_refused(&qemu, "-f", "option -f needs an argument; see --help");
    assert_refused(&qemu, "--root", "option --root needs an argument; see --help");
    assert_refused(&qemu, "--config=", "option --config: the path is empty");
}

static void test_bad_timeouts_are_refused(void)
{
    assert_refused(&qemu, "-t abc",
                   "option --timeout: 'abc' is no number of seconds from 0 to 2147483647");
    assert_refused(&qemu, "--timeout=-1",
                   "option --timeout: '-1' is no number of seconds from 0 to 2147483647");
    assert_refused(&qemu, "-t 2147483648",
                   "option --timeout: '2147483648' is no number of seconds from 0 to 2147483647");
}

static void test_stray_arguments_are_refused(void)
{
    assert_refused(&qemu, "-v start", "unexpected argument 'start'; see --help");
}

static void test_version_has_the_form_that_scripts_read(void)
{
    g_autofree char *text = printed(options_print_version, &qemu);

    g_assert_true(g_regex_match_simple("^virtqemud \\(splitvirt-[0-9]+\\.[0-9]+\\.[0-9]+\\) "
                                       "11\\.3\\.0\n$", text, 0, 0));
}

static void test_help_names_every_option(void)
{
    static const char *const names[] = { "--config FILE", "--check-config", "--daemon",
                                         "--pid-file FILE", "--root DIR", "--timeout SECONDS",
                                         "--verbose", "--version", "--help" };
    g_autofree char *text = printed(options_print_help, &qemu);
    g_autofree char *proxy_text = printed(options_print_help, &proxy);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_nonnull(strstr(text, names[i]));
    }
    g_assert_null(strstr(text, "--listen"));
    g_assert_nonnull(strstr(proxy_text, "--listen"));
}

static void test_command_line_can_be_said_again(void)
{
    g_autofree char *folder = g_get_current_dir();
    g_autofree char *expected =
        g_strdup_printf("virtproxyd --config %s/a.conf --daemon --listen --pid-file /a.pid "
                        "--ready-fd 7 --root %s/r --timeout 0 --verbose", folder, folder);
    g_autoptr(Options) options =
        parse(&proxy, "-dvl -f a.conf -p /a.pid -t 0 --root r --ready-fd 7", NULL);
    g_auto(GStrv) argv = options_to_argv(options, "virtproxyd");
    g_autofree char *line = g_strjoinv(" ", argv);
    g_autoptr(Options) none = parse(&proxy, "", NULL);
    g_auto(GStrv) short_argv = options_to_argv(none, "./virtproxyd");

    g_assert_cmpstr(line, ==, expected);
    g_assert_cmpuint(g_strv_length(short_argv), ==, 1);
    g_assert_cmpstr(short_argv[0], ==, "./virtproxyd");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/options/" #name, test_##name)
    ADD(no_options_leave_all_unset);
    ADD(short_options);
    ADD(long_options);
    ADD(ready_fd_is_a_number);
    ADD(relative_paths_become_absolute);
    ADD(last_of_repeated_options_counts);
    ADD(help_and_version_end_the_line);
    ADD(unknown_options_are_refused);
    ADD(listen_is_for_virtproxyd_alone);
    ADD(missing_arguments_are_refused);
    ADD(bad_timeouts_are_refused);
    ADD(stray_arguments_are_refused);
    ADD(version_has_the_form_that_scripts_read);
    ADD(help_names_every_option);
    ADD(command_line_can_be_said_again);
    return g_test_run();
}
