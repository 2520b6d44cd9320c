/* Loading goes in this order: defaults of the table, entries of the file, defaults that
 * depend on other keys or on where the daemon runs, and last what must fit together. It
 * goes on after a problem, so that --check-config shows them all at once. */
#include "common/config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/plural.h"
#include "common/conf_report.h"
#include "common/config_value.h"

/* The service user that forwards calls of others by default. */
#define PROXY_USER "virtproxyd"
#define MAX_SUGGESTIONS 20

/* One load in the making. */
typedef struct Loading {
    const ConfigContext *context;
    DaemonConfig *config;
    ConfReport report;
} Loading;

/* Why @key does not count here; NULL if it does. */
static const char *key_reason(const ConfigKey *key, const ConfigContext *context)
{
    if (!(key->effective & (unsigned int) context->daemon)) {
        return key->reason;
    }
    if (key->is_system && context->paths->is_session) {
        return "a session daemon serves its own user alone";
    }
    if (key->is_socket && context->is_socket_activated) {
        return "the sockets come from the service manager: set it in the socket unit";
    }
    return NULL;
}

/* Whether the file sets @name to something that counts. */
static bool is_set(const Loading *loading, const char *name)
{
    return conf_line_of(&loading->report, name) &&
           !key_reason(config_key_find(name), loading->context);
}

/* Sets what the table has a default for. */
static void defaults_set(const ConfigContext *context, DaemonConfig *config)
{
    for (const ConfigKey *key = config_keys; key->name; key++) {
        const char *fallback = config_key_fallback(key, context->daemon);

        if (fallback)
            config_value_set_default(config, key, fallback);
    }
}

/* A key that the daemon does not take: misspelled, or another daemon's. */
static void unknown_report(Loading *loading, const ConfEntry *entry)
{
    const ConfigKey *near = NULL;

    /* Looking for the near miss takes time, which a file full of nonsense shall not cost. */
    if (loading->report.problems->len < MAX_SUGGESTIONS) {
        near = config_key_find_near(loading->context->daemon, entry->key);
    }
    if (strlen(entry->key) > 64) {
        conf_problem(&loading->report, entry->line, "unknown key of %zu letters",
                     strlen(entry->key));
    } else if (config_key_find(entry->key)) {
        conf_problem(&loading->report, entry->line, "%s: %s has no such key", entry->key,
                     config_daemon_name(loading->context->daemon));
    } else if (near) {
        conf_problem(&loading->report, entry->line, "%s: unknown key; did you mean %s?", entry->key,
                     near->name);
    } else {
        conf_problem(&loading->report, entry->line, "%s: unknown key", entry->key);
    }
}

/* Takes over one entry of the file, or says why not. */
static void entry_apply(Loading *loading, const ConfEntry *entry)
{
    const ConfigKey *key = config_key_find(entry->key);
    DaemonConfig nowhere = { 0 };
    const char *why_not;
    g_autofree char *reason = NULL;

    if (!key || !(key->daemons & (unsigned int) loading->context->daemon)) {
        unknown_report(loading, entry);
        return;
    }
    if (conf_file_find(loading->report.file, entry->key) != entry) {
        conf_notice(&loading->report, entry->line, "%s is set again: line %d counts", entry->key,
                    conf_line_of(&loading->report, entry->key));
        return;
    }
    /* What has no effect has to be right all the same, but leaves the default. */
    why_not = key_reason(key, loading->context);
    if (!config_value_set(why_not ? &nowhere : loading->config, key, entry->value, &reason)) {
        conf_problem(&loading->report, entry->line, "%s: %s", entry->key, reason);
        return;
    }
    if (why_not) {
        config_value_clear(&nowhere, key);
        conf_notice(&loading->report, entry->line, "%s has no effect: %s", entry->key, why_not);
    }
}

/* Root and our own user are trusted whatever the file says: both could do to us what they
 * like anyway. Where nobody acts for others no user is looked up, which can load a library. */
static void trusted_complete(Loading *loading)
{
    DaemonConfig *config = loading->config;
    uid_t always[] = { 0, geteuid() };
    struct passwd *user;

    if (!config->trusted_uids) {
        config->trusted_uids = g_array_new(FALSE, FALSE, sizeof(uid_t));
        user = CONFIG_SERVERS & (unsigned int) loading->context->daemon ? getpwnam(PROXY_USER)
                                                                        : NULL;
        if (user) {
            g_array_append_val(config->trusted_uids, user->pw_uid);
        }
    }
    g_array_append_vals(config->trusted_uids, always, always[1] == 0 ? 1 : 2);
}

