#include "virtqemud/host/topology.h"

#define CPU_FOLDER "devices/system/cpu/"

/* Kernels show this 16-bit value, or -1, as the cluster of processors that have none. */
#define NO_CLUSTER 65535u

/* A number below the folder of a processor. What is missing or negative (no such level on
 * this machine) is 0. */
static guint read_topology_id(const HostRoots *roots, guint cpu, const char *name)
{
    guint64 number;

    if (!host_file_read_number(roots->sys, &number, NULL, CPU_FOLDER "cpu%u/topology/%s", cpu,
                               name))
        return 0;
    return number <= G_MAXINT32 ? (guint) number : 0;
}

/* Reads whatever the kernel tells about one processor. */
static void add_cpu(const HostRoots *roots, guint id, guint cell_id, GArray *cpus)
{
    HostCpu cpu = { .id = id, .cell_id = cell_id };

    cpu.socket_id = read_topology_id(roots, id, "physical_package_id");
    cpu.die_id = read_topology_id(roots, id, "die_id");
    cpu.cluster_id = read_topology_id(roots, id, "cluster_id");
    if (cpu.cluster_id >= NO_CLUSTER)
        cpu.cluster_id = 0;
    cpu.core_id = read_topology_id(roots, id, "core_id");
    g_array_append_val(cpus, cpu);
}

static void add_cpus(const HostRoots *roots, const Bitmap *ids, guint cell_id, GArray *cpus)
{
    for (size_t id = bitmap_next_set(ids, 0); id != BITMAP_NONE; id = bitmap_next_set(ids, id + 1))
        add_cpu(roots, (guint) id, cell_id, cpus);
}

static int compare_cpus(const void *left, const void *right)
{
    guint a = ((const HostCpu *) left)->id;
    guint b = ((const HostCpu *) right)->id;

    return (a > b) - (a < b);
}

/* Cells list only processors that are online, so their lists say all that is wanted. */
static bool read_cpus_of_cells(const HostRoots *roots, HostTopology *topology, GError **error)
{
    const Bitmap *cells = topology->cells->ids;

    for (size_t cell = bitmap_next_set(cells, 0); cell != BITMAP_NONE;
         cell = bitmap_next_set(cells, cell + 1)) {
        g_autoptr(Bitmap) ids = NULL;

        if (!host_file_read_set(roots->sys, &ids, error, "devices/system/node/node%zu/cpulist",
                                cell))
            return false;
        add_cpus(roots, ids, (guint) cell, topology->cpus);
    }
    g_array_sort(topology->cpus, compare_cpus);
    return true;
}

/* Without cells, all that is online belongs to cell 0. */
static bool read_cpus(const HostRoots *roots, HostTopology *topology, GError **error)
{
    g_autoptr(Bitmap) online = NULL;

    if (topology->cells->is_numa)
        return read_cpus_of_cells(roots, topology, error);
    if (!host_file_read_set(roots->sys, &online, error, CPU_FOLDER "online"))
        return false;
    add_cpus(roots, online, 0, topology->cpus);
    return true;
}

bool host_topology_read(const HostRoots *roots, HostTopology **ret_topology, GError **error)
{
    g_autoptr(HostTopology) topology = g_new0(HostTopology, 1);

    topology->cpus = g_array_new(FALSE, FALSE, sizeof(HostCpu));
    if (!host_cells_read(roots, &topology->cells, error) ||
        !host_file_read_set(roots->sys, &topology->present, error, CPU_FOLDER "present") ||
        !read_cpus(roots, topology, error))
        return false;
    *ret_topology = g_steal_pointer(&topology);
    return true;
}

void host_topology_free(HostTopology *topology)
{
    if (topology == NULL)
        return;
    host_cells_free(topology->cells);
    bitmap_free(topology->present);
    g_clear_pointer(&topology->cpus, g_array_unref);
    g_free(topology);
}

/* By all their numbers, which is how the manual (formatcaps) defines siblings. */
Bitmap *host_topology_siblings(const HostTopology *topology, const HostCpu *cpu)
{
    Bitmap *siblings = bitmap_new();

    for (guint i = 0; i < topology->cpus->len; i++) {
        const HostCpu *other = &g_array_index(topology->cpus, HostCpu, i);

        if (other->socket_id == cpu->socket_id && other->die_id == cpu->die_id &&
            other->cluster_id == cpu->cluster_id && other->core_id == cpu->core_id)
            bitmap_set(siblings, other->id);
    }
    return siblings;
}

bool host_cpu_map_read(const HostRoots *roots, Bitmap **ret_online, guint *ret_count,
                       GError **error)
{
    g_autoptr(Bitmap) present = NULL;
    g_autoptr(Bitmap) online = NULL;

    if (!host_file_read_set(roots->sys, &present, error, CPU_FOLDER "present") ||
        !host_file_read_set(roots->sys, &online, error, CPU_FOLDER "online"))
        return false;
    /* One that was plugged in between the two reads counts too. */
    bitmap_unite(present, online);
    *ret_count = bitmap_count(present) > 0 ? (guint) bitmap_last_set(present) + 1 : 0;
    *ret_online = g_steal_pointer(&online);
    return true;
}
