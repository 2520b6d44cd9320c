/* The lock daemon. */
#include "common/daemon_capabilities.h"
#include "common/main.h"
#include "fiber/helper_spawn.h"
#include "virtlockd/lockd.h"
#include "virtlockd/procedures.h"

static const ProcedureTable *const tables[] = { &lock_procedures, NULL };

static const DaemonSpec spec = {
    .name = "virtlockd",
    .summary = "holds locks on the disks of guests",
    .config = CONFIG_VIRTLOCKD,
    .capabilities = CAPABILITIES_VIRTLOCKD,
    .tables = tables,
    .keeps_descriptors = true,
    .start = lockd_start,
    .stop = lockd_stop,
    .is_busy = lockd_is_busy,
};

int main(int argc, char **argv)
{
    /* Files of guests are open in here, and a file system that hangs must not keep workers from
     * being started. */
    helper_spawn_occupy_low();
    return daemon_main(&spec, argc, argv);
}