/* Groups are looked up now: a socket that nobody may use is better told at start. */
static void group_resolve(Loading *loading)
{
    DaemonConfig *config = loading->config;
    struct group *group;

    config->unix_sock_gid = (gid_t) -1;
    if (!config->unix_sock_group) {
        return;
    }
    group = getgrnam(config->unix_sock_group);
    if (!group) {
        conf_problem(&loading->report, conf_line_of(&loading->report, "unix_sock_group"),
                     "unix_sock_group: there is no group '%s'", config->unix_sock_group);
        return;
    }
    config->unix_sock_gid = group->gr_gid;
}

/* FOLDER/NAME (FOLDER alone without a name), unless the file has set the path. */
static void path_complete(char **path, const char *folder, const char *name)
{
    if (!*path) {
        *path = name ? paths_join(folder, name) : g_strdup(folder);
    }
}

/* Whether clients of a socket are asked for a proof unless the file says otherwise. @is_open: anybody
 * may connect to it, who may do what is all that keeps strangers out. Then they stay out while
 * there is nobody to ask, too: a bus that has gone, or is not there yet, opens no door. */
static bool asks_polkit(const Loading *loading, bool is_open)
{
    const ConfigContext *context = loading->context;

    /* Without privileges, with a root too, the daemon serves its own user: nobody to ask. */
    if (!(CONFIG_SERVERS & (unsigned int) context->daemon) || !context->paths->is_privileged)
        return false;
    /* The permissions that the service manager gives its sockets are made for polkit. */
    return context->has_polkit ||
           (context->knows_polkit && (context->is_socket_activated || is_open));
}

/* The defaults that depend on more than the table. */
static void dependent_set(Loading *loading)
{
    const Paths *paths = loading->context->paths;
    DaemonConfig *config = loading->config;
    bool is_open = is_set(loading, "unix_sock_rw_perms") && (config->unix_sock_rw_perms & S_IWOTH);

    path_complete(&config->unix_sock_dir, paths->run_dir, NULL);
    path_complete(&config->log_root, paths->log_dir, NULL);
    path_complete(&config->key_file, paths->key_dir, "serverkey.pem");
    path_complete(&config->cert_file, paths->cert_dir, "servercert.pem");
    path_complete(&config->ca_file, paths->ca_dir, "cacert.pem");
    if (!is_set(loading, "auth_unix_ro")) {
        config->auth_unix_ro = asks_polkit(loading, false) ? AUTH_POLKIT : AUTH_NONE;
    }
    if (!is_set(loading, "auth_unix_rw")) {
        config->auth_unix_rw = asks_polkit(loading, is_open) ? AUTH_POLKIT : AUTH_NONE;
    }
    if (!is_set(loading, "unix_sock_rw_perms")) {
        config->unix_sock_rw_perms = config->auth_unix_rw == AUTH_POLKIT ? 0777 : 0700;
    }
    if (!is_set(loading, "listen_tls")) {
        config->listen_tls = loading->context->is_listening;
    }
    config->has_timeout = conf_line_of(&loading->report, "timeout");
    config->has_log_level = conf_line_of(&loading->report, "log_level");
}

/* Limits that contradict each other. @prefix: "admin_" or "". */
static void limits_check(Loading *loading, ConfigLimits *limits, const char *prefix)
{
    g_autofree char *min_workers = g_strconcat(prefix, "min_workers", NULL);
    int line;

    if (limits->min_workers > limits->max_workers) {
        line = conf_line_of(&loading->report, min_workers);
        if (line) {
            conf_notice(&loading->report, line, "%s (%u) is above %smax_workers (%u), which counts",
                        min_workers, limits->min_workers, prefix, limits->max_workers);
        }
        limits->min_workers = limits->max_workers;
    }
    /* Existing daemons refuse to start with this; a default gives way silently. */
    if (limits->max_anonymous_clients > limits->max_clients) {
        line = conf_line_of(&loading->report, "max_anonymous_clients");
        if (line) {
            conf_problem(&loading->report, line,
                         "max_anonymous_clients: expected at most max_clients (%u), found %u",
                         limits->max_clients, limits->max_anonymous_clients);
        }
        limits->max_anonymous_clients = limits->max_clients;
    }
}

