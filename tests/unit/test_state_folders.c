/* Where objects keep their files, and which names cannot be files. */
#include "common/state_folders.h"

#include <glib/gstdio.h>

#include "base/error.h"

static void test_places_of_existing_installations(void)
{
    g_autoptr(Paths) paths = paths_new(true, NULL, NULL);
    g_autoptr(StateFolders) folders = state_folders_new(paths, "qemu/networks", "network");
    g_autofree char *definition = state_definition_path(folders, "default");
    g_autofree char *autostart = state_autostart_path(folders, "default");
    g_autofree char *live = state_live_path(folders, "default");

    g_assert_cmpstr(definition, ==, "/etc/libvirt/qemu/networks/default.xml");
    g_assert_cmpstr(autostart, ==, "/etc/libvirt/qemu/networks/autostart/default.xml");
    g_assert_cmpstr(live, ==, "/run/libvirt/network/default.xml");
}

static void test_root_moves_all_of_them(void)
{
    g_autofree char *root = g_dir_make_tmp("state-XXXXXX", NULL);
    g_autoptr(Paths) paths = paths_new(true, root, NULL);
    g_autoptr(StateFolders) folders = state_folders_new(paths, "qemu", "qemu");
    g_autofree char *live = state_live_path(folders, "vm");

    g_assert_true(g_str_has_prefix(folders->config_dir, root));
    g_assert_true(g_str_has_prefix(folders->autostart_dir, root));
    g_assert_true(g_str_has_prefix(live, root));
    g_assert_cmpint(g_rmdir(root), ==, 0);
}

static void test_ordinary_names_are_taken(void)
{
    static const char *const names[] = { "vm", "web 1", "a.b", "-", "m\xc3\xbcller", "xml" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_true(state_name_check(names[i], NULL));
}

static void test_names_that_cannot_be_files_are_refused(void)
{
    g_autofree char *long_name = g_strnfill(252, 'x');
    const char *names[] = { "", ".", "..", ".hidden", "a/b", "../../etc/passwd", "a\nb", long_name };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(state_name_check(names[i], &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_XML_ERROR);
    }
}

static void test_longest_name_is_taken(void)
{
    g_autofree char *name = g_strnfill(251, 'x');

    g_assert_true(state_name_check(name, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state-folders/places", test_places_of_existing_installations);
    g_test_add_func("/state-folders/root", test_root_moves_all_of_them);
    g_test_add_func("/state-folders/ordinary-names", test_ordinary_names_are_taken);
    g_test_add_func("/state-folders/bad-names", test_names_that_cannot_be_files_are_refused);
    g_test_add_func("/state-folders/longest-name", test_longest_name_is_taken);
    return g_test_run();
}
