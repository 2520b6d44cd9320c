#include "common/splitvirt/diagnose.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common/splitvirt/ask.h"
#include "common/splitvirt/reach.h"

#define ANSWER_PATIENCE_MS 5000

static void candidate_free(void *data)
{
    Candidate *candidate = data;

    g_free(candidate->path);
    g_free(candidate);
}

void diagnosis_free(Diagnosis *diagnosis)
{
    if (!diagnosis)
        return;
    conn_uri_free(diagnosis->uri);
    g_ptr_array_unref(diagnosis->candidates);
    suite_status_free(diagnosis->suite);
    g_free(diagnosis->reason);
    g_free(diagnosis->advice);
    g_free(diagnosis);
}

bool diagnosis_is_good(const Diagnosis *diagnosis)
{
    return diagnosis->finding == FINDING_WORKS || diagnosis->finding == FINDING_STARTS;
}

/* Takes @reason and @advice. */
static void find(Diagnosis *diagnosis, Finding finding, char *reason, char *advice)
{
    diagnosis->finding = finding;
    diagnosis->reason = reason;
    diagnosis->advice = advice;
}

static const DaemonStatus *find_daemon(const Diagnosis *diagnosis, const char *name)
{
    for (guint i = 0; i < diagnosis->suite->daemons->len; i++) {
        const DaemonStatus *status = g_ptr_array_index(diagnosis->suite->daemons, i);

        if (strcmp(status->daemon->name, name) == 0)
            return status;
    }
    return NULL;
}

static const Unit *find_socket_unit(const Diagnosis *diagnosis, const Candidate *candidate)
{
    g_autofree char *name = suite_socket_unit(candidate->daemon, candidate->kind);

    return unit_table_find(diagnosis->suite->units, name);
}

/* Also of daemons that the suite does not have. */
static const Unit *find_service(const Diagnosis *diagnosis, const Candidate *candidate)
{
    g_autofree char *name = g_strconcat(candidate->daemon, ".service", NULL);

    return unit_table_find(diagnosis->suite->units, name);
}

/* How the daemon of @candidate is started here. */
static char *advise_start(const Diagnosis *diagnosis, const Candidate *candidate)
{
    const DaemonStatus *status = find_daemon(diagnosis, candidate->daemon);
    g_autofree char *unit = suite_socket_unit(candidate->daemon, candidate->kind);
    const char *root = diagnosis->suite->root;

    if (unit_is_installed(find_socket_unit(diagnosis, candidate)))
        return g_strdup_printf("systemctl enable --now %s", unit);
    if (status && status->program)
        return g_strdup_printf("start %s%s%s", status->program, root ? " --root " : "",
                               root ? root : "");
    return g_strdup_printf("install %s, or use a URI of a daemon that is installed",
                           candidate->daemon);
}

static void find_masked(Diagnosis *diagnosis, const Candidate *candidate, const Unit *unit)
{
    g_autofree char *socket_unit = suite_socket_unit(candidate->daemon, candidate->kind);

    find(diagnosis, FINDING_MASKED,
         g_strdup_printf("%s is masked: an administrator has switched it off", unit->name),
         g_strdup_printf("systemctl unmask %s.service %s, then systemctl enable --now %s",
                         candidate->daemon, socket_unit, socket_unit));
}

static void find_failed(Diagnosis *diagnosis, const Candidate *candidate, const Unit *unit)
{
    g_autofree char *socket_unit = suite_socket_unit(candidate->daemon, candidate->kind);

    find(diagnosis, FINDING_FAILED, unit_describe_failure(unit),
         g_strdup_printf("journalctl --unit %s says why; then systemctl restart %s", unit->name,
                         socket_unit));
}

/* What units say of a daemon whose socket cannot be used. */
static bool find_by_units(Diagnosis *diagnosis, const Candidate *candidate)
{
    const Unit *socket_unit = find_socket_unit(diagnosis, candidate);
    const Unit *service = find_service(diagnosis, candidate);

    if (unit_is_masked(service) || unit_is_masked(socket_unit)) {
        find_masked(diagnosis, candidate, unit_is_masked(service) ? service : socket_unit);
        return true;
    }
    if (unit_has_failed(service) || unit_has_failed(socket_unit)) {
        find_failed(diagnosis, candidate, unit_has_failed(service) ? service : socket_unit);
        return true;
    }
    return false;
}

