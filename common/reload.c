/* What the configuration decides and may change while the daemon runs: limits, workers,
 * logging. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "common/auth.h"
#include "common/daemon_private.h"
#include "common/daemon_tls.h"
#include "common/main.h"
#include "common/server_private.h"
#include "common/stats.h"
#include "fiber/offload.h"
#include "wire/frame.h"

#include "base/log.h"

LOG_INIT("daemon.reload");

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* A negative keepalive interval means "off" in the file; here that is 0. */
ServerLimits daemon_make_limits(const Daemon *daemon, const ConfigLimits *limits, bool is_admin)
{
    return (ServerLimits){
        .max_clients = limits->max_clients,
        .max_anonymous_clients = limits->max_anonymous_clients,
        .max_client_requests = limits->max_client_requests,
        .keepalive_interval_s = (unsigned)MAX(limits->keepalive_interval_s, 0),
        .keepalive_count = limits->keepalive_count,
        .max_frame_bytes = FRAME_LENGTH_ORDINARY_MAX,
        .max_clients_key = is_admin ? "admin_max_clients" : "max_clients",
        .max_anonymous_clients_key = "max_anonymous_clients",
    };
}

/* A detached daemon has no stderr: what nobody directs elsewhere goes to the journal where
 * there is one, and to a file of the daemon's own where not. At other times stderr. */
static bool set_default_output(const Daemon *daemon, GError **error)
{
    g_autofree char *text = NULL;

    if (daemon->options->daemonize && access(JOURNAL_SOCKET, W_OK) == 0) {
        text = g_strdup_printf("%d:journald", log_get_level());
    } else if (daemon->options->daemonize) {
        const char *folder = daemon->paths->log_dir;

        if (g_mkdir_with_parents(folder, 0755) < 0) {
            error_set_errno(error, VIR_FROM_CONF, errno, "cannot create log folder '%s'", folder);
            return false;
        }
        text = g_strdup_printf("%d:file:%s/%s.log", log_get_level(), folder, daemon->spec->name);
    } else {
        text = g_strdup_printf("%d:stderr", log_get_level());
    }
    return log_set_default_output(text, error);
}

/* All of it, defaults too: what a former configuration or the admin interface has set is over. */
bool daemon_apply_logging(const Daemon *daemon, const DaemonConfig *config, GError **error)
{
    bool is_verbose = daemon->options->verbose && !config->has_log_level;

    return log_set_level(is_verbose ? LOG_LEVEL_INFO : config->log_level, error) &&
           log_set_filters(config->log_filters ? config->log_filters : "", error) &&
           set_default_output(daemon, error) &&
           log_set_outputs(config->log_outputs ? config->log_outputs : "", error);
}

/* Loading reads files and the user data base: a thread's work. */
typedef struct Load {
    ConfigContext context;
    const char *path;
    DaemonConfig *config;
} Load;

static bool load_in_thread(void *data, GError **error)
{
    Load *load = data;

    load->config = config_load(&load->context, load->path, error);
    return load->config != NULL;
}

/* Effective at once, for clients that are connected as well. The second server is "admin",
 * with keys of its own. */
static void daemon_apply_limits(Daemon *daemon)
{
    for (guint i = 0; i < daemon->servers->len; i++) {
        Server *server = g_ptr_array_index(daemon->servers, i);
        const ConfigLimits *config = i == 1 ? &daemon->config->admin_limits
                                            : &daemon->config->limits;
        ServerLimits limits = daemon_make_limits(daemon, config, i == 1);

        server_set_limits(server, &limits);
        workers_set(&server->workers, config->min_workers, config->max_workers,
                    config->prio_workers);
    }
}

/* To be freed. */
SUSPENDS static DaemonConfig *daemon_read_config(Daemon *daemon, GError **error)
{
    Load load = {
        .context = { .daemon = daemon->spec->config,
                     .paths = daemon->paths,
                     .is_socket_activated = daemon_is_activated(daemon),
                     .is_listening = daemon->options->listen,
                     .knows_polkit = auth_polkit_is_known(),
                     .has_polkit = auth_polkit_is_there() },
        .path = daemon->options->config_path,
    };

    return fiber_offload(load_in_thread, &load, error) ? load.config : NULL;
}

typedef struct Logging {
    const Daemon *daemon;
    const DaemonConfig *old, *config;
} Logging;

/* Opening log files is a thread's work as well: the server that they are on may be away. Of what
 * fails here all is put back. */
static bool set_logging_in_thread(void *data, GError **error)
{
    const Logging *logging = data;

    if (!log_reopen(error))
        return false;
    if (daemon_apply_logging(logging->daemon, logging->config, error))
        return true;
    if (!daemon_apply_logging(logging->daemon, logging->old, NULL))
        LOG_WARN("the former log settings cannot be set again either");
    return false;
}

/* The configuration anew: all of it counts, or nothing. So whatever can fail comes first. One at a
 * time, see daemon_on_signal(): two would look users up in two threads, which the C library's simpler
 * calls do not allow, and the older configuration could be the last to be put in place. Nobody keeps
 * pointers into the configuration over a wait: this is the one place where it changes. */
