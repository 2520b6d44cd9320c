/* Processors, cells and node information, on recorded machines and on this one. */
#include <glib.h>
#include <unistd.h>

#include "base/error_codes.h"
#include "host_tree.h"
#include "virtqemud/host/node_info.h"
#include "virtqemud/host/topology.h"
#include "virtqemud/host/topology_cache.h"

typedef struct InfoCase {
    const char *machine;
    NodeInfo info; /* the model apart */
} InfoCase;

static const InfoCase info_cases[] = {
    { "one-node-smt", { "", 16384000, 8, 2400, 1, 1, 4, 2 } },
    { "two-nodes", { "", 16449536, 8, 2400, 2, 1, 4, 1 } },
    { "sparse-nodes", { "", 16449536, 8, 2400, 2, 1, 4, 1 } },
    { "offline-smt", { "", 4096000, 3, 2400, 1, 1, 2, 2 } },
    { "sparse-cpus", { "", 2048000, 4, 2400, 1, 1, 4, 1 } },
    { "no-numa", { "", 2048000, 2, 2400, 1, 1, 2, 1 } },
    /* No four numbers fit these. */
    { "offline-cpu", { "", 4096000, 3, 2400, 1, 1, 4, 1 } },
    { "uneven", { "", 6144000, 4, 2400, 1, 1, 4, 1 } },
    { "memory-only-node", { "", 16449536, 4, 2400, 1, 1, 4, 1 } },
    { "two-dies", { "", 8192000, 8, 2400, 1, 1, 8, 1 } },
};

static void test_node_info_of_machine(gconstpointer data)
{
    const InfoCase *expected = data;
    g_autoptr(HostTree) tree = host_tree_new(expected->machine);
    g_autoptr(GError) error = NULL;
    NodeInfo info;

    node_info_read(&tree->roots, &info, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(info.memory_kib, ==, expected->info.memory_kib);
    g_assert_cmpuint(info.cpus, ==, expected->info.cpus);
    g_assert_cmpuint(info.mhz, ==, expected->info.mhz);
    g_assert_cmpuint(info.nodes, ==, expected->info.nodes);
    g_assert_cmpuint(info.sockets, ==, expected->info.sockets);
    g_assert_cmpuint(info.cores, ==, expected->info.cores);
    g_assert_cmpuint(info.threads, ==, expected->info.threads);
}

static guint read_mhz_of(const char *cpuinfo)
{
    g_autoptr(HostTree) tree = host_tree_new("no-numa");
    NodeInfo info;

    host_tree_write(tree, "proc/cpuinfo", cpuinfo, -1);
    g_assert_true(node_info_read(&tree->roots, &info, NULL));
    return info.mhz;
}

static void test_mhz_is_read_on_power(void)
{
    g_assert_cmpuint(read_mhz_of("processor\t: 0\ncpu\t\t: POWER9\nclock\t\t: 3800.5MHz\n"), ==,
                     3800);
}

static void test_mhz_is_0_where_kernel_does_not_tell(void)
{
    g_assert_cmpuint(read_mhz_of("processor\t: 0\nBogoMIPS\t: 50.00\n"), ==, 0);
}

static void test_mhz_that_is_no_number_is_0(void)
{
    g_assert_cmpuint(read_mhz_of("cpu MHz : fast\n"), ==, 0);
}

static void test_node_info_fails_without_processors(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GError) error = NULL;
    NodeInfo info;

    g_assert_false(node_info_read(&tree->roots, &info, &error));
    assert_host_error(&error, VIR_ERR_SYSTEM_ERROR, NULL);
}

static void test_node_info_fails_on_wrong_list(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(GError) error = NULL;
    NodeInfo info;

    host_tree_write(tree, "sys/devices/system/cpu/present", "0-x\n", -1);
    g_assert_false(node_info_read(&tree->roots, &info, &error));
    g_assert_nonnull(error);
}

static void test_list_with_huge_number_is_refused(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(GError) error = NULL;
    HostTopology *topology = NULL;

    host_tree_write(tree, "sys/devices/system/cpu/present", "0-4000000000\n", -1);
    g_assert_false(host_topology_read(&tree->roots, &topology, &error));
    g_assert_nonnull(error);
    g_assert_null(topology);
}