static void find_missing(Diagnosis *diagnosis, const Candidate *candidate)
{
    const DaemonStatus *status = find_daemon(diagnosis, candidate->daemon);
    const Unit *unit = find_socket_unit(diagnosis, candidate);

    if (find_by_units(diagnosis, candidate))
        return;
    if (status && status->state == DAEMON_RUNNING)
        find(diagnosis, FINDING_STOPPED,
             g_strdup_printf("%s runs, but has no socket %s", candidate->daemon, candidate->path),
             unit_is_installed(unit)
                 ? g_strdup_printf("systemctl restart %s %s.service", unit->name,
                                   candidate->daemon)
                 : g_strdup_printf("restart %s", candidate->daemon));
    else if (unit_is_installed(unit))
        find(diagnosis, FINDING_STOPPED,
             g_strdup_printf("%s is installed, but %s is %s", candidate->daemon, unit->name,
                             unit->active),
             advise_start(diagnosis, candidate));
    else if (status && status->program)
        find(diagnosis, FINDING_STOPPED,
             g_strdup_printf("%s is installed, but not running", candidate->daemon),
             advise_start(diagnosis, candidate));
    else
        find(diagnosis, FINDING_NOT_INSTALLED,
             g_strdup_printf("%s is not installed", candidate->daemon),
             advise_start(diagnosis, candidate));
}

/* Whether systemd holds the socket and the daemon does not run: then a connection would start
 * it, and we make none. */
static bool find_activated(Diagnosis *diagnosis, const Candidate *candidate)
{
    const DaemonStatus *status = find_daemon(diagnosis, candidate->daemon);
    const Unit *socket_unit = find_socket_unit(diagnosis, candidate);
    const Unit *service = find_service(diagnosis, candidate);

    if (status && status->state == DAEMON_UNKNOWN) {
        find(diagnosis, FINDING_STARTS,
             g_strdup_printf("somebody listens at %s, but %s", candidate->path,
                             diagnosis->suite->units_reason),
             NULL);
        return true;
    }
    if (!unit_is_active(socket_unit) || unit_is_active(service))
        return false;
    if (unit_is_masked(service))
        find_masked(diagnosis, candidate, service);
    else if (unit_has_failed(service))
        find_failed(diagnosis, candidate, service);
    else
        find(diagnosis, FINDING_STARTS,
             g_strdup_printf("%s listens, and starts %s at the first connection",
                             socket_unit->name, candidate->daemon),
             NULL);
    return true;
}

static void find_not_connected(Diagnosis *diagnosis, const Candidate *candidate, int reason,
                               const GError *cause)
{
    if (reason == ECONNREFUSED)
        find(diagnosis, FINDING_REFUSED,
             g_strdup_printf("nobody listens at %s: %s was killed, or has crashed",
                             candidate->path, candidate->daemon),
             advise_start(diagnosis, candidate));
    else if (reason == ETIMEDOUT || cause->code == VIR_ERR_OPERATION_TIMEOUT)
        find(diagnosis, FINDING_NO_ANSWER,
             g_strdup_printf("%s does not answer at %s", candidate->daemon, candidate->path),
             g_strdup_printf("restart %s; its log may say what it waits for", candidate->daemon));
    else
        find(diagnosis, FINDING_DENIED,
             g_strdup_printf("%s refuses: %s", candidate->daemon, cause->message), NULL);
}

static void find_connected(Diagnosis *diagnosis, const Candidate *candidate,
                           const AskOpened *opened)
{
    GString *reason = g_string_new(candidate->daemon);

    g_string_append_printf(reason, " answers at %s", candidate->path);
    if (opened->wants_polkit)
        g_string_append_printf(reason, "; polkit is asked for org.libvirt.unix.%s",
                               candidate->kind == SUITE_SOCKET_RO ? "monitor" : "manage");
    if (opened->wants_sasl)
        g_string_append(reason, "; it wants a login (SASL)");
    find(diagnosis, FINDING_WORKS, g_string_free(reason, FALSE), NULL);
}

SUSPENDS static bool find_by_connecting(Diagnosis *diagnosis, FiberLoop *loop,
                                        const Candidate *candidate, GError **error)
{
    ChannelPool *pool = channel_pool_new(loop, error);
    AskOpen open = { .path = candidate->path,
                     .uri = diagnosis->is_admin ? NULL : diagnosis->uri->name,
                     .is_read_only = diagnosis->is_read_only,
                     .deadline_us = fiber_deadline_ms(ANSWER_PATIENCE_MS) };
    AskOpened opened;
    g_autoptr(GError) cause = NULL;

    if (!pool)
        return false;
    if (ask_open(pool, &open, &opened, &cause))
        find_connected(diagnosis, candidate, &opened);
    else
        find_not_connected(diagnosis, candidate, opened.reason, cause);
    channel_pool_free(pool);
    return true;
}

/* In the order in which a client would meet the obstacles. */
SUSPENDS static bool find_out(Diagnosis *diagnosis, FiberLoop *loop, GError **error)
{
    const Candidate *candidate = g_ptr_array_index(diagnosis->candidates, 0);
    char *problem = NULL, *advice = NULL;

    if (!reach_check(candidate->path, &problem, &advice)) {
        find(diagnosis, FINDING_NO_PERMISSION, problem, advice);
    } else if (!candidate->probe.exists) {
        find_missing(diagnosis, candidate);
    } else if (!candidate->probe.is_socket) {
        find(diagnosis, FINDING_REFUSED, g_strdup_printf("%s is no socket", candidate->path),
             g_strdup_printf("find out who has made it: %s makes its socket there",
                             candidate->daemon));
    } else if (!find_activated(diagnosis, candidate)) {
        return find_by_connecting(diagnosis, loop, candidate, error);
    }
    return true;
}

