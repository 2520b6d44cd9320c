#include "common/splitvirt/status.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/pidfile.h"
#include "common/config.h"
#include "common/sibling.h"
#include "common/splitvirt/status_private.h"

static void daemon_status_free(void *data)
{
    DaemonStatus *status = data;

    g_free(status->reason);
    g_ptr_array_unref(status->socket_names);
    g_array_unref(status->sockets);
    g_free(status->program);
    g_free(status->installed_version);
    g_free(status->protocol_level);
    g_ptr_array_unref(status->notes);
    g_free(status);
}

void suite_status_free(SuiteStatus *status)
{
    if (!status)
        return;
    g_ptr_array_unref(status->daemons);
    unit_table_free(status->units);
    g_free(status->units_reason);
    g_free(status->root);
    g_free(status);
}

void daemon_status_note(DaemonStatus *status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(status->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

/* The folder of the sockets is in the daemon's configuration, which it would not start with when
 * it is wrong. A file that may not be read is not. */
static char *read_socket_folder(const Paths *paths, DaemonStatus *status)
{
    ConfigContext context = { .daemon = status->daemon->config, .paths = paths };
    g_autofree char *file = paths_config_file(paths, status->daemon->name);
    g_autoptr(GError) error = NULL;
    g_autoptr(DaemonConfig) config = NULL;

    if (access(file, R_OK) < 0 && errno != ENOENT)
        return g_strdup(paths->run_dir);
    config = config_load(&context, NULL, &error);
    if (!config)
        daemon_status_note(status, "its configuration is wrong: %s", error->message);
    return g_strdup(config && config->unix_sock_dir ? config->unix_sock_dir : paths->run_dir);
}

static DaemonStatus *daemon_status_new(const SuiteStatus *suite, const Paths *paths,
                                       const SuiteDaemon *daemon)
{
    DaemonStatus *status = g_new0(DaemonStatus, 1);
    g_autofree char *folder = NULL;
    g_autofree char *service = g_strconcat(daemon->name, ".service", NULL);
    g_autoptr(GError) error = NULL;

    status->daemon = daemon;
    status->notes = g_ptr_array_new_with_free_func(g_free);
    status->sockets = g_array_new(FALSE, TRUE, sizeof(SocketStatus));
    folder = read_socket_folder(paths, status);
    status->socket_names = suite_daemon_sockets(daemon, folder, paths->is_session, &error);
    if (!status->socket_names) {
        daemon_status_note(status, "%s", error->message);
        status->socket_names = g_ptr_array_new();
    }
    status->unit = unit_table_find(suite->units, service);
    status->program = suite_find_program(daemon->name);
    return status;
}

static void probe_sockets(const SuiteStatus *suite, DaemonStatus *status, GHashTable *listeners)
{
    for (guint i = 0; i < status->socket_names->len; i++) {
        SocketStatus found = { .names = g_ptr_array_index(status->socket_names, i) };

        if (found.names->path)
            socket_probe(found.names->path, listeners, &found.probe);
        found.unit = unit_table_find(suite->units, found.names->unit);
        g_array_append_val(status->sockets, found);
    }
}

/* By systemd, by the pid file, or by who holds the listening sockets. */
static pid_t find_pid(const Paths *paths, const DaemonStatus *status, GHashTable *owners,
                      bool *ret_has_stale_file)
{
    g_autofree char *file = paths_pid_file(paths, status->daemon->name);
    pid_t pid = 0;

    *ret_has_stale_file = false;
    if (status->unit && status->unit->main_pid > 0)
        return status->unit->main_pid;
    if (pid_file_read_holder(file, &pid)) {
        if (pid > 0)
            return pid;
        *ret_has_stale_file = true;
    }
    for (guint i = 0; i < status->sockets->len; i++) {
        const SocketStatus *found = &g_array_index(status->sockets, SocketStatus, i);

        pid = (pid_t)GPOINTER_TO_SIZE(g_hash_table_lookup(owners, &found->probe.inode));
        if (found->probe.has_listener && !found->names->is_legacy && pid > 0)
            return pid;
    }
    return 0;
}

static void look_from_outside(SuiteStatus *suite, const Paths *paths)
{
    g_autoptr(GHashTable) listeners = listeners_read();
    g_autoptr(GHashTable) inodes = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GHashTable) owners = NULL;

    for (guint i = 0; i < suite->daemons->len; i++) {
        DaemonStatus *status = g_ptr_array_index(suite->daemons, i);

        probe_sockets(suite, status, listeners);
        for (guint s = 0; s < status->sockets->len; s++) {
            SocketStatus *found = &g_array_index(status->sockets, SocketStatus, s);

            if (found->probe.has_listener)
                g_hash_table_add(inodes, &found->probe.inode);
        }
    }
    owners = socket_owners_read(inodes);
    for (guint i = 0; i < suite->daemons->len; i++) {
        DaemonStatus *status = g_ptr_array_index(suite->daemons, i);
        bool has_stale_pid_file;

        status->pid = find_pid(paths, status, owners, &has_stale_pid_file);
        daemon_status_decide(status, suite, has_stale_pid_file);
    }
}

static void add_units(GPtrArray *names, const char *daemon, bool has_network)
{
    SuiteSocketKind last = has_network ? SUITE_SOCKET_TLS : SUITE_SOCKET_ADMIN;

    g_ptr_array_add(names, g_strconcat(daemon, ".service", NULL));
    for (SuiteSocketKind kind = SUITE_SOCKET_MAIN; kind <= last; kind++)
        g_ptr_array_add(names, suite_socket_unit(daemon, kind));
}

/* All units of the suite, in one question; a suite below a root is none of systemd's, and a
 * session's daemons are started by their clients. */
static void read_units(SuiteStatus *suite, const Paths *paths)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (paths->root || paths->is_session) {
        suite->units_reason = g_strdup(paths->root ? "a suite below a root folder has no units"
                                                   : "the daemons of a session have no units");
        return;
    }
    for (size_t i = 0; i < n_suite_daemons; i++)
        add_units(names, suite_daemons[i].name, suite_daemons[i].has_network);
    /* Those of other makes, which a URI may lead to; the single daemon has the legacy sockets. */
    for (size_t i = 0; i < n_siblings; i++) {
        if (!suite_find_daemon(siblings[i].program))
            add_units(names, siblings[i].program, false);
    }
    add_units(names, "libvirtd", false);
    g_ptr_array_add(names, NULL);
    suite->units = unit_table_read((const char *const *)names->pdata, &suite->has_systemd,
                                   &suite->units_reason);
}

SuiteStatus *suite_status_look(const Paths *paths)
{
    SuiteStatus *suite = g_new0(SuiteStatus, 1);

    suite->daemons = g_ptr_array_new_with_free_func(daemon_status_free);
    suite->is_session = paths->is_session;
    suite->root = g_strdup(paths->root);
    read_units(suite, paths);
    for (size_t i = 0; i < n_suite_daemons; i++)
        g_ptr_array_add(suite->daemons, daemon_status_new(suite, paths, &suite_daemons[i]));
    look_from_outside(suite, paths);
    return suite;
}

SuiteStatus *suite_status_read(FiberLoop *loop, const Paths *paths, GError **error)
{
    g_autoptr(SuiteStatus) suite = suite_status_look(paths);

    return suite_status_ask(suite, loop, paths, error) ? g_steal_pointer(&suite) : NULL;
}
