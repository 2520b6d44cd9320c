/* QEMU guests. */
#include "common/daemon_capabilities.h"
#include "common/main.h"
#include "virtqemud/domain_procedures.h"
#include "virtqemud/driver.h"
#include "virtqemud/host_procedures.h"
#include "virtqemud/qemu_conf.h"

static const ProcedureTable *const tables[] = {
    &capabilities_procedures,
    &host_procedures,          &memory_procedures,        &suspend_procedures,
    &domain_list_procedures,   &domain_event_procedures,  &monitor_event_procedures,
    &domain_define_procedures, &domain_info_procedures,   &domain_job_procedures,
    &domain_lifecycle_procedures, &domain_metadata_procedures, &domain_console_procedures,
    &domain_monitor_procedures, &domain_security_procedures, &domain_stats_procedures,
    NULL,
};

static const DaemonSpec spec = {
    .name = "virtqemud",
    .summary = "manages QEMU guests",
    .config = CONFIG_VIRTQEMUD,
    .capabilities = CAPABILITIES_VIRTQEMUD,
    .uri_scheme = "qemu",
    .driver_type = "QEMU",
    .owner = WIRE_OWNER_DOMAIN,
    .routes_calls = true,
    .tables = tables,
    .start = driver_start,
    .stop = driver_stop,
    .is_busy = driver_is_busy,
    .reload = driver_reload,
    .before_stop = host_shutdown_before_stop,
    .check_config = qemu_conf_check,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
