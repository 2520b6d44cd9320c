/* The host's part of the capabilities, against golden files, and on this machine. Files are
 * made again with UPDATE_GOLDEN=1 in the environment. */
#include <glib.h>
#include <string.h>

#include "host_tree.h"
#include "virtqemud/host/host_capabilities.h"

static const HostSecmodel secmodels[] = {
    { "none", "0", NULL, NULL },
    { "dac", "0", "+64055:+64055", "+64055:+64055" },
};

static const HostIdentity identity = {
    .uuid = "7b55704c-29f4-11b2-a85c-9dc6ff50623f",
    .secmodels = secmodels,
    .n_secmodels = G_N_ELEMENTS(secmodels),
};

static char *format_host(const HostRoots *roots, bool is_any_arch)
{
    g_autoptr(HostCapabilities) capabilities = NULL;
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autoptr(GError) error = NULL;

    host_capabilities_read(roots, &capabilities, &error);
    g_assert_no_error(error);
    /* The one value that no tree can tell. */
    if (is_any_arch)
        g_strlcpy(capabilities->info.model, "x86_64", sizeof(capabilities->info.model));
    host_capabilities_format(capabilities, &identity, writer);
    return xml_writer_finish(writer);
}

static void test_machine_matches_golden_file(gconstpointer data)
{
    const char *machine = data;
    g_autoptr(HostTree) tree = host_tree_new(machine);
    g_autofree char *base = g_strconcat(machine, ".xml", NULL);
    g_autofree char *path = host_data_path(base);
    g_autofree char *expected = NULL;
    g_autofree char *text = format_host(&tree->roots, true);

    if (g_getenv("UPDATE_GOLDEN") != NULL)
        g_file_set_contents(path, text, -1, NULL);
    g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void test_sleep_and_iommu_are_shown(void)
{
    g_autoptr(HostTree) tree = host_tree_new("no-numa");
    g_autofree char *text = NULL;

    host_tree_write(tree, "sys/power/state", "mem disk\n", -1);
    host_tree_write(tree, "sys/kernel/iommu_groups/0/type", "DMA\n", -1);
    text = format_host(&tree->roots, true);
    g_assert_nonnull(strstr(text, "<suspend_mem/>"));
    g_assert_nonnull(strstr(text, "<suspend_disk/>"));
    g_assert_null(strstr(text, "<suspend_hybrid/>"));
    g_assert_nonnull(strstr(text, "<iommu support='yes'/>"));
}

static void format_own_cpu(const HostCapabilities *capabilities, XmlWriter *writer, void *data)
{
    xml_writer_open(writer, "cpu");
    xml_writer_element_string(writer, "model", data);
    xml_writer_close(writer);
}

static void test_cpu_element_can_be_given(void)
{
    g_autoptr(HostTree) tree = host_tree_new("no-numa");
    g_autoptr(HostCapabilities) capabilities = NULL;
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *model = g_strdup("Test-CPU");
    HostIdentity own = { .format_cpu = format_own_cpu, .format_cpu_data = model };
    g_autofree char *text = NULL;

    g_assert_true(host_capabilities_read(&tree->roots, &capabilities, NULL));
    host_capabilities_format(capabilities, &own, writer);
    text = xml_writer_finish(writer);
    g_assert_nonnull(strstr(text, "<model>Test-CPU</model>"));
    g_assert_null(strstr(text, "<arch>"));
    g_assert_null(strstr(text, "<uuid>"));
}

static void test_cache_in_odd_size_is_in_kib(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-dies");
    g_autofree char *text = NULL;

    host_tree_write(tree, "sys/devices/system/cpu/cpu0/cache/index1/size", "1536K\n", -1);
    text = format_host(&tree->roots, true);
    g_assert_nonnull(strstr(text, "size='1536' unit='KiB' cpus='0-3'"));
}

static void test_this_machine_has_a_cell(void)
{
    g_autofree char *text = format_host(&host_roots_default, false);

    g_assert_nonnull(strstr(text, "<cell id='0'>"));
    g_assert_nonnull(strstr(text, "<cpu id='0' "));
}

int main(int argc, char **argv)
{
    static const char *const machines[] = {
        "one-node-smt", "two-nodes", "offline-cpu", "offline-smt", "uneven",
        "memory-only-node", "sparse-nodes", "two-dies", "no-numa", "sparse-cpus",
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(machines); i++) {
        g_autofree char *path = g_strconcat("/capabilities/", machines[i], NULL);

        g_test_add_data_func(path, machines[i], test_machine_matches_golden_file);
    }
    g_test_add_func("/capabilities/sleep-and-iommu", test_sleep_and_iommu_are_shown);
    g_test_add_func("/capabilities/own-cpu", test_cpu_element_can_be_given);
    g_test_add_func("/capabilities/cache-size", test_cache_in_odd_size_is_in_kib);
    g_test_add_func("/capabilities/this-machine", test_this_machine_has_a_cell);
    return g_test_run();
}
