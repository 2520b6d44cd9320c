/* The command line. Options are those that the manual pages of existing daemons have, so that
 * units and scripts keep working, and a few of our own with long names only. */
#include "common/options.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"

/* The level of libvirt's protocol and XML; what existing scripts read off --version. */
#define PROTOCOL_LEVEL "11.3.0"

enum {
    OPTION_ROOT = 256,
    OPTION_CHECK_CONFIG,
    OPTION_READY_FD,
    OPTION_ROTATE_KEY,
};

/* One option: getopt's view of it, and the reader's. */
typedef struct OptionHelp {
    struct option option;
    const char *argument;
    const char *text;
} OptionHelp;

/* The one list of options: for getopt, and in the order of the help text. */
static const OptionHelp option_table[] = {
    { { "config", required_argument, NULL, 'f' }, "FILE", "read this configuration file" },
    { { "check-config", no_argument, NULL, OPTION_CHECK_CONFIG }, NULL,
      "report what is wrong with the configuration, and exit" },
    { { "daemon", no_argument, NULL, 'd' }, NULL, "run in the background and write a PID file" },
    { { "listen", no_argument, NULL, 'l' }, NULL, "listen for TLS unless listen_tls is 0" },
    { { "pid-file", required_argument, NULL, 'p' }, "FILE", "write the PID file here" },
    { { "ready-fd", required_argument, NULL, OPTION_READY_FD }, "N",
      "write READY=1 to descriptor N when the sockets answer" },
    { { "root", required_argument, NULL, OPTION_ROOT }, "DIR", "keep all files below DIR" },
    { { "rotate-key", no_argument, NULL, OPTION_ROTATE_KEY }, NULL,
      "encrypt all values with a new key, and exit" },
    { { "timeout", required_argument, NULL, 't' }, "SECONDS",
      "exit after this time without clients or work; 0 for never" },
    { { "verbose", no_argument, NULL, 'v' }, NULL, "log informational messages too" },
    { { "version", no_argument, NULL, 'V' }, NULL, "print the version, and exit" },
    { { "help", no_argument, NULL, 'h' }, NULL, "print this text, and exit" },
};

static bool option_exists(const OptionsSpec *spec, const struct option *option)
{
    return (option->val != 'l' || spec->has_listen) &&
           (option->val != OPTION_ROTATE_KEY || spec->has_rotate_key);
}

/* getopt's form of the options that @spec has. */
static void tables_make(const OptionsSpec *spec, struct option *longs, char *shorts)
{
    /* The colon: a missing argument is told apart from an unknown option. */
    *shorts++ = ':';
    for (size_t i = 0; i < G_N_ELEMENTS(option_table); i++) {
        const struct option *option = &option_table[i].option;

        if (!option_exists(spec, option)) {
            continue;
        }
        *longs++ = *option;
        if (option->val < 256) {
            *shorts++ = (char) option->val;
            if (option->has_arg == required_argument) {
                *shorts++ = ':';
            }
        }
    }
    *longs = (struct option){ 0 };
    *shorts = '\0';
}

/* Sets the path that an option names, made absolute. */
static bool path_set(char **path, const char *option, const char *argument, GError **error)
{
    if (!*argument) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG, "option %s: the path is empty",
                  option);
        return false;
    }
    g_free(*path);
    *path = g_canonicalize_filename(argument, NULL);
    return true;
}

/* Existing units say --timeout 0 for "never". */
static bool timeout_set(Options *options, const char *argument, GError **error)
{
    guint64 seconds;

    if (!g_ascii_string_to_unsigned(argument, 10, 0, INT_MAX, &seconds, NULL)) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG,
                  "option --timeout: '%s' is no number of seconds from 0 to %d", argument,
                  INT_MAX);
        return false;
    }
    options->has_timeout = true;
    options->timeout_s = (unsigned int) seconds;
    return true;
}

/* Whether it is open is for the daemon to see, which owns the descriptors. */
static bool ready_fd_set(Options *options, const char *argument, GError **error)
{
    guint64 fd;

    if (!g_ascii_string_to_unsigned(argument, 10, 1, INT_MAX, &fd, NULL)) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG,
                  "option --ready-fd: '%s' is no descriptor's number from 1 on", argument);
        return false;
    }
    options->has_ready_fd = true;
    options->ready_fd = (int) fd;
    return true;
}