/* Drivers that live in the client itself (manual: "drivers.html"). */
static bool find_clients_own(Diagnosis *diagnosis)
{
    bool is_embedded = strcmp(diagnosis->uri->path, "/embed") == 0;

    if (!is_embedded && strcmp(diagnosis->uri->scheme, "test") != 0)
        return false;
    find(diagnosis, FINDING_WORKS,
         g_strdup("this driver runs within the client: no socket is opened"), NULL);
    return true;
}

static void find_remote(Diagnosis *diagnosis)
{
    const ConnUri *uri = diagnosis->uri;
    const char *host = uri->host ? uri->host : "localhost";
    bool is_tls = strcmp(uri->transport, "tls") == 0;
    g_autofree char *where = NULL;

    if (is_tls || strcmp(uri->transport, "tcp") == 0)
        where = g_strdup_printf("%s, port %s, of virtproxyd", host,
                                uri->port ? uri->port : is_tls ? "16514" : "16509");
    else if (strcmp(uri->transport, "ext") == 0)
        where = g_strdup("a program that the URI names");
    else
        where = g_strdup_printf("%s, port %s, and a socket there", host,
                                uri->port ? uri->port : "22");
    find(diagnosis, FINDING_NOT_LOCAL,
         g_strdup_printf("transport %s goes to %s: nothing of that can be seen from here",
                         uri->transport, where),
         g_strdup_printf("on the other host: splitvirt diagnose %s", uri->name));
}

/* Existing clients: root has no session of its own but with virt-admin. */
static bool is_session_uri(const Diagnosis *diagnosis)
{
    bool is_admin = suite_find_daemon(diagnosis->uri->scheme) ||
                    strcmp(diagnosis->uri->scheme, "libvirtd") == 0;

    return strcmp(diagnosis->uri->path, "/session") == 0 && (is_admin || geteuid() != 0);
}

/* On a host that still has the single daemon, the legacy sockets are its own. */
static void find_single_daemon(Diagnosis *diagnosis)
{
    const UnitTable *units = diagnosis->suite->units;

    if (!unit_is_active(unit_table_find(units, "libvirtd.socket")) &&
        !unit_is_active(unit_table_find(units, "libvirtd.service")))
        return;
    for (guint i = 0; i < diagnosis->candidates->len; i++) {
        Candidate *candidate = g_ptr_array_index(diagnosis->candidates, i);

        if (candidate->is_legacy)
            candidate->daemon = "libvirtd";
    }
}

SUSPENDS static bool look(Diagnosis *diagnosis, FiberLoop *loop, const Paths *paths,
                          GError **error)
{
    g_autoptr(GHashTable) listeners = listeners_read();

    if (!diagnosis_find_candidates(diagnosis, paths, error))
        return false;
    for (guint i = 0; i < diagnosis->candidates->len; i++) {
        Candidate *candidate = g_ptr_array_index(diagnosis->candidates, i);

        socket_probe(candidate->path, listeners, &candidate->probe);
    }
    diagnosis->suite = suite_status_look(paths);
    find_single_daemon(diagnosis);
    return find_out(diagnosis, loop, error);
}

Diagnosis *diagnosis_make(FiberLoop *loop, const Paths *paths, const char *uri, bool is_read_only,
                          GError **error)
{
    g_autoptr(Diagnosis) diagnosis = g_new0(Diagnosis, 1);
    g_autoptr(Paths) session = NULL;

    diagnosis->candidates = g_ptr_array_new_with_free_func(candidate_free);
    diagnosis->is_read_only = is_read_only;
    if (!uri)
        uri = g_getenv("LIBVIRT_DEFAULT_URI");
    if (!uri) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG,
                  "a URI is missing, and LIBVIRT_DEFAULT_URI is not set");
        return NULL;
    }
    diagnosis->uri = conn_uri_parse(uri, error);
    if (!diagnosis->uri)
        return NULL;
    if (conn_uri_is_remote(diagnosis->uri)) {
        find_remote(diagnosis);
        return g_steal_pointer(&diagnosis);
    }
    if (find_clients_own(diagnosis))
        return g_steal_pointer(&diagnosis);
    diagnosis->is_session = !paths->root && is_session_uri(diagnosis);
    if (diagnosis->is_session && !(session = paths_new(false, NULL, error)))
        return NULL;
    return look(diagnosis, loop, session ? session : paths, error) ? g_steal_pointer(&diagnosis)
                                                                   : NULL;
}
