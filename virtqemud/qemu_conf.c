/* Loading goes in this order: defaults of the table, entries of the file, what depends on
 * other keys or on the host, and last what must fit together. */
#include "virtqemud/qemu_conf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/helper_program.h"
#include "base/log.h"
#include "base/plural.h"
#include "common/conf_report.h"
#include "common/config_value.h"
#include "fiber/offload.h"
#include "virtqemud/host/cgroup_mounts.h"

LOG_INIT("qemu.conf");

#define MAX_KEY_LENGTH 64
#define NO_EFFECT_IN_SESSION "without privileges QEMU runs as the daemon's own user"
#define ROOT_WARNING                                                                         \
    "there is neither a user libvirt-qemu nor a user qemu, so guests run as root, without "  \
    "its protection: make one (adduser --system --group libvirt-qemu), or set user and group"

/* One file being loaded. */
typedef struct Loading {
    const Paths *paths;
    const ConfigKey *keys;
    void *values; /* what the keys' offsets are in: @conf, or a part of it */
    QemuConf *conf;
    ConfReport report;
} Loading;

static const ConfigKey *key_find(const ConfigKey *keys, const char *name)
{
    for (const ConfigKey *key = keys; key->name; key++) {
        if (g_str_equal(key->name, name))
            return key;
    }
    return NULL;
}

/* Why @key does not count here; NULL if it does. */
static const char *key_reason(const ConfigKey *key, const Paths *paths)
{
    if (!key->effective)
        return key->reason;
    return key->is_system && !paths->is_privileged ? NO_EFFECT_IN_SESSION : NULL;
}

static void defaults_set(const Loading *loading)
{
    for (const ConfigKey *key = loading->keys; key->name; key++) {
        if (key->fallback && key->effective)
            config_value_set_default(loading->values, key, key->fallback);
    }
}

/* Takes over one entry, or says why not. What has no effect has to be right all the same. */
static void entry_apply(Loading *loading, const ConfEntry *entry)
{
    const ConfigKey *key = key_find(loading->keys, entry->key);
    QemuConf nowhere = { 0 };
    g_autofree char *reason = NULL;

    if (!key) {
        conf_notice(&loading->report, entry->line, "%.*s: this version has no such key",
                    MAX_KEY_LENGTH, entry->key);
        return;
    }
    if (conf_file_find(loading->report.file, entry->key) != entry) {
        conf_notice(&loading->report, entry->line, "%s is set again: line %d counts", entry->key,
                    conf_line_of(&loading->report, entry->key));
        return;
    }
    const char *why_not = key_reason(key, loading->paths);
    if (!config_value_set(why_not ? &nowhere : loading->values, key, entry->value, &reason)) {
        conf_problem(&loading->report, entry->line, "%s: %s", entry->key, reason);
        return;
    }
    if (why_not) {
        config_value_clear(&nowhere, key);
        conf_notice(&loading->report, entry->line, "%s has no effect yet: %s", entry->key, why_not);
    }
}

static void user_set(Loading *loading)
{
    QemuConf *conf = loading->conf;
    const char *missing;

    if (!loading->paths->is_privileged) {
        qemu_user_set_own(&conf->run_as);
        conf->dynamic_ownership = false;
        return;
    }
    if (!qemu_user_resolve(&conf->run_as, conf->user, conf->group, &missing))
        conf_problem(&loading->report, conf_line_of(&loading->report, missing),
                     "%s: there is no %s '%s'", missing, missing,
                     g_str_equal(missing, "user") ? conf->user : conf->group);
    else if (conf->run_as.is_fallback)
        g_ptr_array_add(conf->notices, g_strdup(ROOT_WARNING));
}

/* Beside the folders of the daemons' own certificates. */
static char *pki_folder(const Paths *paths, const char *name)
{
    g_autofree char *above = g_path_get_dirname(paths->cert_dir);

    return paths_join(above, name);
}

static void tls_set(Loading *loading)
{
    QemuConf *conf = loading->conf;
    g_autofree char *vnc_folder = pki_folder(loading->paths, "libvirt-vnc");

    if (!conf->default_tls_x509_cert_dir)
        conf->default_tls_x509_cert_dir = pki_folder(loading->paths, "qemu");
    /* The folder of its own counts if there is one. */
    if (!conf->vnc_tls_x509_cert_dir && access(vnc_folder, F_OK) == 0)
        conf->vnc_tls_x509_cert_dir = g_steal_pointer(&vnc_folder);
    if (!conf->vnc_tls_x509_cert_dir)
        conf->vnc_tls_x509_cert_dir = g_strdup(conf->default_tls_x509_cert_dir);
    if (!conf_line_of(&loading->report, "vnc_tls_x509_verify"))
        conf->vnc_tls_x509_verify = conf->default_tls_x509_verify;
    if (!conf->vnc_tls_x509_secret_uuid)
        conf->vnc_tls_x509_secret_uuid = g_strdup(conf->default_tls_x509_secret_uuid);
}

