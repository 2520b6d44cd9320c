#include "virtqemud/host/memory.h"

#include <string.h>

#include "base/error.h"

#define KIB 1024u

/* The value in KiB of the line "NAME: VALUE kB". In the file of a cell every line has "Node N"
 * before that, so the name is looked for at any start of a word. */
static bool find_kib(const char *text, const char *name, guint64 *ret_kib)
{
    gsize length = strlen(name);
    const char *at = text;

    while ((at = strstr(at, name)) != NULL) {
        bool is_word = at == text || at[-1] == '\n' || at[-1] == ' ';

        at += length;
        if (!is_word || *at != ':')
            continue;
        at++;
        at += strspn(at, " \t");
        if (!g_ascii_isdigit(*at))
            return false;
        *ret_kib = g_ascii_strtoull(at, NULL, 10);
        return true;
    }
    return false;
}

/* Buffers and cached are not in the files of cells, and 0 then. */
static bool parse_memory(const char *text, const char *what, HostMemory *ret_memory,
                         GError **error)
{
    HostMemory memory = { .total_kib = 0 };

    if (!find_kib(text, "MemTotal", &memory.total_kib) ||
        !find_kib(text, "MemFree", &memory.free_kib)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                  "the kernel does not say how much memory %s has", what);
        return false;
    }
    find_kib(text, "Buffers", &memory.buffers_kib);
    find_kib(text, "Cached", &memory.cached_kib);
    *ret_memory = memory;
    return true;
}

bool memory_read_host(const HostRoots *roots, HostMemory *ret_memory, GError **error)
{
    g_autofree char *text = NULL;

    return host_file_read(roots->proc, HOST_FILE_LIMIT, &text, NULL, error, "meminfo") &&
           parse_memory(text, "the host", ret_memory, error);
}

/* Where there are no cells, the host's file speaks for number 0; any other fails below. */
bool memory_read_cell(const HostRoots *roots, const HostCells *cells, guint cell_id,
                      HostMemory *ret_memory, GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *what = g_strdup_printf("NUMA cell %u", cell_id);

    if (!cells->is_numa && cell_id == 0)
        return memory_read_host(roots, ret_memory, error);
    return host_file_read(roots->sys, HOST_FILE_LIMIT, &text, NULL, error,
                          "devices/system/node/node%u/meminfo", cell_id) &&
           parse_memory(text, what, ret_memory, error);
}

/* Sums over the cells rather than the totals of /proc: the answers for the host and for its
 * cells then agree. */
static bool read_sum(const HostRoots *roots, const HostCells *cells, HostMemory *ret_sum,
                     GError **error)
{
    HostMemory sum = { .total_kib = 0 };

    for (size_t id = bitmap_next_set(cells->ids, 0); id != BITMAP_NONE;
         id = bitmap_next_set(cells->ids, id + 1)) {
        HostMemory memory;

        if (!memory_read_cell(roots, cells, (guint) id, &memory, error))
            return false;
        sum.total_kib += memory.total_kib;
        sum.free_kib += memory.free_kib;
    }
    *ret_sum = sum;
    return true;
}

bool memory_read_total(const HostRoots *roots, const HostCells *cells, guint64 *ret_kib,
                       GError **error)
{
    HostMemory sum;

    if (!read_sum(roots, cells, &sum, error))
        return false;
    *ret_kib = sum.total_kib;
    return true;
}

bool memory_read_free(const HostRoots *roots, guint64 *ret_bytes, GError **error)
{
    g_autoptr(HostCells) cells = NULL;
    HostMemory sum;

    if (!host_cells_read(roots, &cells, error) || !read_sum(roots, cells, &sum, error))
        return false;
    *ret_bytes = sum.free_kib * KIB;
    return true;
}

/* Answers begin with @start whatever holes there are: clients count them by position. */
bool memory_read_free_of_cells(const HostRoots *roots, int start, int max, GArray **ret_bytes,
                               GError **error)
{
    g_autoptr(HostCells) cells = NULL;
    g_autoptr(GArray) bytes = NULL;
    gint64 end;

    if (start < 0 || max <= 0) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "%d cells beginning with %d is no range of NUMA cells", max, start);
        return false;
    }
    if (!host_cells_read(roots, &cells, error) || !host_cells_check_start(cells, start, error))
        return false;
    bytes = g_array_new(FALSE, FALSE, sizeof(guint64));
    end = MIN((gint64) start + max, (gint64) host_cells_last(cells) + 1);
    for (guint id = (guint) start; id < end; id++) {
        HostMemory memory = { .free_kib = 0 };
        guint64 value;

        if (bitmap_has(cells->ids, id) &&
            !memory_read_cell(roots, cells, id, &memory, error))
            return false;
        value = memory.free_kib * KIB;
        g_array_append_val(bytes, value);
    }
    *ret_bytes = g_steal_pointer(&bytes);
    return true;
}

/* Holes are not found here but when their memory is read. */
static bool check_cell(const HostRoots *roots, int cell, HostCells **ret_cells, GError **error)
{
    g_autoptr(HostCells) cells = NULL;

    if (!host_cells_read(roots, &cells, error))
        return false;
    if (cell < MEMORY_ALL_CELLS || cell > (int) host_cells_last(cells)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "there is no NUMA cell %d, the last one is %u", cell, host_cells_last(cells));
        return false;
    }
    *ret_cells = g_steal_pointer(&cells);
    return true;
}

/* The cell is checked even when only the count is asked for, since that depends on it. */
bool memory_stats_read(const HostRoots *roots, int cell, int nparams, HostStats *ret_stats,
                       GError **error)
{
    bool is_host = cell == MEMORY_ALL_CELLS;
    HostStats stats = { .count = is_host ? 4 : 2 };
    g_autoptr(HostCells) cells = NULL;
    HostMemory memory;

    if (!check_cell(roots, cell, &cells, error))
        return false;
    if (nparams == 0) {
        *ret_stats = stats;
        return true;
    }
    if (nparams != (int) stats.count) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "memory statistics have %u items, not %d", stats.count, nparams);
        return false;
    }
    if (is_host ? !memory_read_host(roots, &memory, error)
                : !memory_read_cell(roots, cells, (guint) cell, &memory, error))
        return false;
    stats.n_items = stats.count;
    stats.items[0] = (HostStat) { "total", memory.total_kib };
    stats.items[1] = (HostStat) { "free", memory.free_kib };
    stats.items[2] = (HostStat) { "buffers", memory.buffers_kib };
    stats.items[3] = (HostStat) { "cached", memory.cached_kib };
    *ret_stats = stats;
    return true;
}
