/* Processor and memory statistics, pages, on recorded machines and on this one. */
#include <glib.h>
#include <sys/sysinfo.h>

#include "base/error_codes.h"
#include "host_tree.h"
#include "virtqemud/host/cpu_stats.h"
#include "virtqemud/host/memory.h"
#include "virtqemud/host/pages.h"

static void assert_stat(const HostStats *stats, guint index, const char *field, guint64 value)
{
    g_assert_cmpuint(index, <, stats->n_items);
    g_assert_cmpstr(stats->items[index].field, ==, field);
    g_assert_cmpuint(stats->items[index].value, ==, value);
}

static void test_cpu_stats_of_host_are_in_nanoseconds(void)
{
    g_autoptr(HostTree) tree = host_tree_new("one-node-smt");
    HostStats stats;

    g_assert_true(cpu_stats_read(&tree->roots, CPU_STATS_ALL_CPUS, 4, &stats, NULL));
    assert_stat(&stats, 0, "kernel", G_GUINT64_CONSTANT(25110000000));
    assert_stat(&stats, 1, "user", G_GUINT64_CONSTANT(81710000000));
    assert_stat(&stats, 2, "idle", G_GUINT64_CONSTANT(7200000000000));
    assert_stat(&stats, 3, "iowait", G_GUINT64_CONSTANT(4000000000));
}

static void test_cpu_stats_of_one_processor(void)
{
    g_autoptr(HostTree) tree = host_tree_new("one-node-smt");
    HostStats stats;

    g_assert_true(cpu_stats_read(&tree->roots, 7, 4, &stats, NULL));
    assert_stat(&stats, 0, "kernel", G_GUINT64_CONSTANT(3200000000));
}

static void test_cpu_stats_count_needs_no_processor(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    HostStats stats;

    g_assert_true(cpu_stats_read(&tree->roots, 99, 0, &stats, NULL));
    g_assert_cmpuint(stats.count, ==, 4);
    g_assert_cmpuint(stats.n_items, ==, 0);
}

static void assert_cpu_stats_refused(const char *machine, int cpu, int nparams)
{
    g_autoptr(HostTree) tree = host_tree_new(machine);
    g_autoptr(GError) error = NULL;
    HostStats stats;

    g_assert_false(cpu_stats_read(&tree->roots, cpu, nparams, &stats, &error));
    assert_host_error(&error, VIR_ERR_INVALID_ARG, NULL);
}

static void test_cpu_stats_refuse_wrong_processor(void)
{
    assert_cpu_stats_refused("one-node-smt", 8, 4);
    assert_cpu_stats_refused("one-node-smt", -2, 4);
    assert_cpu_stats_refused("offline-cpu", 3, 4);
}

static void test_cpu_stats_refuse_wrong_count(void)
{
    assert_cpu_stats_refused("one-node-smt", 0, 3);
    assert_cpu_stats_refused("one-node-smt", 0, 5);
    assert_cpu_stats_refused("one-node-smt", 0, -1);
}

static void test_cpu_stats_refuse_short_line(void)
{
    g_autoptr(HostTree) tree = host_tree_new("one-node-smt");
    g_autoptr(GError) error = NULL;
    HostStats stats;

    host_tree_write(tree, "proc/stat", "cpu  1 2 3\n", -1);
    g_assert_false(cpu_stats_read(&tree->roots, -1, 4, &stats, &error));
    g_assert_nonnull(error);
}

static void test_memory_stats_of_host(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    HostStats stats;

    g_assert_true(memory_stats_read(&tree->roots, MEMORY_ALL_CELLS, 4, &stats, NULL));
    assert_stat(&stats, 0, "total", 16449536);
    assert_stat(&stats, 1, "free", 10000000);
    assert_stat(&stats, 2, "buffers", 4321);
    assert_stat(&stats, 3, "cached", 98765);
}

static void test_memory_stats_of_cell(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    HostStats stats;

    g_assert_true(memory_stats_read(&tree->roots, 1, 2, &stats, NULL));
    g_assert_cmpuint(stats.n_items, ==, 2);
    assert_stat(&stats, 0, "total", 8257536);
    assert_stat(&stats, 1, "free", 6000000);
}

static void test_memory_stats_count_depends_on_cell(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    HostStats stats;

    g_assert_true(memory_stats_read(&tree->roots, -1, 0, &stats, NULL));
    g_assert_cmpuint(stats.count, ==, 4);
    g_assert_true(memory_stats_read(&tree->roots, 1, 0, &stats, NULL));
    g_assert_cmpuint(stats.count, ==, 2);
    g_assert_cmpuint(stats.n_items, ==, 0);
}

