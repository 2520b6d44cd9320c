/* The host in the few numbers of virNodeGetInfo (manual): cells times sockets times cores
 * times threads must give the number of processors; a machine that does not fit that form is
 * shown as one socket with that many cores. */
#include "virtqemud/host/node_info.h"

#include <string.h>
#include <sys/utsname.h>

#include "virtqemud/host/memory.h"

/* The first processor is at the beginning of a file that is megabytes long on large hosts. */
#define CPUINFO_LIMIT (64u * 1024)

/* Sort orders from coarse to fine; each finer one begins with the coarser. */
static int compare_numbers(guint a, guint b)
{
    return (a > b) - (a < b);
}

static int compare_sockets(const HostCpu *a, const HostCpu *b)
{
    int order = compare_numbers(a->cell_id, b->cell_id);

    return order != 0 ? order : compare_numbers(a->socket_id, b->socket_id);
}

/* Dies do not count here: where they repeat core numbers, the product comes out too small,
 * which is how such machines are told from those that four numbers can describe. */
static int compare_cores(const void *left, const void *right)
{
    const HostCpu *a = left;
    const HostCpu *b = right;
    int order = compare_sockets(a, b);

    return order != 0 ? order : compare_numbers(a->core_id, b->core_id);
}

static int compare_threads(const void *left, const void *right)
{
    const HostCpu *a = left;
    const HostCpu *b = right;
    int order = compare_cores(a, b);

    if (order == 0)
        order = compare_numbers(a->die_id, b->die_id);
    return order != 0 ? order : compare_numbers(a->cluster_id, b->cluster_id);
}

/* The most sockets of a cell and the most cores of a socket. */
static void count_cores(NodeInfo *info, GArray *cpus)
{
    guint sockets = 0;
    guint cores = 0;

    g_array_sort(cpus, compare_cores);
    for (guint i = 0; i < cpus->len; i++) {
        const HostCpu *cpu = &g_array_index(cpus, HostCpu, i);
        const HostCpu *before = i > 0 ? cpu - 1 : NULL;

        if (before == NULL || before->cell_id != cpu->cell_id)
            sockets = 0;
        if (before == NULL || compare_sockets(before, cpu) != 0) {
            sockets++;
            cores = 0;
        }
        if (before == NULL || compare_cores(before, cpu) != 0)
            cores++;
        info->sockets = MAX(info->sockets, sockets);
        info->cores = MAX(info->cores, cores);
    }
}

/* Threads share everything, so equal neighbours in the finest order are threads of a core. */
static void count_threads(NodeInfo *info, GArray *cpus)
{
    guint threads = 0;

    g_array_sort(cpus, compare_threads);
    for (guint i = 0; i < cpus->len; i++) {
        const HostCpu *cpu = &g_array_index(cpus, HostCpu, i);

        threads = i > 0 && compare_threads(cpu - 1, cpu) == 0 ? threads + 1 : 1;
        info->threads = MAX(info->threads, threads);
    }
}

/* Processors that are offline take part in the product, since nothing says where they sit. */
void node_info_set_topology(NodeInfo *ret_info, const HostTopology *topology)
{
    g_autoptr(GArray) cpus = g_array_copy(topology->cpus);
    guint total = MAX((guint) bitmap_count(topology->present), topology->cpus->len);

    ret_info->cpus = topology->cpus->len;
    ret_info->nodes = (guint) bitmap_count(topology->cells->ids);
    ret_info->sockets = 0;
    ret_info->cores = 0;
    ret_info->threads = 0;
    count_cores(ret_info, cpus);
    count_threads(ret_info, cpus);
    if ((guint64) ret_info->nodes * ret_info->sockets * ret_info->cores * ret_info->threads ==
        total)
        return;
    ret_info->nodes = 1;
    ret_info->sockets = 1;
    ret_info->cores = total;
    ret_info->threads = 1;
}

/* The value of the first line "NAME : VALUE", or NULL. */
static const char *find_cpuinfo(const char *text, const char *name)
{
    const char *line = text;
    gsize length = strlen(name);

    while (line != NULL) {
        if (g_str_has_prefix(line, name)) {
            const char *colon = line + length + strspn(line + length, " \t");

            if (*colon == ':')
                return colon + 1;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return NULL;
}

/* x86 calls it "cpu MHz", POWER "clock", s390 "cpu MHz static"; ARM does not say. */
static guint read_mhz(const HostRoots *roots)
{
    static const char *const names[] = { "cpu MHz", "clock", "cpu MHz static" };
    g_autofree char *text = NULL;

    if (!host_file_read(roots->proc, CPUINFO_LIMIT, &text, NULL, NULL, "cpuinfo"))
        return 0;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = find_cpuinfo(text, names[i]);

        if (value != NULL)
            return (guint) MIN(g_ascii_strtoull(value, NULL, 10), G_MAXINT32);
    }
    return 0;
}

/* The speed is that of the first processor at this moment, 0 where the kernel does not say. */
bool node_info_read_rest(const HostRoots *roots, const HostTopology *topology, NodeInfo *ret_info,
                         GError **error)
{
    NodeInfo info = { .mhz = 0 };
    struct utsname names;

    if (!memory_read_total(roots, topology->cells, &info.memory_kib, error))
        return false;
    uname(&names);
    g_strlcpy(info.model, names.machine, sizeof(info.model));
    info.mhz = read_mhz(roots);
    node_info_set_topology(&info, topology);
    *ret_info = info;
    return true;
}

bool node_info_read(const HostRoots *roots, NodeInfo *ret_info, GError **error)
{
    g_autoptr(HostTopology) topology = NULL;

    return host_topology_read(roots, &topology, error) &&
           node_info_read_rest(roots, topology, ret_info, error);
}
