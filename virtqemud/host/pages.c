/* Page sizes and pools of huge pages, of the whole host or of one NUMA cell, from the kernel's
 * folders (hugetlbpage in its documentation). Sizes are in KiB throughout. */
#include "virtqemud/host/pages.h"

#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "virtqemud/host/memory.h"

guint pages_system_size_kib(void)
{
    return (guint) (sysconf(_SC_PAGESIZE) / 1024);
}

/* The folder of a pool; the whole host's when @cell is -1 or the kernel knows no cells. */
static char *pool_folder(const HostCells *cells, int cell, guint size_kib)
{
    if (cell == PAGES_WHOLE_HOST || !cells->is_numa)
        return g_strdup_printf("kernel/mm/hugepages/hugepages-%ukB", size_kib);
    return g_strdup_printf("devices/system/node/node%d/hugepages/hugepages-%ukB", cell, size_kib);
}

static int compare_sizes(const void *left, const void *right)
{
    guint a = *(const guint *) left;
    guint b = *(const guint *) right;

    return (a > b) - (a < b);
}

/* A folder with another name is no pool of ours to know. */
GArray *pages_read_sizes(const HostRoots *roots)
{
    GArray *sizes = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autofree char *path = g_build_filename(roots->sys, "kernel/mm/hugepages", NULL);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    guint size = pages_system_size_kib();
    const char *name;

    g_array_append_val(sizes, size);
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        int length = 0;

        if (sscanf(name, "hugepages-%9ukB%n", &size, &length) == 1 && length > 0 &&
            name[length] == '\0')
            g_array_append_val(sizes, size);
    }
    g_array_sort(sizes, compare_sizes);
    return sizes;
}

/* A cell without a pool of some size has 0 of them. */
bool pages_read_cell(const HostRoots *roots, const HostCells *cells, guint cell_id,
                     guint64 memory_kib, GArray **ret_pages, GError **error)
{
    g_autoptr(GArray) sizes = pages_read_sizes(roots);
    g_autoptr(GArray) pages = g_array_new(FALSE, FALSE, sizeof(HostPages));
    guint64 rest_kib = memory_kib;

    for (guint i = 0; i < sizes->len; i++) {
        HostPages entry = { .size_kib = g_array_index(sizes, guint, i) };
        g_autofree char *folder = pool_folder(cells, (int) cell_id, (guint) entry.size_kib);

        if (i > 0 && host_file_exists(roots->sys, "%s", folder) &&
            !host_file_read_number(roots->sys, &entry.count, error, "%s/nr_hugepages", folder))
            return false;
        rest_kib -= MIN(rest_kib, entry.count * entry.size_kib);
        g_array_append_val(pages, entry);
    }
    g_array_index(pages, HostPages, 0).count = rest_kib / pages_system_size_kib();
    *ret_pages = g_steal_pointer(&pages);
    return true;
}

/* Checks that the range begins at a cell and sets @ret_end behind its last one. */
static bool check_range(const HostCells *cells, int start, guint n_cells, int *ret_end,
                        GError **error)
{
    if (!host_cells_check_start(cells, start, error))
        return false;
    *ret_end = (int) MIN((gint64) start + n_cells, (gint64) host_cells_last(cells) + 1);
    return true;
}

/* Holes between cells are refused by name, not with an error about some file. */
static bool check_cell(const HostCells *cells, int cell, GError **error)
{
    if (cell == PAGES_WHOLE_HOST || (cell >= 0 && bitmap_has(cells->ids, (size_t) cell)))
        return true;
    error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "NUMA node %d is not available",
              cell);
    return false;
}

/* Machines differ in sizes, and cells can too. */
static bool check_pool(const HostRoots *roots, const char *folder, int cell, guint size_kib,
                       GError **error)
{
    if (host_file_exists(roots->sys, "%s", folder))
        return true;
    if (cell == PAGES_WHOLE_HOST)
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                  "page size %u is not available", size_kib);
    else
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                  "page size %u is not available on node %d", size_kib, cell);
    return false;
}

