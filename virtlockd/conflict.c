#include "virtlockd/conflict.h"

#include "base/error.h"
#include "base/plural.h"

/* The beginning is what clients have always been told. */
static void set_busy(GError **error, const LockResource *resource, const char *holder)
{
    g_autofree char *space = *resource->space
                                 ? g_strdup_printf("lock space '%s'", resource->space)
                                 : g_strdup("the direct lock space");

    error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_RESOURCE_BUSY,
              "Lockspace resource '%s' is locked in %s by %s", resource->name, space, holder);
}

void conflict_set(GError **error, const LockResource *resource, const Lock *holder)
{
    guint n_others = holder->resource->locks->len - 1;
    g_autofree char *owner = lock_owner_describe(holder->owner);
    GString *text = g_string_new(owner);

    if (n_others > 0)
        g_string_append_printf(text, " and %u other%s", n_others, plural_s(n_others));
    if (holder->is_shared)
        g_string_append(text, ", shared");
    if (holder->resource != resource)
        g_string_append_printf(text, ", as '%s'", holder->resource->path);
    set_busy(error, resource, text->str);
    g_string_free(text, TRUE);
}

void conflict_set_foreign(GError **error, const LockResource *resource,
                          const LockWorkerReply *reply)
{
    g_autofree char *holder = NULL;

    if (reply->holder_pid <= 0)
        holder = g_strdup("a process on another host or in another container");
    else if (reply->holder_name[0] == '\0')
        holder = g_strdup_printf("process %d", reply->holder_pid);
    else
        holder = g_strdup_printf("process %d (%s)", reply->holder_pid, reply->holder_name);
    set_busy(error, resource, holder);
}