static char *siblings_of(const char *machine, guint index)
{
    g_autoptr(HostTree) tree = host_tree_new(machine);
    g_autoptr(HostTopology) topology = NULL;
    g_autoptr(Bitmap) siblings = NULL;

    g_assert_true(host_topology_read(&tree->roots, &topology, NULL));
    g_assert_cmpuint(index, <, topology->cpus->len);
    siblings = host_topology_siblings(topology, &g_array_index(topology->cpus, HostCpu, index));
    return bitmap_format(siblings);
}

static void test_siblings_share_a_core(void)
{
    g_autofree char *siblings = siblings_of("one-node-smt", 5);

    g_assert_cmpstr(siblings, ==, "1,5");
}

static void test_siblings_do_not_cross_dies(void)
{
    g_autofree char *siblings = siblings_of("two-dies", 4);

    g_assert_cmpstr(siblings, ==, "4");
}

static void test_siblings_leave_out_offline_threads(void)
{
    g_autofree char *siblings = siblings_of("offline-smt", 2);

    g_assert_cmpstr(siblings, ==, "2");
}

static void test_unknown_cluster_is_0(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(HostTopology) topology = NULL;

    g_assert_true(host_topology_read(&tree->roots, &topology, NULL));
    g_assert_cmpuint(g_array_index(topology->cpus, HostCpu, 0).cluster_id, ==, 0);
}

static void test_negative_socket_is_0(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(HostTopology) topology = NULL;

    host_tree_write(tree, "sys/devices/system/cpu/cpu5/topology/physical_package_id", "-1\n", -1);
    g_assert_true(host_topology_read(&tree->roots, &topology, NULL));
    g_assert_cmpuint(g_array_index(topology->cpus, HostCpu, 5).socket_id, ==, 0);
}

static char *map_of(const char *machine, guint *ret_count)
{
    g_autoptr(HostTree) tree = host_tree_new(machine);
    g_autoptr(Bitmap) online = NULL;

    g_assert_true(host_cpu_map_read(&tree->roots, &online, ret_count, NULL));
    return bitmap_format(online);
}

static void test_cpu_map_counts_offline_processor(void)
{
    guint count;
    g_autofree char *online = map_of("offline-cpu", &count);

    g_assert_cmpstr(online, ==, "0-2");
    g_assert_cmpuint(count, ==, 4);
}

static void test_cpu_map_reaches_to_highest_processor(void)
{
    guint count;
    g_autofree char *online = map_of("sparse-cpus", &count);

    g_assert_cmpstr(online, ==, "0-1,4-5");
    g_assert_cmpuint(count, ==, 6);
}

static void test_cells_may_have_holes(void)
{
    g_autoptr(HostTree) tree = host_tree_new("sparse-nodes");
    g_autoptr(HostCells) cells = NULL;

    g_assert_true(host_cells_read(&tree->roots, &cells, NULL));
    g_assert_cmpuint(host_cells_last(cells), ==, 2);
    g_assert_false(bitmap_has(cells->ids, 1));
}

static void test_kernel_without_numa_has_one_cell(void)
{
    g_autoptr(HostTree) tree = host_tree_new("no-numa");
    g_autoptr(HostCells) cells = NULL;

    g_assert_true(host_cells_read(&tree->roots, &cells, NULL));
    g_assert_false(cells->is_numa);
    g_assert_cmpuint(host_cells_last(cells), ==, 0);
}

static guint count_cpus(TopologyCache *cache)
{
    const HostTopology *topology = NULL;

    g_assert_true(topology_cache_get(cache, &topology, NULL));
    return topology->cpus->len;
}

static void test_cache_reads_once(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(TopologyCache) cache = topology_cache_new(&tree->roots);
    const HostTopology *first, *second;

    g_assert_true(topology_cache_get(cache, &first, NULL));
    host_tree_write(tree, "sys/devices/system/cpu/cpu1/topology/core_id", "77\n", -1);
    g_assert_true(topology_cache_get(cache, &second, NULL));
    g_assert_true(first == second);
    g_assert_cmpuint(g_array_index(second->cpus, HostCpu, 1).core_id, !=, 77);
}