/* Ordinary pages have no pool: those are what is free, in units of a page. */
static bool read_free_pages(const HostRoots *roots, const HostCells *cells, int cell,
                            guint size_kib, guint64 *ret_count, GError **error)
{
    g_autofree char *folder = pool_folder(cells, cell, size_kib);
    guint64 bytes;
    HostMemory memory;

    if (size_kib != pages_system_size_kib())
        return check_pool(roots, folder, cell, size_kib, error) &&
               host_file_read_number(roots->sys, ret_count, error, "%s/free_hugepages", folder);
    if (cell == PAGES_WHOLE_HOST) {
        if (!memory_read_free(roots, &bytes, error))
            return false;
        *ret_count = bytes / 1024 / size_kib;
        return true;
    }
    if (!memory_read_cell(roots, cells, (guint) cell, &memory, error))
        return false;
    *ret_count = memory.free_kib / size_kib;
    return true;
}

/* The limit comes first: nothing is read for a request that cannot be answered. */
bool pages_read_free(const HostRoots *roots, const guint *sizes_kib, guint n_sizes, int start,
                     guint n_cells, GArray **ret_counts, GError **error)
{
    g_autoptr(HostCells) cells = NULL;
    g_autoptr(GArray) counts = g_array_new(FALSE, FALSE, sizeof(guint64));
    int end;

    if ((guint64) n_sizes * n_cells > PAGES_MAX_ANSWERS) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_RPC, "too many NUMA cells: %" G_GUINT64_FORMAT
                  " > %u", (guint64) n_sizes * n_cells, PAGES_MAX_ANSWERS);
        return false;
    }
    if (!host_cells_read(roots, &cells, error) ||
        !check_range(cells, start, n_cells, &end, error))
        return false;
    for (int cell = start; cell < end; cell++) {
        if (!check_cell(cells, cell, error))
            return false;
        for (guint i = 0; i < n_sizes; i++) {
            guint64 count;

            if (!read_free_pages(roots, cells, cell, sizes_kib[i], &count, error))
                return false;
            g_array_append_val(counts, count);
        }
    }
    *ret_counts = g_steal_pointer(&counts);
    return true;
}

/* The kernel takes any number and does what it can: only reading back tells. */
static bool allocate_one(const HostRoots *roots, const HostCells *cells, int cell,
                         const PagesRequest *request, PagesMode mode, GError **error)
{
    g_autofree char *folder = pool_folder(cells, cell, request->size_kib);
    g_autofree char *text = NULL;
    guint64 wanted = request->count;
    guint64 had;
    guint64 got;

    if (request->size_kib == pages_system_size_kib()) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_UNSUPPORTED,
                  "system pages pool can't be modified");
        return false;
    }
    if (!check_pool(roots, folder, cell, request->size_kib, error) ||
        !host_file_read_number(roots->sys, &had, error, "%s/nr_hugepages", folder))
        return false;
    if (mode == PAGES_ADD)
        wanted = had > G_MAXUINT64 - wanted ? G_MAXUINT64 : had + wanted;
    if (wanted == had)
        return true;
    text = g_strdup_printf("%" G_GUINT64_FORMAT, wanted);
    if (!host_file_write(roots->sys, text, error, "%s/nr_hugepages", folder) ||
        !host_file_read_number(roots->sys, &got, error, "%s/nr_hugepages", folder))
        return false;
    if (got == wanted)
        return true;
    error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
              "Unable to allocate %" G_GUINT64_FORMAT " pages. Allocated only %" G_GUINT64_FORMAT,
              wanted, got);
    return false;
}

/* Stops at the first that fails; what was done before stays, as the kernel cannot take it back
 * without the risk that others needed it meanwhile. */
bool pages_allocate(const HostRoots *roots, const PagesRequest *requests, guint n_requests,
                    int start, guint n_cells, PagesMode mode, guint *ret_n_cells, GError **error)
{
    g_autoptr(HostCells) cells = NULL;
    int end;

    if (!host_cells_read(roots, &cells, error) ||
        !check_range(cells, start, n_cells, &end, error))
        return false;
    for (int cell = start; cell < end; cell++) {
        if (!check_cell(cells, cell, error))
            return false;
        for (guint i = 0; i < n_requests; i++) {
            if (!allocate_one(roots, cells, cell, &requests[i], mode, error))
                return false;
        }
    }
    *ret_n_cells = (guint) MAX(end - start, 0);
    return true;
}
