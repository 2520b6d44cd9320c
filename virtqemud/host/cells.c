#include "virtqemud/host/cells.h"

#include "base/error.h"

/* Also there on kernels with NUMA that run on machines without: they show node 0. */
#define ONLINE_NODES "devices/system/node/online"

/* An empty list would leave the host without memory, so it counts as no NUMA. */
bool host_cells_read(const HostRoots *roots, HostCells **ret_cells, GError **error)
{
    g_autoptr(HostCells) cells = g_new0(HostCells, 1);

    cells->is_numa = host_file_exists(roots->sys, ONLINE_NODES);
    if (!cells->is_numa)
        cells->ids = bitmap_new();
    else if (!host_file_read_set(roots->sys, &cells->ids, error, ONLINE_NODES))
        return false;
    if (bitmap_count(cells->ids) == 0) {
        cells->is_numa = false;
        bitmap_set(cells->ids, 0);
    }
    *ret_cells = g_steal_pointer(&cells);
    return true;
}

void host_cells_free(HostCells *cells)
{
    if (cells == NULL)
        return;
    bitmap_free(cells->ids);
    g_free(cells);
}

guint host_cells_last(const HostCells *cells)
{
    return (guint) bitmap_last_set(cells->ids);
}

/* Negative starts mean different things to different calls, which check those themselves. */
bool host_cells_check_start(const HostCells *cells, int start, GError **error)
{
    guint last = host_cells_last(cells);

    if (start <= 0 || (guint) start <= last)
        return true;
    error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "start cell %d out of range (0-%u)",
              start, last);
    return false;
}