static void cgroups_set(Loading *loading)
{
    QemuConf *conf = loading->conf;
    const char *unknown;

    conf->has_cgroup_keys =
        conf_line_of(&loading->report, "cgroup_controllers") ||
        conf_line_of(&loading->report, "cgroup_device_acl");
    if (!cgroup_controllers_from_names(conf->cgroup_controllers, &conf->cgroup_controller_bits,
                                       &unknown))
        g_error("the table of keys of qemu.conf allows an unknown controller: %s", unknown);
}

/* A session ends with its user's work, a system's guests belong to whoever administers it. */
static void auto_shutdown_set(Loading *loading)
{
    QemuConf *conf = loading->conf;
    int guests = loading->paths->is_session ? QEMU_GUESTS_ALL : QEMU_GUESTS_NONE;
    int line = conf_line_of(&loading->report, "auto_shutdown_try_save");

    if (conf->auto_shutdown_try_save != QEMU_GUESTS_NONE)
        conf_problem(&loading->report, line,
                     "auto_shutdown_try_save: expected \"none\": this version does not save guests");
    if (!conf_line_of(&loading->report, "auto_shutdown_try_shutdown"))
        conf->auto_shutdown_try_shutdown = guests;
    if (!conf_line_of(&loading->report, "auto_shutdown_poweroff"))
        conf->auto_shutdown_poweroff = guests;
    conf->has_auto_shutdown_keys =
        conf_line_of(&loading->report, "auto_shutdown_try_shutdown") ||
        conf_line_of(&loading->report, "auto_shutdown_poweroff");
}

static void ports_check(Loading *loading, const char *prefix, unsigned int min, unsigned int max)
{
    g_autofree char *min_name = g_strconcat(prefix, "_port_min", NULL);
    g_autofree char *max_name = g_strconcat(prefix, "_port_max", NULL);
    int line =
        MAX(conf_line_of(&loading->report, min_name), conf_line_of(&loading->report, max_name));

    if (min > max)
        conf_problem(&loading->report, line, "%s: expected at most %s (%u), found %u", min_name,
                     max_name, max, min);
}

static void together_check(Loading *loading)
{
    QemuConf *conf = loading->conf;

    ports_check(loading, "remote_display", conf->remote_display_port_min,
                conf->remote_display_port_max);
    ports_check(loading, "remote_websocket", conf->remote_websocket_port_min,
                conf->remote_websocket_port_max);
    /* Nobody starts virtlogd for a user's session: there it is for those who ask for it. */
    if (!conf_line_of(&loading->report, "stdio_handler") && loading->paths->is_session)
        conf->stdio_handler = QEMU_STDIO_FILE;
}

static void file_apply(Loading *loading)
{
    const ConfFile *file = loading->report.file;

    defaults_set(loading);
    for (guint i = 0; file && i < file->entries->len; i++)
        entry_apply(loading, g_ptr_array_index(file->entries, i));
}

/* Sets @ret_file to NULL for a missing usual file. */
static bool file_read(const Paths *paths, const char *name, const char *path, ConfFile **ret_file,
                      GError **error)
{
    g_autofree char *usual = paths_config_file(paths, name);

    *ret_file = NULL;
    if (!path && access(usual, F_OK) < 0 && errno == ENOENT)
        return true;
    *ret_file = conf_file_read(path ? path : usual, error);
    return *ret_file;
}

/* Without leases of its own a guest would not be locked at all where disks are not. */
static void lockd_set(Loading *loading)
{
    QemuLockdConf *lockd = &loading->conf->lockd;

    if (!conf_line_of(&loading->report, "require_lease_for_disks"))
        lockd->require_lease_for_disks = !lockd->auto_disk_leases;
}

static void sanlock_user_set(Loading *loading)
{
    QemuSanlockConf *sanlock = &loading->conf->sanlock;
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1;

    if (sanlock->user && !qemu_user_find_uid(sanlock->user, &uid))
        conf_problem(&loading->report, conf_line_of(&loading->report, "user"),
                     "user: there is no user '%s'", sanlock->user);
    if (sanlock->group && !qemu_user_find_gid(sanlock->group, &gid))
        conf_problem(&loading->report, conf_line_of(&loading->report, "group"),
                     "group: there is no group '%s'",
                sanlock->group);
    sanlock->uid = (int)uid;
    sanlock->gid = (int)gid;
}

static void sanlock_set(Loading *loading)
{
    QemuSanlockConf *sanlock = &loading->conf->sanlock;

    if (!conf_line_of(&loading->report, "require_lease_for_disks"))
        sanlock->require_lease_for_disks = !sanlock->auto_disk_leases;
    if (!sanlock->disk_lease_dir)
        sanlock->disk_lease_dir = paths_join(loading->paths->state_dir, "sanlock");
    if (sanlock->auto_disk_leases && sanlock->host_id == 0)
        conf_problem(&loading->report, conf_line_of(&loading->report, "auto_disk_leases"),
                     "auto_disk_leases: host_id must be set, to a number that no other host has");
    sanlock_user_set(loading);
}

