/* Putting the host to sleep. The call is answered first and the host suspended a moment later:
 * an answer that arrives when the host wakes up again would be too late for anybody who waits
 * with a time-out. */
#include "virtqemud/host_procedures.h"

#include "base/log.h"
#include "fiber/offload.h"
#include "virtqemud/driver.h"
#include "virtqemud/host/suspend.h"
#include "wire/remote.h"
#include "wire/remote_node.h"

LOG_INIT("qemu.suspend");

/* Between the answer and the sleep: time for the answer to reach its client. */
#define ANSWER_US (500 * 1000)

typedef struct Suspend {
    Driver *driver;
    SuspendTarget target;
} Suspend;

static bool suspend_run(void *data, GError **error)
{
    const Suspend *job = data;

    return suspend_enter(job->driver->roots, job->target, error);
}

/* In a fiber of its own, which the end of the daemon cancels or waits for. */
static void suspend_later(void *data)
{
    g_autofree Suspend *job = data;
    g_autoptr(GError) error = NULL;

    if (!fiber_sleep(ANSWER_US, &error) || !fiber_offload(suspend_run, job, &error))
        LOG_GERROR(error);
    job->driver->is_suspending_host = false;
    daemon_uninhibit_idle(job->driver->daemon);
}

/* The daemon must not leave on idle in between: nobody would suspend the host then. */
static bool suspend_start(Driver *driver, SuspendTarget target, GError **error)
{
    Suspend *job = g_new(Suspend, 1);

    *job = (Suspend){ driver, target };
    driver->is_suspending_host = true;
    daemon_inhibit_idle(driver->daemon);
    if (fiber_spawn(daemon_get_loop(driver->daemon), "suspend", suspend_later, job, NULL, error))
        return true;
    driver->is_suspending_host = false;
    daemon_uninhibit_idle(driver->daemon);
    g_free(job);
    return false;
}

static bool node_suspend_for_duration(Call *call, const remote_node_suspend_for_duration_args *args,
                                      none *ret, GError **error)
{
    Driver *driver = driver_of(call, error);

    if (!driver || !call_check_flags("virNodeSuspendForDuration", args->flags, 0, error))
        return false;
    if (driver->is_suspending_host) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "the host is about to be suspended already");
        return false;
    }
    return suspend_prepare(driver->roots, args->target, args->duration, error) &&
           suspend_start(driver, (SuspendTarget)args->target, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_NODE_SUSPEND_FOR_DURATION, node_suspend_for_duration,
              remote_node_suspend_for_duration_args, none),
};

const ProcedureTable suspend_procedures = { REMOTE_PROGRAM, procedures, G_N_ELEMENTS(procedures) };
