/* The log daemon. */
#include "common/daemon_capabilities.h"
#include "common/main.h"
#include "virtlogd/logs.h"
#include "virtlogd/procedures.h"

static const ProcedureTable *const tables[] = { &log_procedures, NULL };

static const DaemonSpec spec = {
    .name = "virtlogd",
    .summary = "writes the logs of guests and rolls them over",
    .config = CONFIG_VIRTLOGD,
    .capabilities = CAPABILITIES_VIRTLOGD,
    .tables = tables,
    .keeps_descriptors = true,
    .start = logs_start,
    .stop = logs_stop,
    .is_busy = logs_is_busy,
    .reload = logs_reload,
    .may_reexecute = logs_may_reexecute,
    .print_stats = logs_print_stats,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
