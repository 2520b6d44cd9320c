/* splitvirt: looks at the suite from outside. The commands are a table; each reads its own words
 * and returns the program's exit status. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common/options.h"
#include "common/splitvirt/diagnose.h"
#include "common/splitvirt/status.h"

#define EXIT_USAGE 2
#define EXIT_CANNOT_TELL 3

/* What a command runs with, in a fiber. */
typedef struct Job {
    FiberLoop *loop;
    Paths *paths;
    bool is_json, is_read_only;
    const char *uri;
    int status;
} Job;

typedef struct Command {
    const char *name, *usage, *help;
    void (*run)(Job *job);
    bool takes_uri;
} Command;

static void fail(Job *job, GError *error)
{
    fprintf(stderr, "splitvirt: %s\n", error_detail(error));
    g_error_free(error);
    job->status = EXIT_USAGE;
}

SUSPENDS static void run_status(Job *job)
{
    GError *error = NULL;
    g_autoptr(SuiteStatus) status = suite_status_read(job->loop, job->paths, &error);

    if (!status) {
        fail(job, error);
        return;
    }
    if (job->is_json)
        suite_status_print_json(status, stdout);
    else
        suite_status_print(status, stdout);
    job->status = suite_status_is_fine(status) ? EXIT_SUCCESS : EXIT_FAILURE;
}

SUSPENDS static void run_diagnose(Job *job)
{
    GError *error = NULL;
    g_autoptr(Diagnosis) diagnosis =
        diagnosis_make(job->loop, job->paths, job->uri, job->is_read_only, &error);

    if (!diagnosis) {
        fail(job, error);
        return;
    }
    diagnosis_print(diagnosis, stdout);
    job->status = diagnosis->finding == FINDING_NOT_LOCAL ? EXIT_CANNOT_TELL
                  : diagnosis_is_good(diagnosis)          ? EXIT_SUCCESS
                                                          : EXIT_FAILURE;
}

static const Command commands[] = {
    { "status", "status [--json] [--root DIR | --session]",
      "say of each daemon whether it runs, and if not, why", run_status, false },
    { "diagnose", "diagnose [--readonly] [--root DIR] URI",
      "say why a connection to URI fails, and what to do", run_diagnose, true },
};

static void print_help(FILE *out)
{
    fputs("Usage:\n", out);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(out, "  splitvirt %s\n      %s\n", commands[i].usage, commands[i].help);
    fputs("\nOptions:\n"
          "      --json         status as JSON, see splitvirt(1)\n"
          "      --readonly     diagnose a connection that may only read\n"
          "      --root DIR     the suite that keeps all files below DIR\n"
          "      --session      the daemons of this user\n"
          "  -V, --version      print the version, and exit\n"
          "  -h, --help         print this text, and exit\n"
          "\nThe manual page splitvirt(1) says more.\n",
          out);
}

static const Command *find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void run_in_fiber(void *data)
{
    void **both = data;
    const Command *command = both[0];
    Job *job = both[1];

    command->run(job);
    fiber_loop_quit(job->loop, EXIT_SUCCESS);
}

static int run(const Command *command, Job *job, const char *root, bool is_session)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FiberLoop) loop = NULL;
    void *both[] = { (void *)command, job };

    job->paths = paths_new(!is_session, root, &error);
    if (job->paths)
        loop = fiber_loop_new(&error);
    job->loop = loop;
    job->status = EXIT_USAGE;
    if (loop && fiber_spawn(loop, command->name, run_in_fiber, both, NULL, &error))
        fiber_loop_run(loop, NULL, &error);
    if (error)
        fprintf(stderr, "splitvirt: %s\n", error_detail(error));
    g_clear_pointer(&job->paths, paths_free);
    return job->status;
}

static int fail_usage(const char *what, const char *word)
{
    fprintf(stderr, "splitvirt: %s%s; see --help\n", what, word);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    enum { JSON = 256, READ_ONLY, ROOT, SESSION };
    static const struct option options[] = {
        { "json", no_argument, NULL, JSON },
        { "readonly", no_argument, NULL, READ_ONLY },
        { "root", required_argument, NULL, ROOT },
        { "session", no_argument, NULL, SESSION },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    Job job = { 0 };
    const char *root = NULL;
    bool is_session = false;
    int option;

    while ((option = getopt_long(argc, argv, "Vh", options, NULL)) != -1) {
        switch (option) {
        case JSON:
            job.is_json = true;
            break;
        case READ_ONLY:
            job.is_read_only = true;
            break;
        case ROOT:
            root = optarg;
            break;
        case SESSION:
            is_session = true;
            break;
        case 'V':
            options_print_version(&(OptionsSpec){ .name = "splitvirt" }, stdout);
            return EXIT_SUCCESS;
        case 'h':
            print_help(stdout);
            return EXIT_SUCCESS;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind >= argc)
        return fail_usage("a command is missing: status or diagnose", "");
    const Command *command = find_command(argv[optind]);
    if (!command)
        return fail_usage("no such command: ", argv[optind]);
    if (command->takes_uri && optind + 1 < argc)
        job.uri = argv[++optind];
    if (optind + 1 < argc)
        return fail_usage("unexpected argument: ", argv[optind + 1]);
    if (root && is_session)
        return fail_usage("--root and --session exclude each other", "");
    return run(command, &job, root, is_session);
}
