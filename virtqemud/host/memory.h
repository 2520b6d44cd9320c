/* Memory of the host and of its cells (manual: virNodeGetMemoryStats, virNodeGetFreeMemory,
 * virNodeGetCellsFreeMemory). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/cells.h"
#include "virtqemud/host/host_stats.h"
#include "virtqemud/host/roots.h"

#define MEMORY_ALL_CELLS (-1)

typedef struct HostMemory {
    guint64 total_kib;
    guint64 free_kib;
    guint64 buffers_kib; /* of the whole host only */
    guint64 cached_kib;  /* of the whole host only */
} HostMemory;

bool memory_read_host(const HostRoots *roots, HostMemory *ret_memory, GError **error);

/* Errors: SYSTEM_ERROR, when there is no such cell too. */
bool memory_read_cell(const HostRoots *roots, const HostCells *cells, guint cell_id,
                      HostMemory *ret_memory, GError **error);

/* All memory of all cells. */
bool memory_read_total(const HostRoots *roots, const HostCells *cells, guint64 *ret_kib,
                       GError **error);

/* Free memory of all cells. */
bool memory_read_free(const HostRoots *roots, guint64 *ret_bytes, GError **error);

/* Free memory in bytes of the cells @start to @start + @max - 1, as far as there are cells; a
 * number without cell has 0. Sets @ret_bytes to an array of guint64.
 * Errors: INTERNAL_ERROR when @start is behind the last cell; INVALID_ARG when it is negative or
 * @max not positive. */
bool memory_read_free_of_cells(const HostRoots *roots, int start, int max, GArray **ret_bytes,
                               GError **error);

/* Total and free of @cell, or for MEMORY_ALL_CELLS total, free, buffers and cached of the host;
 * all in KiB. @nparams is the caller's room: 0 asks for the number of items only.
 * Errors: INVALID_ARG when @cell is behind the last one or @nparams is neither 0 nor the number
 * of items; SYSTEM_ERROR. */
bool memory_stats_read(const HostRoots *roots, int cell, int nparams, HostStats *ret_stats,
                       GError **error);
