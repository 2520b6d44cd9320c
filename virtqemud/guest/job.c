/* A fair mutex with a name on it. */
#include "virtqemud/guest/job.h"

#include "base/error.h"

bool job_begin(JobQueue *queue, const char *api, int operation, GError **error)
{
    g_autoptr(GError) reason = NULL;
    bool is_mine;

    queue->n_waiting++;
    is_mine = fiber_mutex_lock(&queue->mutex, fiber_deadline_ms(JOB_WAIT_MS), &reason);
    queue->n_waiting--;
    if (!is_mine) {
        if (g_error_matches(reason, error_quark(error_get_from(reason)), VIR_ERR_OPERATION_TIMEOUT))
            error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
                      "cannot acquire state change lock (held by monitor=%s)",
                      queue->api ? queue->api : "nobody");
        else
            g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    queue->api = api;
    queue->operation = operation;
    queue->since_us = fiber_now_us();
    return true;
}

void job_end(JobQueue *queue)
{
    queue->api = NULL;
    queue->operation = 0;
    fiber_mutex_unlock(&queue->mutex);
}