/* Refuses what would open a door without the lock that the file asks for. */
static void sasl_check(Loading *loading, const char *name, int kind, bool is_open)
{
    int line = conf_line_of(&loading->report, name);

    if (kind != AUTH_SASL || !is_open) {
        return;
    }
    /* The default of auth_tcp is refused where the port is opened. */
    line = line > 0 ? line : conf_line_of(&loading->report, "listen_tcp");
    conf_problem(&loading->report, line,
                 "%s: this version has no SASL, so nobody could connect; set %s", name,
                 g_str_has_prefix(name, "auth_unix") ? "\"polkit\" or \"none\""
                                                     : "\"none\" or close the port");
}

/* Ports count only where this daemon opens them itself; a socket unit's port is refused
 * when the socket is taken over. */
static void auth_check(Loading *loading)
{
    DaemonConfig *config = loading->config;
    bool is_proxy = loading->context->daemon == CONFIG_VIRTPROXYD;
    bool opens_ports = is_proxy && !loading->context->is_socket_activated;

    sasl_check(loading, "auth_unix_ro", config->auth_unix_ro, true);
    sasl_check(loading, "auth_unix_rw", config->auth_unix_rw, true);
    sasl_check(loading, "auth_tcp", config->auth_tcp, opens_ports && config->listen_tcp);
    sasl_check(loading, "auth_tls", config->auth_tls, opens_ports && config->listen_tls);
}

/* Makes a configuration of @file (NULL: defaults alone), or adds to @problems. */
static DaemonConfig *config_make(const ConfigContext *context, const ConfFile *file,
                                 GPtrArray *problems)
{
    g_autoptr(DaemonConfig) config = g_new0(DaemonConfig, 1);
    GPtrArray *notices = g_ptr_array_new_with_free_func(g_free);
    Loading loading = { context, config, { file, problems, notices } };

    config->notices = notices;
    defaults_set(context, config);
    for (guint i = 0; file && i < file->entries->len; i++) {
        entry_apply(&loading, g_ptr_array_index(file->entries, i));
    }
    trusted_complete(&loading);
    group_resolve(&loading);
    dependent_set(&loading);
    limits_check(&loading, &config->limits, "");
    limits_check(&loading, &config->admin_limits, "admin_");
    auth_check(&loading);
    return g_steal_pointer(&config);
}

/* Reads what config_load describes. Sets @ret_file to NULL for a missing usual file. */
static bool file_read(const ConfigContext *context, const char *path, ConfFile **ret_file,
                      GError **error)
{
    g_autofree char *usual = NULL;

    if (!path) {
        usual = paths_config_file(context->paths, config_daemon_name(context->daemon));
        if (access(usual, F_OK) < 0 && errno == ENOENT) {
            *ret_file = NULL;
            return true;
        }
    }
    *ret_file = conf_file_read(path ? path : usual, error);
    return *ret_file;
}

DaemonConfig *config_load(const ConfigContext *context, const char *path, GError **error)
{
    g_autoptr(ConfFile) file = NULL;
    g_autoptr(DaemonConfig) config = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    const char *first;

    if (!file_read(context, path, &file, error)) {
        return NULL;
    }
    config = config_make(context, file, problems);
    if (problems->len == 0) {
        return g_steal_pointer(&config);
    }
    first = g_ptr_array_index(problems, 0);
    if (problems->len == 1) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED, "%s", first);
    } else {
        error_set(error, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED,
                  "%s (and %u more: --check-config shows them)", first, problems->len - 1);
    }
    return NULL;
}

void config_free(DaemonConfig *config)
{
    if (!config) {
        return;
    }
    for (const ConfigKey *key = config_keys; key->name; key++) {
        config_value_clear(config, key);
    }
    g_clear_pointer(&config->notices, g_ptr_array_unref);
    g_free(config);
}

bool config_check(const ConfigContext *context, const char *path, FILE *out)
{
    g_autoptr(ConfFile) file = NULL;
    g_autoptr(DaemonConfig) config = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    const char *name = config_daemon_name(context->daemon);

    if (!file_read(context, path, &file, &error)) {
        fprintf(out, "error: %s\n%s: the configuration cannot be used\n", error->message, name);
        return false;
    }
    config = config_make(context, file, problems);
    for (guint i = 0; i < problems->len; i++) {
        fprintf(out, "error: %s\n", (const char *) g_ptr_array_index(problems, i));
    }
    for (guint i = 0; i < config->notices->len; i++) {
        fprintf(out, "notice: %s\n", (const char *) g_ptr_array_index(config->notices, i));
    }
    if (problems->len > 0) {
        fprintf(out, "%s: the configuration cannot be used: %u error%s\n", name, problems->len,
                plural_s(problems->len));
        return false;
    }
    fprintf(out, "%s: the configuration can be used%s\n", name,
            file ? "" : " (there is no file: all defaults)");
    return true;
}
