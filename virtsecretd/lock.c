#include "virtsecretd/lock.h"

#include "base/error.h"
#include "fiber/deadline.h"

/* Changes are writes to a local disk: whoever is before us is soon done, or has waited for the
 * roll-over of a key, which gives up after half a minute. */
#define LOCK_MS 60000

bool secret_lock(Secret *secret, GError **error)
{
    if (!fiber_mutex_lock(&secret->lock, fiber_deadline_ms(LOCK_MS), error))
        return false;
    if (object_is_in_store(&secret->object))
        return true;
    fiber_mutex_unlock(&secret->lock);
    error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "no secret with matching uuid '%s'",
              secret->object.name);
    return false;
}

void secret_unlock(Secret *secret)
{
    fiber_mutex_unlock(&secret->lock);
}