SUSPENDS static bool daemon_reload(Daemon *daemon, GError **error)
{
    g_autoptr(DaemonConfig) config = daemon_read_config(daemon, error);
    Logging logging = { daemon, daemon->config, config };
    struct NetTlsContext *tls_context;

    if (!config || !daemon_prepare_tls(daemon, config, &tls_context, error))
        return false;
    if (!fiber_offload(set_logging_in_thread, &logging, error)) {
        daemon_drop_tls(daemon, tls_context);
        return false;
    }
    daemon_adopt_tls(daemon, tls_context);
    config_free(daemon->config);
    daemon->config = g_steal_pointer(&config);
    daemon_apply_limits(daemon);
    if (!daemon->options->has_timeout)
        daemon_set_timeout_us(daemon, daemon->config->timeout_s * (uint64_t)G_USEC_PER_SEC);
    return true;
}

/* A driver that is still starting may have read its settings before they were changed. */
SUSPENDS static bool daemon_reload_driver(Daemon *daemon, GError **error)
{
    return !daemon->spec->reload || !daemon_wait_started(daemon, NULL) ||
           !daemon_has_driver(daemon) || daemon->spec->reload(daemon, daemon->driver_data, error);
}

/* The old configuration stays when the new one is wrong. The driver has files of its own, which
 * stand and fall by themselves. */
SUSPENDS static void daemon_reload_and_log(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;

    daemon->wants_reload = false;
    if (!daemon_reload(daemon, &error))
        LOG_ERROR("cannot load the configuration anew: %s", error->message);
    else if (!daemon_reload_driver(daemon, &error))
        LOG_ERROR("the configuration was loaded anew, but not the driver's own: %s",
                  error->message);
    else
        LOG_INFO("the configuration was loaded anew");
}

/* A configuration that the next execution would refuse keeps this one going: a mistake in a file
 * must not end what holds pipes and locks. */
SUSPENDS static bool daemon_try_reexecution(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DaemonConfig) config = daemon_read_config(daemon, &error);

    daemon->wants_reexecution = false;
    if (config && (!daemon->spec->may_reexecute || !daemon_has_driver(daemon) ||
                   daemon->spec->may_reexecute(daemon, daemon->driver_data, &error))) {
        daemon_reexecute(daemon);
        return true;
    }
    LOG_ERROR("not executed anew: %s", error->message);
    return false;
}

void daemon_ask_for_time(Daemon *daemon, unsigned seconds)
{
    g_autofree char *state = g_strdup_printf("EXTEND_TIMEOUT_USEC=%u000000", seconds);

    notifier_say(daemon->notifier, state);
}

static void daemon_say_reloading(Daemon *daemon)
{
    g_autofree char *state = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GUINT64_FORMAT,
                                             fiber_now_us());

    notifier_say(daemon->notifier, state);
}

/* What systemd's Type=notify-reload wants to hear, and when: before, and when it is over,
 * however it went. Signals that come meanwhile ask for one more round, not for one each. */
static void daemon_run_reload(void *data)
{
    Daemon *daemon = data;

    do {
        daemon_say_reloading(daemon);
        /* The next execution reads everything. It says READY=1 itself. */
        if (daemon->wants_reexecution && daemon_try_reexecution(daemon))
            break;
        if (daemon->wants_reload)
            daemon_reload_and_log(daemon);
        notifier_say(daemon->notifier, "READY=1");
    } while ((daemon->wants_reload || daemon->wants_reexecution) && !daemon->is_stopping);
    daemon->is_reloading = false;
}

static void daemon_begin_reload(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;

    if (daemon->is_reloading)
        return;
    /* Set here: the next signal may come before the fiber first runs. */
    daemon->is_reloading = true;
    if (!fiber_spawn(daemon->loop, "reload", daemon_run_reload, daemon, NULL, &error)) {
        daemon->is_reloading = false;
        LOG_GERROR(error);
    }
}

/* Through a signalfd: an ordinary handler of the loop, in which everything may be done. */
static int daemon_on_signal(sd_event_source *source, const struct signalfd_siginfo *info,
                            void *userdata)
{
    Daemon *daemon = userdata;

    switch (info->ssi_signo) {
    case SIGHUP:
        daemon->wants_reload = true;
        daemon_begin_reload(daemon);
        break;
    case SIGUSR1:
        daemon->wants_reexecution = true;
        daemon_begin_reload(daemon);
        break;
    case SIGUSR2:
        stats_log(daemon);
        break;
    default:
        daemon_stop(daemon);
    }
    return 0;
}

/* They are blocked already, by main.c, before there was any other thread. */
bool daemon_watch_signals(Daemon *daemon, GError **error)
{
    static const int signals[N_DAEMON_SIGNALS] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGUSR1 };
    /* The last is for those alone that block it. */
    size_t n_signals = N_DAEMON_SIGNALS - (daemon->spec->keeps_descriptors ? 0 : 1);

    for (size_t i = 0; i < n_signals; i++) {
        int result = sd_event_add_signal(daemon_get_event(daemon), &daemon->signals[i], signals[i],
                                         daemon_on_signal, daemon);

        if (result < 0) {
            error_set_errno(error, VIR_FROM_NONE, -result, "Cannot watch signal %d", signals[i]);
            return false;
        }
        /* However busy clients keep us. */
        sd_event_source_set_priority(daemon->signals[i], SD_EVENT_PRIORITY_IMPORTANT);
    }
    return true;
}

void daemon_unwatch_signals(Daemon *daemon)
{
    for (size_t i = 0; i < N_DAEMON_SIGNALS; i++)
        daemon->signals[i] = sd_event_source_disable_unref(daemon->signals[i]);
}
