/* The life cycle of every daemon: options, configuration, sockets, the driver's start, the
 * loop, and taking everything apart again in the opposite order. main() of a daemon is a call
 * of daemon_main() with its spec; nothing in here knows which daemon it is. */
#include "common/main.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/plural.h"
#include "base/resident.h"
#include "common/admin.h"
#include "common/auth.h"
#include "common/connect.h"
#include "common/daemon_private.h"
#include "common/daemon_tls.h"
#include "common/events.h"
#include "common/hostname.h"
#include "wire/qemu.h"

#include "base/log.h"

LOG_INIT("daemon");

/* When what only the start needed has been used for the last time. */
#define SETTLED_US G_USEC_PER_SEC

/* How long calls in flight have at the end before they are cancelled. */
#define STOP_PATIENCE_US (20 * G_USEC_PER_SEC)
#define STOP_POLL_US (20 * 1000)
/* How long clients have to take the answers to the last of them. */
#define STOP_DELIVERY_US G_USEC_PER_SEC
#define STOP_ACCURACY_US 1000 /* or it is a quarter of a second */

/* Whether this is the host's daemon: root's, one with a root folder of its own, or one
 * that was given sockets in the system's run folder (the proxy runs without privileges). */
static bool daemon_decide_system(const Daemon *daemon)
{
    if (geteuid() == 0)
        return true;
    for (guint i = 0; daemon->activated && i < daemon->activated->len; i++) {
        const NetActivatedFd *activated = g_ptr_array_index(daemon->activated, i);

        if (activated->address && g_str_has_prefix(activated->address, "/run/libvirt/"))
            return true;
    }
    return false;
}

static ConfigContext daemon_config_context(const Daemon *daemon)
{
    return (ConfigContext){
        .daemon = daemon->spec->config,
        .paths = daemon->paths,
        .is_socket_activated = daemon_is_activated(daemon),
        .is_listening = daemon->options->listen,
        .knows_polkit = auth_polkit_is_known(),
        .has_polkit = auth_polkit_is_there(),
    };
}

/* The command line comes before the file. Without either the daemon stays for ever. */
static bool daemon_load(Daemon *daemon, GError **error)
{
    ConfigContext context = daemon_config_context(daemon);

    daemon->config = config_load(&context, daemon->options->config_path, error);
    if (!daemon->config)
        return false;
    if (daemon->options->has_timeout)
        daemon->timeout_us = daemon->options->timeout_s * (uint64_t)G_USEC_PER_SEC;
    else if (daemon->config->has_timeout)
        daemon->timeout_us = daemon->config->timeout_s * (uint64_t)G_USEC_PER_SEC;
    return true;
}

/* Where everything is depends on whose daemon this is, and that on the sockets that were
 * handed over: they come first. */
static bool daemon_prepare(Daemon *daemon, GError **error)
{
    if (!daemon_receive_fds(daemon, error))
        return false;
    daemon->paths = paths_new(daemon_decide_system(daemon), daemon->options->root, error);
    if (!daemon->paths)
        return false;
    /* Under a root it is the host's in a small world, whoever has started it. */
    daemon->is_system = !daemon->paths->is_session;
    if (daemon->spec->uri_scheme)
        daemon->uri = g_strdup_printf("%s:///%s", daemon->spec->uri_scheme,
                                      daemon->is_system ? "system" : "session");
    return true;
}

/* Clients are descriptors: take what the system allows us. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The signals that the loop handles must be blocked before any thread starts. */
static void block_signals(const Daemon *daemon)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGUSR2);
    if (daemon->spec->keeps_descriptors)
        sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Goes to the background; the parent ends when the child says that its sockets answer.
 * Sets @ret_ready_fd in the child, to be written to and closed then. */