static void assert_memory_stats_refused(int cell, int nparams)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(GError) error = NULL;
    HostStats stats;

    g_assert_false(memory_stats_read(&tree->roots, cell, nparams, &stats, &error));
    assert_host_error(&error, VIR_ERR_INVALID_ARG, NULL);
}

static void test_memory_stats_refuse_wrong_cell_even_for_count(void)
{
    assert_memory_stats_refused(2, 0);
    assert_memory_stats_refused(-2, 2);
}

static void test_memory_stats_refuse_wrong_count(void)
{
    assert_memory_stats_refused(0, 4);
    assert_memory_stats_refused(-1, 2);
}

static void test_memory_of_hole_between_cells_is_an_error(void)
{
    g_autoptr(HostTree) tree = host_tree_new("sparse-nodes");
    g_autoptr(GError) error = NULL;
    HostStats stats;

    g_assert_false(memory_stats_read(&tree->roots, 1, 2, &stats, &error));
    assert_host_error(&error, VIR_ERR_SYSTEM_ERROR, NULL);
}

static void test_memory_without_total_is_an_error(void)
{
    g_autoptr(HostTree) tree = host_tree_new("no-numa");
    g_autoptr(GError) error = NULL;
    HostMemory memory;

    host_tree_write(tree, "proc/meminfo", "NotMemTotal: 5 kB\nMemFree: 3 kB\nMemTotal 4\n", -1);
    g_assert_false(memory_read_host(&tree->roots, &memory, &error));
    assert_host_error(&error, VIR_ERR_INTERNAL_ERROR, NULL);
}

static void test_free_memory_is_that_of_all_cells(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    guint64 bytes;

    g_assert_true(memory_read_free(&tree->roots, &bytes, NULL));
    g_assert_cmpuint(bytes, ==, G_GUINT64_CONSTANT(10240000000));
}

static GArray *free_of(const char *machine, int start, int max, GError **error)
{
    g_autoptr(HostTree) tree = host_tree_new(machine);
    GArray *bytes = NULL;

    memory_read_free_of_cells(&tree->roots, start, max, &bytes, error);
    return bytes;
}

static void test_free_memory_of_cells_ends_with_the_last(void)
{
    g_autoptr(GArray) bytes = free_of("two-nodes", 0, 1024, NULL);

    g_assert_cmpuint(bytes->len, ==, 2);
    g_assert_cmpuint(g_array_index(bytes, guint64, 1), ==, G_GUINT64_CONSTANT(6144000000));
}

static void test_free_memory_of_hole_is_0(void)
{
    g_autoptr(GArray) bytes = free_of("sparse-nodes", 1, 2, NULL);

    g_assert_cmpuint(bytes->len, ==, 2);
    g_assert_cmpuint(g_array_index(bytes, guint64, 0), ==, 0);
    g_assert_cmpuint(g_array_index(bytes, guint64, 1), ==, G_GUINT64_CONSTANT(6144000000));
}

static void test_free_memory_behind_last_cell_is_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(free_of("two-nodes", 2, 1, &error));
    assert_host_error(&error, VIR_ERR_INTERNAL_ERROR,
                      "internal error: start cell 2 out of range (0-1)");
}

static void test_free_memory_of_no_cells_is_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(free_of("two-nodes", 0, 0, &error));
    assert_host_error(&error, VIR_ERR_INVALID_ARG, NULL);
    g_assert_null(free_of("two-nodes", -1, 1, &error));
    assert_host_error(&error, VIR_ERR_INVALID_ARG, NULL);
}

static char *free_pages_of(const char *machine, const guint *sizes, guint n_sizes, int start,
                           guint n_cells, GError **error)
{
    g_autoptr(HostTree) tree = host_tree_new(machine);
    g_autoptr(GArray) counts = NULL;
    GString *text = NULL;

    if (!pages_read_free(&tree->roots, sizes, n_sizes, start, n_cells, &counts, error))
        return NULL;
    text = g_string_new(NULL);
    for (guint i = 0; i < counts->len; i++)
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT, i > 0 ? " " : "",
                               g_array_index(counts, guint64, i));
    return g_string_free(text, FALSE);
}