/* The file of the lock manager. */
static bool lock_load(const Loading *qemu, GError **error)
{
    bool is_lockd = qemu->conf->lock_manager == QEMU_LOCK_LOCKD;
    g_autofree char *helper = helper_program_find("splitvirt_sanlock");
    g_autoptr(ConfFile) file = NULL;
    Loading loading = {
        .paths = qemu->paths,
        .keys = is_lockd ? qemu_lockd_conf_keys : qemu_sanlock_conf_keys,
        .values = is_lockd ? (void *)&qemu->conf->lockd : &qemu->conf->sanlock,
        .conf = qemu->conf,
        .report = qemu->report,
    };

    if (qemu->conf->lock_manager == QEMU_LOCK_NOP)
        return true;
    if (!is_lockd && access(helper, X_OK) < 0)
        conf_problem(&qemu->report, conf_line_of(&qemu->report, "lock_manager"),
                     "lock_manager: this version was built without sanlock (%s is missing)", helper);
    if (!file_read(qemu->paths, is_lockd ? "qemu-lockd" : "qemu-sanlock", NULL, &file, error))
        return false;
    loading.report.file = file;
    file_apply(&loading);
    if (is_lockd)
        lockd_set(&loading);
    else
        sanlock_set(&loading);
    return true;
}

/* NULL when a file cannot be read; what is wrong in it is in @problems. */
static QemuConf *conf_make(const Paths *paths, const ConfFile *file, GPtrArray *problems,
                           GError **error)
{
    g_autoptr(QemuConf) conf = g_new0(QemuConf, 1);
    GPtrArray *notices = g_ptr_array_new_with_free_func(g_free);
    Loading loading = { paths, qemu_conf_keys, conf, conf, { file, problems, notices } };

    conf->n_refs = 1;
    conf->notices = notices;
    file_apply(&loading);
    user_set(&loading);
    tls_set(&loading);
    cgroups_set(&loading);
    auto_shutdown_set(&loading);
    together_check(&loading);
    return lock_load(&loading, error) ? g_steal_pointer(&conf) : NULL;
}

QemuConf *qemu_conf_load(const Paths *paths, const char *path, GError **error)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(ConfFile) file = NULL;
    g_autoptr(QemuConf) conf = NULL;

    if (!file_read(paths, "qemu", path, &file, error))
        return NULL;
    conf = conf_make(paths, file, problems, error);
    if (!conf)
        return NULL;
    if (problems->len == 0)
        return g_steal_pointer(&conf);
    g_autofree char *more =
        g_strdup_printf(" (and %u more: --check-config shows them)", problems->len - 1);
    error_set(error, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED, "%s%s",
              (const char *)g_ptr_array_index(problems, 0), problems->len > 1 ? more : "");
    return NULL;
}

bool qemu_conf_check(const Paths *paths, FILE *out)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(ConfFile) file = NULL;
    g_autoptr(QemuConf) conf = NULL;
    g_autoptr(GError) error = NULL;

    if (file_read(paths, "qemu", NULL, &file, &error))
        conf = conf_make(paths, file, problems, &error);
    if (!conf) {
        fprintf(out, "error: %s\nqemu.conf: the configuration cannot be used\n", error->message);
        return false;
    }
    for (guint i = 0; i < problems->len; i++)
        fprintf(out, "error: %s\n", (const char *)g_ptr_array_index(problems, i));
    for (guint i = 0; i < conf->notices->len; i++)
        fprintf(out, "notice: %s\n", (const char *)g_ptr_array_index(conf->notices, i));
    if (problems->len > 0)
        fprintf(out, "qemu.conf: the configuration cannot be used: %u error%s\n", problems->len,
                plural_s(problems->len));
    else
        fprintf(out, "qemu.conf: the configuration can be used%s\n",
                file ? "" : " (there is no file: all defaults)");
    return problems->len == 0;
}

QemuConf *qemu_conf_ref(QemuConf *conf)
{
    conf->n_refs++;
    return conf;
}

void qemu_conf_unref(QemuConf *conf)
{
    if (!conf || --conf->n_refs > 0)
        return;
    for (const ConfigKey *key = qemu_conf_keys; key->name; key++)
        config_value_clear(conf, key);
    for (const ConfigKey *key = qemu_lockd_conf_keys; key->name; key++)
        config_value_clear(&conf->lockd, key);
    for (const ConfigKey *key = qemu_sanlock_conf_keys; key->name; key++)
        config_value_clear(&conf->sanlock, key);
    qemu_user_clear(&conf->run_as);
    g_clear_pointer(&conf->notices, g_ptr_array_unref);
    g_free(conf);
}

typedef struct Load {
    const Paths *paths;
    QemuConf *conf;
} Load;

static bool load_in_thread(void *data, GError **error)
{
    Load *load = data;

    load->conf = qemu_conf_load(load->paths, NULL, error);
    return load->conf;
}

bool qemu_conf_replace(const Paths *paths, QemuConf **conf, GError **error)
{
    Load load = { .paths = paths };

    if (!fiber_offload(load_in_thread, &load, error))
        return false;
    for (guint i = 0; i < load.conf->notices->len; i++)
        LOG_WARN("%s", (const char *)g_ptr_array_index(load.conf->notices, i));
    qemu_conf_unref(*conf);
    *conf = load.conf;
    return true;
}
