/* Where a daemon's files are. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "common/paths.h"

/* A session's environment: NULL unsets. */
static void environment_set(const char *home, const char *config, const char *cache,
                            const char *runtime)
{
    const char *const values[][2] = {
        { "HOME", home },
        { "XDG_CONFIG_HOME", config },
        { "XDG_CACHE_HOME", cache },
        { "XDG_RUNTIME_DIR", runtime },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        if (values[i][1]) {
            g_setenv(values[i][0], values[i][1], TRUE);
        } else {
            g_unsetenv(values[i][0]);
        }
    }
}

static Paths *paths_make(bool is_privileged, const char *root)
{
    g_autoptr(GError) error = NULL;
    Paths *paths = paths_new(is_privileged, root, &error);

    g_assert_no_error(error);
    return paths;
}

static void test_system_layout(void)
{
    g_autoptr(Paths) paths = paths_make(true, NULL);
    g_autofree char *config = paths_config_file(paths, "virtqemud");
    g_autofree char *pid = paths_pid_file(paths, "virtqemud");

    g_assert_false(paths->is_session);
    g_assert_null(paths->root);
    g_assert_cmpstr(paths->run_dir, ==, "/run/libvirt");
    g_assert_cmpstr(paths->state_dir, ==, "/var/lib/libvirt");
    g_assert_cmpstr(paths->log_dir, ==, "/var/log/libvirt");
    g_assert_cmpstr(paths->cache_dir, ==, "/var/cache/libvirt");
    g_assert_cmpstr(paths->ca_dir, ==, "/etc/pki/CA");
    g_assert_cmpstr(paths->cert_dir, ==, "/etc/pki/libvirt");
    g_assert_cmpstr(paths->key_dir, ==, "/etc/pki/libvirt/private");
    g_assert_cmpstr(config, ==, "/etc/libvirt/virtqemud.conf");
    g_assert_cmpstr(pid, ==, "/run/virtqemud.pid");
    g_assert_cmpstr(paths->instance, ==, "");
}

static void test_session_follows_the_xdg_folders(void)
{
    g_autoptr(Paths) paths = NULL;
    g_autofree char *config = NULL;
    g_autofree char *pid = NULL;

    environment_set("/home/u", "/c", "/k", "/r");
    paths = paths_make(false, NULL);
    config = paths_config_file(paths, "virtqemud");
    pid = paths_pid_file(paths, "virtqemud");
    g_assert_true(paths->is_session);
    g_assert_cmpstr(config, ==, "/c/libvirt/virtqemud.conf");
    g_assert_cmpstr(pid, ==, "/r/libvirt/virtqemud.pid");
    g_assert_cmpstr(paths->run_dir, ==, "/r/libvirt");
    g_assert_cmpstr(paths->cache_dir, ==, "/k/libvirt");
    g_assert_cmpstr(paths->log_dir, ==, "/k/libvirt");
    g_assert_cmpstr(paths->state_dir, ==, "/c/libvirt");
    g_assert_cmpstr(paths->ca_dir, ==, "/home/u/.pki/libvirt");
    g_assert_cmpstr(paths->key_dir, ==, "/home/u/.pki/libvirt");
    g_assert_cmpstr(paths->instance, ==, "");
}

static void test_session_without_xdg_variables_uses_the_home_folder(void)
{
    g_autoptr(Paths) paths = NULL;

    environment_set("/home/u", NULL, NULL, NULL);
    paths = paths_make(false, NULL);
    g_assert_cmpstr(paths->config_dir, ==, "/home/u/.config/libvirt");
    g_assert_cmpstr(paths->cache_dir, ==, "/home/u/.cache/libvirt");
    g_assert_cmpstr(paths->run_dir, ==, "/home/u/.cache/libvirt");
    g_assert_cmpstr(paths->pid_dir, ==, "/home/u/.cache/libvirt");
}

static void test_session_ignores_relative_xdg_variables(void)
{
    g_autoptr(Paths) paths = NULL;

    environment_set("/home/u", "c", "", "./r");
    paths = paths_make(false, NULL);
    g_assert_cmpstr(paths->config_dir, ==, "/home/u/.config/libvirt");
    g_assert_cmpstr(paths->cache_dir, ==, "/home/u/.cache/libvirt");
    g_assert_cmpstr(paths->run_dir, ==, "/home/u/.cache/libvirt");
}

static void test_root_holds_the_system_layout_for_everybody(void)
{
    g_autofree char *root = g_dir_make_tmp("paths-XXXXXX", NULL);
    g_autofree char *run_dir = g_strconcat(root, "/run/libvirt", NULL);

    g_assert_nonnull(root);
    for (int is_privileged = 0; is_privileged < 2; is_privileged++) {
        g_autoptr(Paths) paths = paths_make(is_privileged, root);

        g_assert_false(paths->is_session);
        g_assert_cmpstr(paths->root, ==, root);
        g_assert_cmpstr(paths->run_dir, ==, run_dir);
        g_assert_true(g_str_has_prefix(paths->config_dir, root));
        g_assert_true(g_str_has_prefix(paths->pid_dir, root));
        g_assert_true(g_str_has_prefix(paths->state_dir, root));
        g_assert_true(g_str_has_prefix(paths->log_dir, root));
        g_assert_true(g_str_has_prefix(paths->cache_dir, root));
        g_assert_true(g_str_has_prefix(paths->ca_dir, root));
        g_assert_true(g_str_has_prefix(paths->cert_dir, root));
        g_assert_true(g_str_has_prefix(paths->key_dir, root));
    }
    g_assert_cmpint(rmdir(root), ==, 0);
}