static void test_free_pages_come_by_cell_then_size(void)
{
    guint sizes[] = { 2048, pages_system_size_kib() };
    g_autofree char *text = free_pages_of("two-nodes", sizes, 2, 0, 5, NULL);

    g_assert_cmpstr(text, ==, "4 1000000 20 1500000");
}

static void test_free_pages_of_whole_host_come_before_cell_0(void)
{
    guint sizes[] = { 2048, pages_system_size_kib() };
    g_autofree char *text = free_pages_of("two-nodes", sizes, 2, -1, 2, NULL);

    g_assert_cmpstr(text, ==, "24 2500000 4 1000000");
}

static void test_free_pages_without_numa(void)
{
    guint sizes[] = { 2048, pages_system_size_kib() };
    g_autofree char *text = free_pages_of("no-numa", sizes, 2, 0, 1, NULL);

    g_assert_cmpstr(text, ==, "2 125000");
}

static void assert_free_pages_refused(guint size, int start, guint n_cells, int code,
                                      const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(free_pages_of("sparse-nodes", &size, 1, start, n_cells, &error));
    assert_host_error(&error, code, message);
}

static void test_free_pages_refuse_what_does_not_exist(void)
{
    assert_free_pages_refused(3, 0, 1, VIR_ERR_OPERATION_FAILED,
                              "operation failed: page size 3 is not available on node 0");
    assert_free_pages_refused(3, -1, 1, VIR_ERR_OPERATION_FAILED,
                              "operation failed: page size 3 is not available");
    assert_free_pages_refused(2048, 1, 1, VIR_ERR_OPERATION_FAILED,
                              "operation failed: NUMA node 1 is not available");
    assert_free_pages_refused(2048, -2, 1, VIR_ERR_OPERATION_FAILED,
                              "operation failed: NUMA node -2 is not available");
    assert_free_pages_refused(2048, 3, 1, VIR_ERR_INTERNAL_ERROR,
                              "internal error: start cell 3 out of range (0-2)");
}

static void test_free_pages_refuse_too_many_answers(void)
{
    assert_free_pages_refused(2048, 0, 1025, VIR_ERR_RPC, NULL);
    assert_free_pages_refused(2048, 0, G_MAXUINT, VIR_ERR_RPC, NULL);
}

#define POOL(node) "sys/devices/system/node/node" node "/hugepages/hugepages-2048kB/nr_hugepages"

static void assert_pool(HostTree *tree, const char *path, const char *expected)
{
    g_autofree char *text = host_tree_read(tree, path);

    g_assert_cmpstr(g_strstrip(text), ==, expected);
}

static void test_allocation_adds_to_each_cell(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    PagesRequest request = { 2048, 5 };
    guint n_cells;

    g_assert_true(pages_allocate(&tree->roots, &request, 1, 0, 9, PAGES_ADD, &n_cells, NULL));
    g_assert_cmpuint(n_cells, ==, 2);
    assert_pool(tree, POOL("0"), "15");
    assert_pool(tree, POOL("1"), "25");
}

static void test_allocation_sets_one_cell(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    PagesRequest request = { 2048, 5 };
    guint n_cells;

    g_assert_true(pages_allocate(&tree->roots, &request, 1, 1, 1, PAGES_SET, &n_cells, NULL));
    g_assert_cmpuint(n_cells, ==, 1);
    assert_pool(tree, POOL("0"), "10");
    assert_pool(tree, POOL("1"), "5");
}

static void test_allocation_for_whole_host(void)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    PagesRequest request = { 2048, 1 };
    guint n_cells;

    g_assert_true(pages_allocate(&tree->roots, &request, 1, -1, 1, PAGES_ADD, &n_cells, NULL));
    g_assert_cmpuint(n_cells, ==, 1);
    assert_pool(tree, "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "31");
}

static void assert_allocation_refused(PagesRequest request, int start, int code,
                                      const char *message)
{
    g_autoptr(HostTree) tree = host_tree_new("two-nodes");
    g_autoptr(GError) error = NULL;
    guint n_cells;

    g_assert_false(
        pages_allocate(&tree->roots, &request, 1, start, 1, PAGES_ADD, &n_cells, &error));
    assert_host_error(&error, code, message);
    assert_pool(tree, POOL("0"), "10");
}

