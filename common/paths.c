/* Every folder that a daemon uses, decided in one place: the host's own layout, the same below
 * another root, or a user's XDG folders. */
#include "common/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

static const char *const socket_suffixes[] = {
    [SOCKET_MAIN] = "-sock",
    [SOCKET_RO] = "-sock-ro",
    [SOCKET_ADMIN] = "-admin-sock",
};

char *paths_join(const char *folder, const char *name)
{
    return g_strconcat(folder, g_str_has_suffix(folder, "/") ? "" : "/", name, NULL);
}

/* Sets the instance from where the root really is: daemons that were given different
 * spellings of one root share the names, as they share the files. */
static bool set_instance(Paths *paths, GError **error)
{
    char real[PATH_MAX];
    struct stat status;
    g_autofree char *digest = NULL;

    if (!realpath(paths->root, real) || stat(real, &status) < 0) {
        error_set_errno(error, VIR_FROM_CONF, errno, "cannot use root folder '%s'", paths->root);
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        error_set_errno(error, VIR_FROM_CONF, ENOTDIR, "cannot use root folder '%s'", paths->root);
        return false;
    }
    digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, real, -1);
    g_strlcpy(paths->instance, digest, sizeof(paths->instance));
    return true;
}

/* The system's layout, below @root if there is one. */
static bool set_system(Paths *paths, const char *root, GError **error)
{
    const char *base;

    /* --root / is the system itself. */
    if (root && !g_str_equal(root, "/")) {
        paths->root = g_canonicalize_filename(root, NULL);
        if (!set_instance(paths, error)) {
            return false;
        }
    }
    base = paths->root ? paths->root : "";
    paths->config_dir = g_strconcat(base, "/etc/libvirt", NULL);
    paths->run_dir = g_strconcat(base, "/run/libvirt", NULL);
    paths->pid_dir = g_strconcat(base, "/run", NULL);
    paths->state_dir = g_strconcat(base, "/var/lib/libvirt", NULL);
    paths->log_dir = g_strconcat(base, "/var/log/libvirt", NULL);
    paths->cache_dir = g_strconcat(base, "/var/cache/libvirt", NULL);
    paths->ca_dir = g_strconcat(base, "/etc/pki/CA", NULL);
    paths->cert_dir = g_strconcat(base, "/etc/pki/libvirt", NULL);
    paths->key_dir = g_strconcat(base, "/etc/pki/libvirt/private", NULL);
    return true;
}

/* The folder "libvirt" in the one that @variable names, or in HOME/@fallback. */
static char *user_dir(const char *variable, const char *home, const char *fallback)
{
    const char *folder = g_getenv(variable);

    /* The XDG Base Directory specification: relative paths are to be ignored. */
    if (folder && g_path_is_absolute(folder)) {
        return paths_join(folder, "libvirt");
    }
    return g_build_filename(home, fallback, "libvirt", NULL);
}

/* The folders of the user who runs this. State lies beside the configuration, and logs
 * in the cache, because that is where existing sessions have them. */
static bool set_session(Paths *paths, GError **error)
{
    const char *home = g_getenv("HOME");

    if (!home || !g_path_is_absolute(home)) {
        home = g_get_home_dir();
    }
    if (!home || !g_path_is_absolute(home)) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_INTERNAL_ERROR,
                  "the user has no home folder: set HOME to an absolute path");
        return false;
    }
    paths->is_session = true;
    paths->config_dir = user_dir("XDG_CONFIG_HOME", home, ".config");
    paths->cache_dir = user_dir("XDG_CACHE_HOME", home, ".cache");
    paths->run_dir = user_dir("XDG_RUNTIME_DIR", home, ".cache");
    paths->pid_dir = g_strdup(paths->run_dir);
    paths->state_dir = g_strdup(paths->config_dir);
    paths->log_dir = g_strdup(paths->cache_dir);
    paths->ca_dir = g_build_filename(home, ".pki/libvirt", NULL);
    paths->cert_dir = g_strdup(paths->ca_dir);
    paths->key_dir = g_strdup(paths->ca_dir);
    return true;
}

/* A root folder makes a system of its own, also without privileges: for tests, and for trying
 * things out beside the real one. */
Paths *paths_new(bool is_privileged, const char *root, GError **error)
{
    g_autoptr(Paths) paths = g_new0(Paths, 1);
    bool is_system = is_privileged || root;

    paths->is_privileged = is_privileged;
    if (is_system ? !set_system(paths, root, error) : !set_session(paths, error)) {
        return NULL;
    }
    return g_steal_pointer(&paths);
}

void paths_free(Paths *paths)
{
    if (!paths) {
        return;
    }
    g_free(paths->root);
    g_free(paths->config_dir);
    g_free(paths->run_dir);
    g_free(paths->pid_dir);
    g_free(paths->state_dir);
    g_free(paths->log_dir);
    g_free(paths->cache_dir);
    g_free(paths->ca_dir);
    g_free(paths->cert_dir);
    g_free(paths->key_dir);
    g_free(paths);
}

char *paths_config_file(const Paths *paths, const char *name)
{
    return g_strdup_printf("%s/%s.conf", paths->config_dir, name);
}

char *paths_pid_file(const Paths *paths, const char *name)
{
    return g_strdup_printf("%s/%s.pid", paths->pid_dir, name);
}

/* A longer path would be cut off by the kernel's interface, or refused with an error that
 * names nothing. */
char *paths_socket(const char *folder, const char *name, SocketKind kind, GError **error)
{
    g_autofree char *file = g_strconcat(name, socket_suffixes[kind], NULL);
    g_autofree char *path = paths_join(folder, file);

    if (strlen(path) > PATHS_MAX_SOCKET_LENGTH) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED,
                  "socket path '%s' has %zu bytes, and a socket's path can have at most %d: choose "
                  "a shorter folder (--root, unix_sock_dir)",
                  path, strlen(path), PATHS_MAX_SOCKET_LENGTH);
        return NULL;
    }
    return g_steal_pointer(&path);
}