/* One option that getopt has recognised; @value is its letter or OPTION_*. */
static bool option_apply(Options *options, int value, const char *argument, GError **error)
{
    switch (value) {
    case 'd':
        options->daemonize = true;
        return true;
    case 'v':
        options->verbose = true;
        return true;
    case 'V':
        options->show_version = true;
        return true;
    case 'h':
        options->show_help = true;
        return true;
    case 'l':
        options->listen = true;
        return true;
    case OPTION_CHECK_CONFIG:
        options->check_config = true;
        return true;
    case OPTION_ROTATE_KEY:
        options->rotate_key = true;
        return true;
    case 'f':
        return path_set(&options->config_path, "--config", argument, error);
    case 'p':
        return path_set(&options->pid_path, "--pid-file", argument, error);
    case OPTION_READY_FD:
        return ready_fd_set(options, argument, error);
    case OPTION_ROOT:
        return path_set(&options->root, "--root", argument, error);
    default:
        return timeout_set(options, argument, error);
    }
}

/* Says what getopt found wrong with the argument that it has just looked at. */
static void fail_getopt(int result, char **argv, GError **error)
{
    const char *what = result == ':' ? "needs an argument" : "is unknown or cannot be used so";

    /* optopt is the letter; for a long option getopt has passed its word. */
    if (optopt > 0 && optopt < 256 && strncmp(argv[optind - 1], "--", 2) != 0) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG, "option -%c %s; see --help", optopt,
                  what);
        return;
    }
    error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG, "option %s %s; see --help",
              argv[optind - 1], what);
}

/* Help and version win over mistakes that stand behind them. */
Options *options_parse(const OptionsSpec *spec, int argc, char **argv, GError **error)
{
    g_autoptr(Options) options = g_new0(Options, 1);
    struct option longs[G_N_ELEMENTS(option_table) + 1];
    char shorts[2 * G_N_ELEMENTS(option_table) + 2];
    int result;

    tables_make(spec, longs, shorts);
    opterr = 0;
    optind = 0; /* from the start, also when this is not the first command line */
    while ((result = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (result == '?' || result == ':') {
            fail_getopt(result, argv, error);
            return NULL;
        }
        if (!option_apply(options, result, optarg, error)) {
            return NULL;
        }
        if (options->show_help || options->show_version) {
            return g_steal_pointer(&options);
        }
    }
    if (optind < argc) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG,
                  "unexpected argument '%s'; see --help", argv[optind]);
        return NULL;
    }
    return g_steal_pointer(&options);
}

static void argv_add(GPtrArray *argv, const char *option, const char *argument)
{
    if (!argument)
        return;
    g_ptr_array_add(argv, g_strdup(option));
    g_ptr_array_add(argv, g_strdup(argument));
}

static void argv_add_number(GPtrArray *argv, const char *option, bool is_given, int number)
{
    g_autofree char *argument = is_given ? g_strdup_printf("%d", number) : NULL;

    argv_add(argv, option, argument);
}

static void argv_add_flag(GPtrArray *argv, const char *option, bool is_given)
{
    if (is_given)
        g_ptr_array_add(argv, g_strdup(option));
}

char **options_to_argv(const Options *options, const char *program)
{
    GPtrArray *argv = g_ptr_array_new();

    g_ptr_array_add(argv, g_strdup(program));
    argv_add(argv, "--config", options->config_path);
    argv_add_flag(argv, "--daemon", options->daemonize);
    argv_add_flag(argv, "--listen", options->listen);
    argv_add(argv, "--pid-file", options->pid_path);
    argv_add_number(argv, "--ready-fd", options->has_ready_fd, options->ready_fd);
    argv_add(argv, "--root", options->root);
    argv_add_number(argv, "--timeout", options->has_timeout, (int) options->timeout_s);
    argv_add_flag(argv, "--verbose", options->verbose);
    g_ptr_array_add(argv, NULL);
    return (char **) g_ptr_array_free(argv, FALSE);
}

void options_free(Options *options)
{
    if (!options) {
        return;
    }
    g_free(options->config_path);
    g_free(options->pid_path);
    g_free(options->root);
    g_free(options);
}

void options_print_help(const OptionsSpec *spec, FILE *out)
{
    fprintf(out, "Usage: %s [OPTION]...\n\n%s\n\n", spec->name, spec->summary);
    for (size_t i = 0; i < G_N_ELEMENTS(option_table); i++) {
        const OptionHelp *help = &option_table[i];
        g_autofree char *left = NULL;

        if (!option_exists(spec, &help->option)) {
            continue;
        }
        left = g_strdup_printf("--%s%s%s", help->option.name, help->argument ? " " : "",
                               help->argument ? help->argument : "");
        if (help->option.val < 256) {
            fprintf(out, "  -%c, %-18s %s\n", help->option.val, left, help->text);
        } else {
            fprintf(out, "      %-18s %s\n", left, help->text);
        }
    }
    fprintf(out, "\nThe manual page %s(8) says more.\n", spec->name);
}

/* Tools take the last word for the version of the protocol. */
void options_print_version(const OptionsSpec *spec, FILE *out)
{
    fprintf(out, "%s (splitvirt-%s) %s\n", spec->name, SPLITVIRT_VERSION, PROTOCOL_LEVEL);
}
