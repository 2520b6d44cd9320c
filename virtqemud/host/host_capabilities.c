#include "virtqemud/host/host_capabilities.h"

#include "virtqemud/host/cache_bank.h"
#include "virtqemud/host/memory.h"
#include "virtqemud/host/pages.h"
#include "virtqemud/host/suspend.h"

static void cell_free(void *data)
{
    HostCell *cell = data;

    g_clear_pointer(&cell->pages, g_array_unref);
    g_clear_pointer(&cell->distances, g_array_unref);
    g_free(cell);
}

/* One number for each cell that is online, in their order. */
static GArray *read_distances(const HostRoots *roots, const HostCells *cells, guint cell_id)
{
    GArray *distances = g_array_new(FALSE, FALSE, sizeof(HostDistance));
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;
    size_t id = bitmap_next_set(cells->ids, 0);

    if (!host_file_read(roots->sys, HOST_FILE_LIMIT, &text, NULL, NULL,
                        "devices/system/node/node%u/distance", cell_id))
        return distances;
    words = g_strsplit(g_strstrip(text), " ", -1);
    for (gsize i = 0; words[i] != NULL && id != BITMAP_NONE; i++) {
        HostDistance distance = { .cell_id = (guint) id };

        distance.value = (guint) g_ascii_strtoull(words[i], NULL, 10);
        if (distance.value == 0)
            continue;
        g_array_append_val(distances, distance);
        id = bitmap_next_set(cells->ids, id + 1);
    }
    return distances;
}

/* What fails halfway is freed with the cell. */
static bool read_cell(const HostRoots *roots, const HostCells *cells, HostCell *cell,
                      GError **error)
{
    HostMemory memory;

    if (!memory_read_cell(roots, cells, cell->id, &memory, error))
        return false;
    cell->memory_kib = memory.total_kib;
    cell->distances = read_distances(roots, cells, cell->id);
    return pages_read_cell(roots, cells, cell->id, cell->memory_kib, &cell->pages, error);
}

/* The cell is added before it is read, so that it has an owner in every case. */
static bool read_cells(const HostRoots *roots, HostCapabilities *capabilities, GError **error)
{
    const HostCells *cells = capabilities->topology->cells;

    for (size_t id = bitmap_next_set(cells->ids, 0); id != BITMAP_NONE;
         id = bitmap_next_set(cells->ids, id + 1)) {
        HostCell *cell = g_new0(HostCell, 1);

        cell->id = (guint) id;
        g_ptr_array_add(capabilities->cells, cell);
        if (!read_cell(roots, cells, cell, error))
            return false;
    }
    return true;
}

/* The kernel sorts devices into groups where an IOMMU can keep them apart. */
static bool has_iommu_groups(const HostRoots *roots)
{
    g_autofree char *path = g_build_filename(roots->sys, "kernel/iommu_groups", NULL);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);

    return folder != NULL && g_dir_read_name(folder) != NULL;
}

/* Missing caches and sleep states are ordinary; missing processors or memory are errors. */
bool host_capabilities_read(const HostRoots *roots, HostCapabilities **ret_capabilities,
                            GError **error)
{
    g_autoptr(HostCapabilities) capabilities = g_new0(HostCapabilities, 1);

    capabilities->cells = g_ptr_array_new_with_free_func(cell_free);
    if (!node_info_read(roots, &capabilities->info, error) ||
        !host_topology_read(roots, &capabilities->topology, error) ||
        !read_cells(roots, capabilities, error))
        return false;
    capabilities->page_sizes = pages_read_sizes(roots);
    capabilities->banks = cache_banks_read(roots, capabilities->topology);
    capabilities->can_suspend_mem = suspend_is_supported(roots, SUSPEND_MEM);
    capabilities->can_suspend_disk = suspend_is_supported(roots, SUSPEND_DISK);
    capabilities->can_suspend_hybrid = suspend_is_supported(roots, SUSPEND_HYBRID);
    capabilities->has_iommu = has_iommu_groups(roots);
    *ret_capabilities = g_steal_pointer(&capabilities);
    return true;
}

void host_capabilities_free(HostCapabilities *capabilities)
{
    if (capabilities == NULL)
        return;
    host_topology_free(capabilities->topology);
    g_clear_pointer(&capabilities->page_sizes, g_array_unref);
    g_clear_pointer(&capabilities->cells, g_ptr_array_unref);
    g_clear_pointer(&capabilities->banks, g_array_unref);
    g_free(capabilities);
}
