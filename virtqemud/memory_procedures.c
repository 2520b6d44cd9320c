/* The host's memory: how much, what is free, by cell and by page size; the kernel's merging of
 * equal pages (KSM); and pools of huge pages. */
#include "virtqemud/host_procedures.h"

#include "fiber/offload.h"
#include "virtqemud/driver.h"
#include "virtqemud/host/ksm.h"
#include "virtqemud/host/memory.h"
#include "virtqemud/host/pages.h"
#include "wire/remote.h"
#include "wire/remote_node.h"
#include "wire/typed_params.h"

/* What the public interface refuses, in its words. */
static bool refuse_argument(ErrorFrom from, ErrorCode code, const char *message, GError **error)
{
    g_set_error_literal(error, error_quark(from), (int)code, message);
    return false;
}

/* Asked twice by clients: without room, for the number of items, and then with it. */
static bool node_get_memory_stats(Call *call, const remote_node_get_memory_stats_args *args,
                                  remote_node_get_memory_stats_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    HostStats stats;

    if (!driver || !call_check_flags("virNodeGetMemoryStats", args->flags, 0, error) ||
        !host_check_room(args->nparams, REMOTE_NODE_MEMORY_STATS_MAX, error))
        return false;
    if (args->cellNum < MEMORY_ALL_CELLS)
        return refuse_argument(
            VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
            "cellNum in virNodeGetMemoryStats only accepts -1 as a negative value", error);
    if (!memory_stats_read(driver->roots, args->cellNum, args->nparams, &stats, error))
        return false;
    ret->params.params_len = stats.n_items;
    ret->params.params_val = g_new0(remote_node_get_memory_stats, stats.n_items);
    for (guint i = 0; i < stats.n_items; i++) {
        ret->params.params_val[i].field = g_strdup(stats.items[i].field);
        ret->params.params_val[i].value = stats.items[i].value;
    }
    ret->nparams = args->nparams == 0 ? (int)stats.count : 0;
    return true;
}

static bool node_get_free_memory(Call *call, const none *args, remote_node_get_free_memory_ret *ret,
                                 GError **error)
{
    Driver *driver = driver_of(call, error);
    guint64 bytes;

    if (!driver || !memory_read_free(driver->roots, &bytes, error))
        return false;
    ret->freeMem = bytes;
    return true;
}

/* The limit of the protocol; what exceeds the host's cells is just left out. */
static bool node_get_cells_free_memory(Call *call,
                                       const remote_node_get_cells_free_memory_args *args,
                                       remote_node_get_cells_free_memory_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    GArray *bytes;

    if (!driver)
        return false;
    if (args->maxcells > REMOTE_NODE_MAX_CELLS)
        return refuse_argument(VIR_FROM_RPC, VIR_ERR_RPC, "maxcells > REMOTE_NODE_MAX_CELLS",
                               error);
    if (!memory_read_free_of_cells(driver->roots, args->startCell, args->maxcells, &bytes, error))
        return false;
    ret->cells.cells_len = bytes->len;
    ret->cells.cells_val = (u_quad_t *)(void *)g_array_free(bytes, FALSE);
    return true;
}

static bool node_get_memory_parameters(Call *call,
                                       const remote_node_get_memory_parameters_args *args,
                                       remote_node_get_memory_parameters_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    KsmParameter parameters[KSM_MAX_PARAMETERS];
    g_autoptr(TypedParams) params = typed_params_new();
    guint count;

    if (!driver ||
        !call_check_flags("virNodeGetMemoryParameters", args->flags, VIR_TYPED_PARAM_STRING_OKAY,
                          error) ||
        !host_check_room(args->nparams, REMOTE_NODE_MEMORY_PARAMETERS_MAX, error) ||
        !ksm_read(driver->roots, parameters, &count, error))
        return false;
    if (args->nparams == 0) {
        ret->nparams = (int)count;
        return true;
    }
    for (guint i = 0; i < MIN(count, (guint)args->nparams); i++) {
        if (parameters[i].type == KSM_UINT)
            typed_params_add_uint(params, parameters[i].name, (unsigned)parameters[i].value);
        else
            typed_params_add_ullong(params, parameters[i].name, parameters[i].value);
    }
    typed_params_steal(params, &ret->params.params_val, &ret->params.params_len);
    return true;
}

static KsmParameter ksm_wish(const remote_typed_param *param)
{
    KsmParameter wish = { param->field, param->value.type, 0 };

    /* A value of another type is refused for its type. */
    if (param->value.type == VIR_TYPED_PARAM_UINT)
        wish.value = param->value.remote_typed_param_value_u.ui;
    return wish;
}