static void test_instance_is_that_of_the_folder_not_of_its_spelling(void)
{
    g_autofree char *root = g_dir_make_tmp("paths-XXXXXX", NULL);
    g_autofree char *other = g_dir_make_tmp("paths-XXXXXX", NULL);
    g_autofree char *link = g_build_filename(other, "link", NULL);
    g_autofree char *slashes = g_strconcat(root, "/.//", NULL);
    g_autoptr(Paths) plain = paths_make(true, root);
    g_autoptr(Paths) spelled = paths_make(true, slashes);
    g_autoptr(Paths) linked = NULL;
    g_autoptr(Paths) another = paths_make(true, other);

    g_assert_cmpint(symlink(root, link), ==, 0);
    linked = paths_make(true, link);
    g_assert_cmpuint(strlen(plain->instance), ==, 8);
    g_assert_cmpstr(spelled->instance, ==, plain->instance);
    g_assert_cmpstr(spelled->root, ==, root);
    g_assert_cmpstr(linked->instance, ==, plain->instance);
    g_assert_cmpstr(linked->root, ==, link);
    g_assert_cmpstr(another->instance, !=, plain->instance);
    g_assert_cmpint(unlink(link), ==, 0);
    g_assert_cmpint(rmdir(root), ==, 0);
    g_assert_cmpint(rmdir(other), ==, 0);
}

static void test_slash_as_root_is_the_system(void)
{
    g_autoptr(Paths) paths = paths_make(true, "/");

    g_assert_null(paths->root);
    g_assert_cmpstr(paths->run_dir, ==, "/run/libvirt");
    g_assert_cmpstr(paths->instance, ==, "");
}

static void test_root_that_is_no_folder_is_refused(void)
{
    static const char *const roots[] = { "/no/such/folder", "/dev/null" };

    for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Paths) paths = paths_new(true, roots[i], &error);

        g_assert_null(paths);
        g_assert_error(error, error_quark(VIR_FROM_CONF), VIR_ERR_SYSTEM_ERROR);
        g_assert_nonnull(strstr(error->message, roots[i]));
    }
}

static void test_socket_names(void)
{
    g_autofree char *main_path = paths_socket("/run/libvirt", "libvirt", SOCKET_MAIN, NULL);
    g_autofree char *ro_path = paths_socket("/run/libvirt", "virtqemud", SOCKET_RO, NULL);
    g_autofree char *admin_path = paths_socket("/run/libvirt/", "virtqemud", SOCKET_ADMIN, NULL);

    g_assert_cmpstr(main_path, ==, "/run/libvirt/libvirt-sock");
    g_assert_cmpstr(ro_path, ==, "/run/libvirt/virtqemud-sock-ro");
    g_assert_cmpstr(admin_path, ==, "/run/libvirt/virtqemud-admin-sock");
}

static void test_socket_path_of_108_bytes_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *fill = g_strnfill(107 - strlen("/x-sock") - 1, 'a');
    g_autofree char *folder = g_strconcat("/", fill, NULL);
    g_autofree char *longer = g_strconcat(folder, "b", NULL);
    g_autofree char *fits = paths_socket(folder, "x", SOCKET_MAIN, NULL);
    g_autofree char *path = paths_socket(longer, "x", SOCKET_MAIN, &error);

    g_assert_cmpuint(strlen(fits), ==, 107);
    g_assert_null(path);
    g_assert_error(error, error_quark(VIR_FROM_CONF), VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, longer));
    g_assert_nonnull(strstr(error->message, "108 bytes"));
}

static void test_join(void)
{
    g_autofree char *plain = paths_join("/a", "b/c");
    g_autofree char *slash = paths_join("/", "b");

    g_assert_cmpstr(plain, ==, "/a/b/c");
    g_assert_cmpstr(slash, ==, "/b");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/paths/" #name, test_##name)
    ADD(system_layout);
    ADD(session_follows_the_xdg_folders);
    ADD(session_without_xdg_variables_uses_the_home_folder);
    ADD(session_ignores_relative_xdg_variables);
    ADD(root_holds_the_system_layout_for_everybody);
    ADD(instance_is_that_of_the_folder_not_of_its_spelling);
    ADD(slash_as_root_is_the_system);
    ADD(root_that_is_no_folder_is_refused);
    ADD(socket_names);
    ADD(socket_path_of_108_bytes_is_refused);
    ADD(join);
    return g_test_run();
}
