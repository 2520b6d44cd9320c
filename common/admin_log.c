/* Logging as the admin interface shows and sets it. */
#include "base/log.h"

#include "base/error.h"
#include "common/admin_private.h"
#include "fiber/offload.h"

bool admin_log_get_outputs(Call *call, const admin_connect_get_logging_outputs_args *args,
                           admin_connect_get_logging_outputs_ret *ret, GError **error)
{
    if (!call_check_flags("virAdmConnectGetLoggingOutputs", args->flags, 0, error))
        return false;
    ret->outputs = log_get_outputs(&ret->noutputs);
    return true;
}

bool admin_log_get_filters(Call *call, const admin_connect_get_logging_filters_args *args,
                           admin_connect_get_logging_filters_ret *ret, GError **error)
{
    g_autofree char *filters = NULL;

    if (!call_check_flags("virAdmConnectGetLoggingFilters", args->flags, 0, error))
        return false;
    filters = log_get_filters(&ret->nfilters);
    /* No filters are no string, not an empty one. */
    if (ret->nfilters > 0) {
        ret->filters = g_new0(admin_nonnull_string, 1);
        *ret->filters = g_steal_pointer(&filters);
    }
    return true;
}

/* Logging has a lock of its own: others may log meanwhile. */
static bool log_set_outputs_in_thread(void *data, GError **error)
{
    return log_set_outputs(data, error);
}

bool admin_log_set_outputs(Call *call, const admin_connect_set_logging_outputs_args *args,
                           none *ret, GError **error)
{
    g_autofree char *outputs = g_strdup(args->outputs ? *args->outputs : "");

    /* A log file may be on a disk that is slow to open it. */
    return call_check_flags("virAdmConnectSetLoggingOutputs", args->flags, 0, error) &&
           fiber_offload(log_set_outputs_in_thread, outputs, error);
}

bool admin_log_set_filters(Call *call, const admin_connect_set_logging_filters_args *args,
                           none *ret, GError **error)
{
    return call_check_flags("virAdmConnectSetLoggingFilters", args->flags, 0, error) &&
           log_set_filters(args->filters ? *args->filters : "", error);
}