static void test_allocation_refuses_what_cannot_be(void)
{
    PagesRequest huge = { 2048, 1 };
    PagesRequest odd = { 3, 1 };
    PagesRequest plain = { pages_system_size_kib(), 1 };

    assert_allocation_refused(plain, 0, VIR_ERR_OPERATION_UNSUPPORTED,
                              "Operation not supported: system pages pool can't be modified");
    assert_allocation_refused(odd, 0, VIR_ERR_OPERATION_FAILED,
                              "operation failed: page size 3 is not available on node 0");
    assert_allocation_refused(odd, -1, VIR_ERR_OPERATION_FAILED,
                              "operation failed: page size 3 is not available");
    assert_allocation_refused(huge, -2, VIR_ERR_OPERATION_FAILED,
                              "operation failed: NUMA node -2 is not available");
    assert_allocation_refused(huge, 2, VIR_ERR_INTERNAL_ERROR,
                              "internal error: start cell 2 out of range (0-1)");
}

static void test_this_machine_agrees_with_libc(void)
{
    struct sysinfo system;
    HostMemory memory;

    g_assert_cmpint(sysinfo(&system), ==, 0);
    g_assert_true(memory_read_host(&host_roots_default, &memory, NULL));
    g_assert_cmpuint(memory.total_kib, ==, (guint64) system.totalram * system.mem_unit / 1024);
    g_assert_cmpuint(memory.free_kib, <=, memory.total_kib);
}

static void test_this_machine_has_processor_times(void)
{
    HostStats all;
    HostStats first;

    g_assert_true(cpu_stats_read(&host_roots_default, 0, 4, &first, NULL));
    g_assert_true(cpu_stats_read(&host_roots_default, CPU_STATS_ALL_CPUS, 4, &all, NULL));
    g_assert_cmpuint(first.items[2].value, >, 0);
    g_assert_cmpuint(all.items[1].value, >=, first.items[1].value);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpu-stats/host", test_cpu_stats_of_host_are_in_nanoseconds);
    g_test_add_func("/cpu-stats/one", test_cpu_stats_of_one_processor);
    g_test_add_func("/cpu-stats/count", test_cpu_stats_count_needs_no_processor);
    g_test_add_func("/cpu-stats/wrong-processor", test_cpu_stats_refuse_wrong_processor);
    g_test_add_func("/cpu-stats/wrong-count", test_cpu_stats_refuse_wrong_count);
    g_test_add_func("/cpu-stats/short-line", test_cpu_stats_refuse_short_line);
    g_test_add_func("/memory-stats/host", test_memory_stats_of_host);
    g_test_add_func("/memory-stats/cell", test_memory_stats_of_cell);
    g_test_add_func("/memory-stats/count", test_memory_stats_count_depends_on_cell);
    g_test_add_func("/memory-stats/wrong-cell", test_memory_stats_refuse_wrong_cell_even_for_count);
    g_test_add_func("/memory-stats/wrong-count", test_memory_stats_refuse_wrong_count);
    g_test_add_func("/memory-stats/hole", test_memory_of_hole_between_cells_is_an_error);
    g_test_add_func("/memory/no-total", test_memory_without_total_is_an_error);
    g_test_add_func("/memory/free", test_free_memory_is_that_of_all_cells);
    g_test_add_func("/memory/free-of-cells", test_free_memory_of_cells_ends_with_the_last);
    g_test_add_func("/memory/free-of-hole", test_free_memory_of_hole_is_0);
    g_test_add_func("/memory/behind-last", test_free_memory_behind_last_cell_is_refused);
    g_test_add_func("/memory/no-cells", test_free_memory_of_no_cells_is_refused);
    g_test_add_func("/pages/order", test_free_pages_come_by_cell_then_size);
    g_test_add_func("/pages/whole-host", test_free_pages_of_whole_host_come_before_cell_0);
    g_test_add_func("/pages/no-numa", test_free_pages_without_numa);
    g_test_add_func("/pages/refused", test_free_pages_refuse_what_does_not_exist);
    g_test_add_func("/pages/too-many", test_free_pages_refuse_too_many_answers);
    g_test_add_func("/pages/allocate-add", test_allocation_adds_to_each_cell);
    g_test_add_func("/pages/allocate-set", test_allocation_sets_one_cell);
    g_test_add_func("/pages/allocate-whole-host", test_allocation_for_whole_host);
    g_test_add_func("/pages/allocate-refused", test_allocation_refuses_what_cannot_be);
    g_test_add_func("/this-machine/memory", test_this_machine_agrees_with_libc);
    g_test_add_func("/this-machine/processor-times", test_this_machine_has_processor_times);
    return g_test_run();
}
