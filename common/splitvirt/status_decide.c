/* Whether a daemon is fine. systemd knows best: it alone can tell a daemon that has left, being
 * idle, from one that has crashed. Without it, what a daemon leaves behind tells: one that ends in
 * order removes its sockets and its pid file. */
#include <string.h>

#include "common/splitvirt/status_private.h"

static const char *const state_names[] = {
    [DAEMON_RUNNING] = "running", [DAEMON_STOPPED] = "stopped", [DAEMON_FAILED] = "failed",
    [DAEMON_MASKED] = "masked",   [DAEMON_ABSENT] = "absent",   [DAEMON_UNKNOWN] = "unknown",
};
G_STATIC_ASSERT(G_N_ELEMENTS(state_names) == N_DAEMON_STATES);

const char *daemon_state_name(DaemonState state)
{
    return state_names[state];
}

/* Takes @reason. */
static void decide(DaemonStatus *status, DaemonState state, char *reason)
{
    status->state = state;
    status->reason = reason;
}

static const SocketStatus *find_socket(const DaemonStatus *status,
                                       bool (*is_wanted)(const SocketStatus *found))
{
    for (guint i = 0; i < status->sockets->len; i++) {
        const SocketStatus *found = &g_array_index(status->sockets, SocketStatus, i);

        if (is_wanted(found))
            return found;
    }
    return NULL;
}

static bool is_unit_active(const SocketStatus *found)
{
    return unit_is_active(found->unit);
}

static bool has_unit_failed(const SocketStatus *found)
{
    return unit_has_failed(found->unit);
}

static bool is_unit_masked(const SocketStatus *found)
{
    return found->names->kind == SUITE_SOCKET_MAIN && unit_is_masked(found->unit);
}

static bool is_listening(const SocketStatus *found)
{
    return found->probe.has_listener && !found->names->is_legacy;
}

static bool is_left_behind(const SocketStatus *found)
{
    return found->probe.exists && !found->probe.has_listener && !found->names->is_legacy;
}

/* A failed service whose socket listens is started by the next connection all the same, but
 * nobody should take it for well. */
static void decide_by_units(DaemonStatus *status)
{
    const SocketStatus *failed = find_socket(status, has_unit_failed);

    /* Who holds the sockets may be systemd itself. */
    status->pid = status->unit->main_pid;
    status->starts_on_demand = find_socket(status, is_unit_active) != NULL;
    if (unit_is_active(status->unit))
        decide(status, DAEMON_RUNNING, NULL);
    else if (unit_has_failed(status->unit))
        decide(status, DAEMON_FAILED, unit_describe_failure(status->unit));
    else if (failed)
        decide(status, DAEMON_FAILED, unit_describe_failure(failed->unit));
    else if (unit_is_masked(status->unit) || find_socket(status, is_unit_masked))
        decide(status, DAEMON_MASKED,
               g_strdup_printf("%s is masked: systemctl unmask %s.service %s.socket",
                               unit_is_masked(status->unit) ? status->unit->name
                                                            : "its socket's unit",
                               status->daemon->name, status->daemon->name));
    else if (status->starts_on_demand)
        decide(status, DAEMON_STOPPED, g_strdup("starts when a client connects"));
    else
        decide(status, DAEMON_STOPPED,
               g_strdup_printf("nothing starts it: %s.socket is not active", status->daemon->name));
}

static void decide_by_traces(DaemonStatus *status, bool has_stale_pid_file)
{
    const SocketStatus *left = find_socket(status, is_left_behind);

    if (status->pid > 0 || find_socket(status, is_listening))
        decide(status, DAEMON_RUNNING, NULL);
    else if (left)
        decide(status, DAEMON_FAILED,
               g_strdup_printf("it was killed, or has crashed: nobody in this network "
                               "namespace listens at %s",
                               left->names->path));
    else if (has_stale_pid_file)
        decide(status, DAEMON_FAILED,
               g_strdup("it was killed, or has crashed: its pid file was left behind"));
    else if (!status->program)
        decide(status, DAEMON_ABSENT, g_strdup("its program is not installed"));
    else
        decide(status, DAEMON_STOPPED, g_strdup("its program is not running"));
}

/* systemd is there and does not talk to us: its sockets cannot be told from a daemon's. */
static bool is_systemds_own(const DaemonStatus *status, const SuiteStatus *suite)
{
    return suite->has_systemd && !suite->units && status->pid <= 1 &&
           find_socket(status, is_listening);
}

void daemon_status_decide(DaemonStatus *status, const SuiteStatus *suite, bool has_stale_pid_file)
{
    if (unit_is_installed(status->unit)) {
        decide_by_units(status);
    } else if (is_systemds_own(status, suite)) {
        status->pid = 0;
        decide(status, DAEMON_UNKNOWN,
               g_strdup("its sockets listen, for itself or for systemd to start it"));
    } else {
        decide_by_traces(status, has_stale_pid_file);
    }
}

bool suite_status_is_fine(const SuiteStatus *status)
{
    for (guint i = 0; i < status->daemons->len; i++) {
        const DaemonStatus *daemon = g_ptr_array_index(status->daemons, i);

        if (daemon->state == DAEMON_FAILED || daemon->hangs)
            return false;
    }
    return true;
}