static bool node_set_memory_parameters(Call *call,
                                       const remote_node_set_memory_parameters_args *args,
                                       none *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    KsmParameter wishes[REMOTE_NODE_MEMORY_PARAMETERS_MAX];

    if (!driver || !call_check_flags("virNodeSetMemoryParameters", args->flags, 0, error))
        return false;
    if (args->params.params_len == 0)
        return refuse_argument(VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                               "params in virNodeSetMemoryParameters must not be NULL", error);
    for (u_int i = 0; i < args->params.params_len; i++)
        wishes[i] = ksm_wish(&args->params.params_val[i]);
    return ksm_set(driver->roots, wishes, args->params.params_len, error);
}

/* Checked here as the public interface does, for clients that do not go through it. */
static bool check_pages(const char *api, u_int n_sizes, u_int n_cells, GError **error)
{
    if (n_sizes > 0 && n_cells > 0)
        return true;
    g_set_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_INVALID_ARG,
                "%s in %s must not be zero", n_sizes > 0 ? "cellCount" : "npages", api);
    return false;
}

static bool node_get_free_pages(Call *call, const remote_node_get_free_pages_args *args,
                                remote_node_get_free_pages_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    GArray *counts;

    if (!driver || !call_check_flags("virNodeGetFreePages", args->flags, 0, error) ||
        !check_pages("virNodeGetFreePages", args->pages.pages_len, args->cellCount, error) ||
        !pages_read_free(driver->roots, args->pages.pages_val, args->pages.pages_len,
                         args->startCell, args->cellCount, &counts, error))
        return false;
    ret->counts.counts_len = counts->len;
    ret->counts.counts_val = (u_quad_t *)(void *)g_array_free(counts, FALSE);
    return true;
}

/* Work for a thread. Everything in it stays until the thread is done, for the fiber that waits
 * cannot be cancelled out of that. */
typedef struct AllocPages {
    const HostRoots *roots;
    GArray *requests; /* PagesRequest */
    int start;
    guint n_cells;
    PagesMode mode;
    guint n_done;
} AllocPages;

static bool alloc_pages_run(void *data, GError **error)
{
    AllocPages *job = data;

    return pages_allocate(job->roots, (const PagesRequest *)(void *)job->requests->data,
                          job->requests->len, job->start, job->n_cells, job->mode, &job->n_done,
                          error);
}

static GArray *pages_requests_new(const remote_node_alloc_pages_args *args)
{
    GArray *requests = g_array_new(FALSE, FALSE, sizeof(PagesRequest));

    for (u_int i = 0; i < args->pageSizes.pageSizes_len; i++) {
        PagesRequest request = { args->pageSizes.pageSizes_val[i],
                                 args->pageCounts.pageCounts_val[i] };

        g_array_append_val(requests, request);
    }
    return requests;
}

/* In a thread: the kernel may move a lot of memory around before it has a huge page. */
static bool node_alloc_pages(Call *call, const remote_node_alloc_pages_args *args,
                             remote_node_alloc_pages_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(GArray) requests = NULL;
    AllocPages job;

    if (!driver ||
        !call_check_flags("virNodeAllocPages", args->flags, VIR_NODE_ALLOC_PAGES_SET, error) ||
        !check_pages("virNodeAllocPages", args->pageSizes.pageSizes_len, args->cellCount, error))
        return false;
    if (args->pageSizes.pageSizes_len != args->pageCounts.pageCounts_len)
        return refuse_argument(VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                               "pageCounts in virNodeAllocPages must have as many items as "
                               "pageSizes", error);
    requests = pages_requests_new(args);
    job = (AllocPages){ driver->roots, requests, args->startCell, args->cellCount,
                        args->flags & VIR_NODE_ALLOC_PAGES_SET ? PAGES_SET : PAGES_ADD, 0 };
    if (!fiber_offload(alloc_pages_run, &job, error))
        return false;
    ret->ret = (int)job.n_done;
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_NODE_GET_MEMORY_STATS, node_get_memory_stats,
              remote_node_get_memory_stats_args, remote_node_get_memory_stats_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_FREE_MEMORY, node_get_free_memory, none,
              remote_node_get_free_memory_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_CELLS_FREE_MEMORY, node_get_cells_free_memory,
              remote_node_get_cells_free_memory_args, remote_node_get_cells_free_memory_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_MEMORY_PARAMETERS, node_get_memory_parameters,
              remote_node_get_memory_parameters_args, remote_node_get_memory_parameters_ret),
    PROCEDURE(REMOTE_PROC_NODE_SET_MEMORY_PARAMETERS, node_set_memory_parameters,
              remote_node_set_memory_parameters_args, none),
    PROCEDURE(REMOTE_PROC_NODE_GET_FREE_PAGES, node_get_free_pages,
              remote_node_get_free_pages_args, remote_node_get_free_pages_ret),
    PROCEDURE(REMOTE_PROC_NODE_ALLOC_PAGES, node_alloc_pages, remote_node_alloc_pages_args,
              remote_node_alloc_pages_ret),
};

const ProcedureTable memory_procedures = { REMOTE_PROGRAM, procedures, G_N_ELEMENTS(procedures) };