static bool daemonize(int *ret_ready_fd, GError **error)
{
    int fds[2];
    pid_t pid;
    char byte;

    if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "Cannot go to the background");
        return false;
    }
    if (pid > 0) {
        close(fds[1]);
        _exit(read(fds[0], &byte, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(fds[0]);
    setsid();
    if (chdir("/") < 0)
        LOG_DEBUG("cannot change to /: %s", g_strerror(errno));
    *ret_ready_fd = fds[1];
    return true;
}

static void daemon_ready(Daemon *daemon, int ready_fd)
{
    int null;

    notifier_say(daemon->notifier, "READY=1");
    daemon_announce_ready_fd(daemon);
    if (ready_fd < 0)
        return;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        close(null);
    }
    if (write(ready_fd, "", 1) != 1)
        LOG_DEBUG("nobody waits for our start");
    close(ready_fd);
}

/* Runs beside the first clients. A driver that fails to start does not end the daemon: its
 * error is the answer to every call that needs the driver, which an operator can read, and the
 * admin interface still works. */
static void daemon_run_start(void *data)
{
    Daemon *daemon = data;

    bool is_started = (!daemon->kept || kept_fds_collect(daemon->kept, &daemon->start_error)) &&
                      (!daemon->spec->start ||
                       daemon->spec->start(daemon, &daemon->driver_data, &daemon->start_error));

    if (!is_started && !fiber_is_cancelled(fiber_current()))
        LOG_GERROR(daemon->start_error);
    daemon->has_started = true;
    fiber_completion_signal(&daemon->started);
    daemon_touch(daemon);
    if (fiber_sleep(SETTLED_US, NULL))
        resident_give_back();
}

/* The order is known elsewhere: the daemon's own server is the first, "admin" the second. */
static bool daemon_add_servers(Daemon *daemon)
{
    const DaemonSpec *spec = daemon->spec;
    ServerLimits limits = daemon_make_limits(daemon, &daemon->config->limits, false);
    ServerLimits admin_limits = daemon_make_limits(daemon, &daemon->config->admin_limits, true);
    const ConfigLimits *workers = &daemon->config->limits;
    const ConfigLimits *admin_workers = &daemon->config->admin_limits;
    Server *server = server_new(daemon, spec->name, &limits, workers->min_workers,
                                workers->max_workers, workers->prio_workers);
    Server *admin = server_new(daemon, "admin", &admin_limits, admin_workers->min_workers,
                               admin_workers->max_workers, 0);

    g_ptr_array_add(daemon->servers, server);
    g_ptr_array_add(daemon->servers, admin);
    if (spec->uri_scheme)
        server_add_table(server, &connect_procedures);
    for (size_t i = 0; spec->tables && spec->tables[i]; i++)
        server_add_table(server, spec->tables[i]);
    /* Calls of this program go to the hypervisor's daemon even where no table has any of them. */
    if (spec->routes_calls)
        server_add_program(server, QEMU_PROGRAM);
    server_add_table(admin, &admin_procedures);
    return true;
}

/* Late, when logging goes where the configuration wants it. */
static void daemon_report_notices(const Daemon *daemon)
{
    for (guint i = 0; i < daemon->config->notices->len; i++)
        LOG_WARN("%s", (const char *)g_ptr_array_index(daemon->config->notices, i));
}

/* What fails in here ends the daemon before it has said that it is ready. */
static bool daemon_start(Daemon *daemon, GError **error)
{
    daemon->loop = fiber_loop_new(error);
    if (!daemon->loop)
        return false;
    daemon->notifier = notifier_new(daemon->loop);
    daemon->channel_pool = channel_pool_new(daemon->loop, error);
    if (!daemon->channel_pool)
        return false;
    daemon->encode_buffer = g_byte_array_sized_new(DAEMON_ENCODE_ROOM_BYTES);
    daemon->events = events_new();
    daemon_begin_keeping(daemon);
    if (!daemon_watch_signals(daemon, error) || !daemon_add_servers(daemon) ||
        !daemon_open_sockets(daemon, error))
        return false;
    notifier_feed_watchdog(daemon->notifier);
    daemon_look_around(daemon);
    daemon_report_notices(daemon);
    daemon_idle_start(daemon);
    return fiber_spawn(daemon->loop, "start", daemon_run_start, daemon, &daemon->start_fiber,
                       error);
}

static size_t daemon_get_n_calls(Daemon *daemon)
{
    size_t n = 0;

    for (guint i = 0; i < daemon->servers->len; i++)
        n += server_get_n_calls(g_ptr_array_index(daemon->servers, i));
    return n;
}

static size_t daemon_get_queued_bytes(Daemon *daemon)
{
    size_t n = 0;

    for (guint i = 0; i < daemon->servers->len; i++)
        n += server_get_queued_bytes(g_ptr_array_index(daemon->servers, i));
    return n;
}

/* A call is over for its client when it has the whole answer, and many are larger than what a
 * socket takes at once. Who does not read is not waited for. */
static bool daemon_may_end(Daemon *daemon, uint64_t now_us)
{
    if (now_us >= daemon->stop_deadline_us)
        return true;
    if (daemon_get_n_calls(daemon) > 0) {
        daemon->delivery_deadline_us = now_us + STOP_DELIVERY_US;
        return false;
    }
    return daemon_get_queued_bytes(daemon) == 0 || now_us >= daemon->delivery_deadline_us;
}

/* Calls end without telling anybody who stops: it is looked at now and then. Streams are not
 * waited for: a console would last for ever. */
static int daemon_on_stopping(sd_event_source *source, uint64_t usec, void *userdata)
{
    Daemon *daemon = userdata;

    if (daemon_may_end(daemon, fiber_now_us())) {
        fiber_loop_quit(daemon->loop, EXIT_SUCCESS);
        return 0;
    }
    sd_event_source_set_time_relative(source, STOP_POLL_US);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

/* The loop ends when the last call has; daemon_free() does the rest. Clients that are
 * connected may go on calling until then, those calls are finished, too, if they are in time. */
void daemon_await_end(Daemon *daemon)
{
    if (daemon->is_stopping)
        return;
    daemon->is_stopping = true;
    LOG_INFO("%s: %zu call%s in flight", daemon->is_reexecuting ? "executing anew" : "stopping",
             daemon_get_n_calls(daemon), plural_s(daemon_get_n_calls(daemon)));
    auth_polkit_cancel(daemon);
    for (guint i = 0; i < daemon->servers->len; i++)
        server_stop_pinging(g_ptr_array_index(daemon->servers, i));
    daemon->stop_deadline_us = fiber_now_us() + STOP_PATIENCE_US;
    daemon->delivery_deadline_us = fiber_now_us() + STOP_DELIVERY_US;
    if (sd_event_add_time_relative(daemon_get_event(daemon), &daemon->stop_timer, CLOCK_MONOTONIC,
                                   0, STOP_ACCURACY_US, daemon_on_stopping, daemon) < 0)
        fiber_loop_quit(daemon->loop, EXIT_SUCCESS);
}

/* Also while it is about to execute itself anew: the end that was asked for last counts. */
void daemon_shutdown(Daemon *daemon)
{
    if (daemon->is_stopping && !daemon->is_reexecuting)
        return;
    daemon->is_reexecuting = false;
    notifier_say(daemon->notifier, "STOPPING=1");
    for (guint i = 0; i < daemon->servers->len; i++)
        server_stop_listening(g_ptr_array_index(daemon->servers, i));
    daemon_await_end(daemon);
}

/* A signal may have been taken from the kernel and not been handled when the loop was left: the
 * next execution would never hear of it. */
static void daemon_hear_last_signals(Daemon *daemon)
{
    for (size_t i = 0; i < N_DAEMON_SIGNALS && daemon->is_reexecuting; i++)
        sd_event_run(daemon_get_event(daemon), 0);
}

/* The clients go, their calls are cancelled and run to their end; then the rest. */
static void daemon_end(Daemon *daemon)
{
    daemon_hear_last_signals(daemon);
    daemon_idle_stop(daemon);
    sd_event_source_disable_unref(daemon->stop_timer);
    daemon_unwatch_signals(daemon);
    for (guint i = 0; i < daemon->servers->len; i++)
        server_close_clients(g_ptr_array_index(daemon->servers, i));
    fiber_loop_end_fibers(daemon->loop);
    if (daemon->spec->stop && daemon_has_driver(daemon))
        daemon->spec->stop(daemon, daemon->driver_data);
    if (daemon->is_reexecuting)
        daemon_execute_anew(daemon);
}

static void daemon_run_before_stop(void *data)
{
    Daemon *daemon = data;

    daemon->spec->before_stop(daemon, daemon->driver_data);
    daemon_shutdown(daemon);
}

/* Whoever asks twice is in a hurry. */
void daemon_stop(Daemon *daemon)
{
    bool is_first = !daemon->is_told_to_stop;

    daemon->is_told_to_stop = true;
    if (!is_first || !daemon->spec->before_stop || !daemon_has_driver(daemon) ||
        !fiber_spawn(daemon->loop, "before stop", daemon_run_before_stop, daemon, NULL, NULL))
        daemon_shutdown(daemon);
}

static void daemon_free(Daemon *daemon)
{
    /* No fiber is left: nobody looks at any of this any more. Servers go before what their
     * clients had registered with (events), and that before the channels' pool, the loop last. */
    auth_polkit_disconnect(daemon);
    hostname_forget(daemon);
    g_ptr_array_unref(daemon->servers);
    daemon_forget_tls(daemon);
    events_free(daemon->events);
    kept_fds_free(daemon->kept);
    daemon_forget_fds(daemon);
    channel_pool_free(daemon->channel_pool);
    notifier_free(daemon->notifier);
    g_clear_pointer(&daemon->encode_buffer, g_byte_array_unref);
    fiber_unref(daemon->start_fiber);
    fiber_loop_free(daemon->loop);
    g_clear_error(&daemon->start_error);
    pid_file_release(daemon->pid_file);
    config_free(daemon->config);
    paths_free(daemon->paths);
    options_free(daemon->options);
    g_free(daemon->uri);
    g_free(daemon);
}

/* In the process that stays: the lock that guards the file belongs to it. */
static bool daemon_take_pid_file(Daemon *daemon, GError **error)
{
    g_autofree char *path = NULL;

    if (daemon->options->pid_path)
        path = g_strdup(daemon->options->pid_path);
    else if (daemon->options->daemonize)
        path = paths_pid_file(daemon->paths, daemon->spec->name);
    if (!path)
        return true;
    /* A path that somebody gave has a folder, or it is a mistake that should be told. */
    if (!daemon->options->pid_path &&
        !mkdir_parents(daemon->paths->pid_dir, daemon->is_system ? 0755 : 0700, error))
        return false;
    if (daemon->inherited_pid_fd >= 0) {
        daemon->pid_file = pid_file_inherit(path, daemon->inherited_pid_fd);
        daemon->inherited_pid_fd = -1;
        return true;
    }
    daemon->pid_file = pid_file_acquire(path, error);
    return daemon->pid_file != NULL;
}

/* The configuration is read before going to the background, so that its errors are seen;
 * signals are blocked, and threads started, only behind it: a fork keeps neither. */
static bool daemon_run(Daemon *daemon, int *ret_code, GError **error)
{
    int ready_fd = -1;

    if (!daemon_check_ready_fd(daemon, error) || !daemon_load(daemon, error))
        return false;
    raise_descriptor_limit();
    /* In the background it stays there, with its pid. */
    if (daemon->options->daemonize && !daemon->is_anew && !daemonize(&ready_fd, error))
        return false;
    block_signals(daemon);
    if (!daemon_take_pid_file(daemon, error) ||
        !daemon_apply_logging(daemon, daemon->config, error) ||
        !daemon_limit_privileges(daemon, error) || !daemon_start(daemon, error))
        return false;
    daemon_ready(daemon, ready_fd);
    return fiber_loop_run(daemon->loop, ret_code, error);
}

int daemon_main(const DaemonSpec *spec, int argc, char **argv)
{
    OptionsSpec options_spec = { spec->name, spec->summary, spec->is_proxy,
                                 spec->rotate_key != NULL };
    Daemon *daemon = g_new0(Daemon, 1);
    g_autoptr(GError) error = NULL;
    int code = EXIT_SUCCESS;

    daemon->spec = spec;
    daemon->argv = argv;
    daemon->inherited_pid_fd = -1;
    daemon->servers = g_ptr_array_new_with_free_func((GDestroyNotify)server_free);
    daemon->options = options_parse(&options_spec, argc, argv, &error);
    if (!daemon->options) {
        code = EXIT_FAILURE;
    } else if (daemon->options->show_help) {
        options_print_help(&options_spec, stdout);
    } else if (daemon->options->show_version) {
        options_print_version(&options_spec, stdout);
    } else if (!daemon_prepare(daemon, &error)) {
        code = EXIT_FAILURE;
    } else if (daemon->options->check_config) {
        ConfigContext context = daemon_config_context(daemon);

        if (!config_check(&context, daemon->options->config_path, stdout))
            code = EXIT_FAILURE;
        if (spec->check_config && !spec->check_config(context.paths, stdout))
            code = EXIT_FAILURE;
    } else if (daemon->options->rotate_key) {
        if (!daemon_load(daemon, &error) ||
            !spec->rotate_key(daemon->paths, daemon->config, stdout, &error))
            code = EXIT_FAILURE;
    } else if (!daemon_run(daemon, &code, &error)) {
        code = EXIT_FAILURE;
    }
    if (error)
        fprintf(stderr, "%s: %s\n", spec->name, error->message);
    if (daemon->loop)
        daemon_end(daemon);
    /* Still here: what it was to become could not be executed. */
    if (daemon->is_reexecuting)
        code = EXIT_FAILURE;
    daemon_free(daemon);
    return code;
}