static void test_cache_sees_processor_go(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(TopologyCache) cache = topology_cache_new(&tree->roots);

    g_assert_cmpuint(count_cpus(cache), ==, 8);
    host_tree_write(tree, "sys/devices/system/cpu/online", "0-6\n", -1);
    host_tree_write(tree, "sys/devices/system/node/node1/cpulist", "4-6\n", -1);
    g_assert_cmpuint(count_cpus(cache), ==, 7);
}

static void test_cache_keeps_nothing_half_changed(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(TopologyCache) cache = topology_cache_new(&tree->roots);

    host_tree_write(tree, "sys/devices/system/cpu/online", "0-6\n", -1);
    g_assert_cmpuint(count_cpus(cache), ==, 8);
    host_tree_write(tree, "sys/devices/system/node/node1/cpulist", "4-6\n", -1);
    g_assert_cmpuint(count_cpus(cache), ==, 7);
}

static void test_cache_reports_what_cannot_be_read(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(TopologyCache) cache = topology_cache_new(&tree->roots);
    g_autoptr(GError) error = NULL;
    const HostTopology *topology;

    g_assert_cmpuint(count_cpus(cache), ==, 8);
    host_tree_remove(tree, "sys/devices/system/cpu/present");
    g_assert_false(topology_cache_get(cache, &topology, &error));
    assert_host_error(&error, VIR_ERR_SYSTEM_ERROR, NULL);
}

static void test_this_machine_agrees_with_libc(void)
{
    NodeInfo info;
    g_autoptr(Bitmap) online = NULL;
    guint count;

    g_assert_true(node_info_read(&host_roots_default, &info, NULL));
    g_assert_true(host_cpu_map_read(&host_roots_default, &online, &count, NULL));
    g_assert_cmpuint(info.cpus, ==, (guint) sysconf(_SC_NPROCESSORS_ONLN));
    g_assert_cmpuint(bitmap_count(online), ==, info.cpus);
    g_assert_cmpuint(info.nodes * info.sockets * info.cores * info.threads, ==,
                     (guint) sysconf(_SC_NPROCESSORS_CONF));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(info_cases); i++) {
        g_autofree char *path = g_strconcat("/node-info/", info_cases[i].machine, NULL);

        g_test_add_data_func(path, &info_cases[i], test_node_info_of_machine);
    }
    g_test_add_func("/node-info/mhz-on-power", test_mhz_is_read_on_power);
    g_test_add_func("/node-info/mhz-unknown", test_mhz_is_0_where_kernel_does_not_tell);
    g_test_add_func("/node-info/mhz-no-number", test_mhz_that_is_no_number_is_0);
    g_test_add_func("/node-info/no-processors", test_node_info_fails_without_processors);
    g_test_add_func("/node-info/wrong-list", test_node_info_fails_on_wrong_list);
    g_test_add_func("/topology/huge-number", test_list_with_huge_number_is_refused);
    g_test_add_func("/topology/siblings-core", test_siblings_share_a_core);
    g_test_add_func("/topology/siblings-dies", test_siblings_do_not_cross_dies);
    g_test_add_func("/topology/siblings-offline", test_siblings_leave_out_offline_threads);
    g_test_add_func("/topology/unknown-cluster", test_unknown_cluster_is_0);
    g_test_add_func("/topology/negative-socket", test_negative_socket_is_0);
    g_test_add_func("/cpu-map/offline", test_cpu_map_counts_offline_processor);
    g_test_add_func("/cpu-map/sparse", test_cpu_map_reaches_to_highest_processor);
    g_test_add_func("/cells/holes", test_cells_may_have_holes);
    g_test_add_func("/cells/no-numa", test_kernel_without_numa_has_one_cell);
    g_test_add_func("/topology-cache/once", test_cache_reads_once);
    g_test_add_func("/topology-cache/processor-goes", test_cache_sees_processor_go);
    g_test_add_func("/topology-cache/half-changed", test_cache_keeps_nothing_half_changed);
    g_test_add_func("/topology-cache/error", test_cache_reports_what_cannot_be_read);
    g_test_add_func("/this-machine", test_this_machine_agrees_with_libc);
    return g_test_run();
}
