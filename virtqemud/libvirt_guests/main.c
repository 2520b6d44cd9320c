/* libvirt-guests: shuts guests down with the host and starts them again, as a service of systemd
 * or of an init script, or by hand (libvirt-guests(8)). The policy of virtqemud itself does the
 * same without it (qemu.conf, auto_shutdown_*). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "virtqemud/libvirt_guests/actions.h"

/* LSB: of "status" when the service is stopped, and of a command that there is not. */
#define EXIT_STOPPED 3
#define EXIT_USAGE 2

typedef struct Run {
    GuestsService service;
    const char *command;
    int status;
} Run;

static int to_status(bool is_good)
{
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_start(GuestsService *service)
{
    return to_status(guests_action_start(service));
}

static int run_stop(GuestsService *service)
{
    return to_status(guests_action_stop(service, true));
}

/* By hand, while the host stays: nothing is started again. */
static int run_shutdown(GuestsService *service)
{
    return to_status(guests_action_stop(service, false));
}

static int run_restart(GuestsService *service)
{
    bool is_stopped = guests_action_stop(service, true);

    return to_status(guests_action_start(service) && is_stopped);
}

static int run_restart_if_started(GuestsService *service)
{
    return guests_is_started(service) ? run_restart(service) : EXIT_SUCCESS;
}

/* The settings are read by each command. */
static int run_reload(GuestsService *service)
{
    return EXIT_SUCCESS;
}

static int run_status(GuestsService *service)
{
    bool is_started = guests_is_started(service);

    printf("%s\n", is_started ? "started" : "stopped");
    return is_started ? EXIT_SUCCESS : EXIT_STOPPED;
}

static int run_gueststatus(GuestsService *service)
{
    return to_status(guests_action_gueststatus(service));
}

static const struct {
    const char *name;
    int (*run)(GuestsService *service);
} commands[] = {
    { "start", run_start },
    { "stop", run_stop },
    { "restart", run_restart },
    { "condrestart", run_restart_if_started },
    { "try-restart", run_restart_if_started },
    { "reload", run_reload },
    { "force-reload", run_reload },
    { "status", run_status },
    { "gueststatus", run_gueststatus },
    { "shutdown", run_shutdown },
};

static void run_fiber(void *data)
{
    Run *run = data;

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, run->command) == 0)
            run->status = commands[i].run(&run->service);
    }
    fiber_loop_quit(run->service.loop, run->status);
}

static void usage(FILE *out, const char *program)
{
    fprintf(out, "Usage: %s [--config FILE] [--root DIR] COMMAND\n\nCommands:", program);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(out, " %s", commands[i].name);
    fprintf(out, "\n");
}

static bool has_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return true;
    }
    return false;
}

/* @config NULL: the usual one. */
static bool prepare(GuestsService *service, const char *root, const char *config, GError **error)
{
    g_autofree char *usual = NULL;

    service->paths = paths_new(true, root, error);
    if (!service->paths)
        return false;
    usual = g_strconcat(service->paths->root ? service->paths->root : "",
                        "/etc/default/libvirt-guests", NULL);
    service->settings = guests_settings_read(config ? config : usual, error);
    if (!service->settings)
        return false;
    for (guint i = 0; i < service->settings->notices->len; i++)
        fprintf(stderr, "%s\n", (const char *)service->settings->notices->pdata[i]);
    service->loop = fiber_loop_new(error);
    service->pool = service->loop ? channel_pool_new(service->loop, error) : NULL;
    return service->pool != NULL;
}

static void clear(GuestsService *service)
{
    channel_pool_free(service->pool);
    fiber_loop_free(service->loop);
    guests_settings_free(service->settings);
    paths_free(service->paths);
}

static int run_command(const char *command, const char *root, const char *config)
{
    Run run = { .command = command, .status = EXIT_FAILURE };
    g_autoptr(GError) error = NULL;
    int code;

    if (!prepare(&run.service, root, config, &error) ||
        !fiber_spawn(run.service.loop, "command", run_fiber, &run, NULL, &error) ||
        !fiber_loop_run(run.service.loop, &code, &error))
        fprintf(stderr, "libvirt-guests: %s\n", error->message);
    clear(&run.service);
    return run.status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "root", required_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *root = NULL, *config = NULL;
    int option;

    setlinebuf(stdout);
    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 'r':
            root = optarg;
            break;
        case 'h':
            usage(stdout, argv[0]);
            return EXIT_SUCCESS;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind != argc - 1 || !has_command(argv[optind])) {
        usage(stderr, argv[0]);
        return EXIT_USAGE;
    }
    return run_command(argv[optind], root, config);
}
