/* Memory pages of each size, free and reserved (manual: virNodeGetFreePages,
 * virNodeAllocPages; kernel: Documentation/admin-guide/mm/hugetlbpage.rst). Sizes are in KiB.
 * Cell -1 is the host as a whole. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/cells.h"
#include "virtqemud/host/roots.h"

#define PAGES_WHOLE_HOST (-1)

/* The most answers that one call may ask for (pages times cells). */
#define PAGES_MAX_ANSWERS 1024u

typedef struct HostPages {
    guint64 size_kib;
    guint64 count;
} HostPages;

typedef struct PagesRequest {
    guint size_kib;
    guint64 count;
} PagesRequest;

typedef enum PagesMode {
    PAGES_ADD, /* the pool grows by the count */
    PAGES_SET, /* the pool gets the count */
} PagesMode;

/* The size of an ordinary page. */
guint pages_system_size_kib(void);

/* Every size of the host, ascending. Sets @ret_sizes to an array of guint. */
GArray *pages_read_sizes(const HostRoots *roots);

/* How many pages of each size a cell has. Ordinary pages are what the others leave.
 * Sets @ret_pages to an array of HostPages, ascending by size. */
bool pages_read_cell(const HostRoots *roots, const HostCells *cells, guint cell_id,
                     guint64 memory_kib, GArray **ret_pages, GError **error);

/* Free pages of each of @sizes_kib in each of the cells @start to @start + @n_cells - 1, as far
 * as there are cells; -1 stands before cell 0. Sets @ret_counts to an array of guint64: all sizes
 * of the first cell, then of the next.
 * Errors: INTERNAL_ERROR when @start is behind the last cell, OPERATION_FAILED when a cell or a
 * size does not exist, RPC when more than PAGES_MAX_ANSWERS are asked for. */
bool pages_read_free(const HostRoots *roots, const guint *sizes_kib, guint n_sizes, int start,
                     guint n_cells, GArray **ret_counts, GError **error);

/* Changes the pools of huge pages of the same range of cells. For offload threads: the kernel
 * may move a lot of memory for this. Sets @ret_n_cells to the number of cells done.
 * Errors: as above; OPERATION_UNSUPPORTED for ordinary pages; OPERATION_FAILED when there is
 * not enough memory: what could be had stays reserved. */
bool pages_allocate(const HostRoots *roots, const PagesRequest *requests, guint n_requests,
                    int start, guint n_cells, PagesMode mode, guint *ret_n_cells, GError **error);
