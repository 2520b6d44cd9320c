/* The NUMA cells of the host, by the numbers that the kernel gives its nodes. Numbers may
 * have holes. A host whose kernel knows no NUMA is one cell, number 0, with everything. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/bitmap.h"
#include "virtqemud/host/roots.h"

typedef struct HostCells {
    Bitmap *ids;  /* at least one */
    bool is_numa; /* false: there are no folders of nodes, /proc speaks for cell 0 */
} HostCells;

bool host_cells_read(const HostRoots *roots, HostCells **ret_cells, GError **error);

void host_cells_free(HostCells *cells);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostCells, host_cells_free)

/* The highest number in use. */
guint host_cells_last(const HostCells *cells);

/* Whether a range of cells may begin at @start. Errors: INTERNAL_ERROR when that is behind
 * the last cell. */
bool host_cells_check_start(const HostCells *cells, int start, GError **error);
