/* Host devices. */
#include "common/daemon_capabilities.h"
#include "common/main.h"
#include "virtnodedevd/driver.h"
#include "virtnodedevd/procedures.h"

static const ProcedureTable *const tables[] = {
    &nodedev_list_procedures,
    &nodedev_look_procedures,
    &nodedev_make_procedures,
    &nodedev_assign_procedures,
    &nodedev_event_procedures,
    NULL,
};

static const DaemonSpec spec = {
    .name = "virtnodedevd",
    .summary = "lists and manages host devices",
    .config = CONFIG_VIRTNODEDEVD,
    .capabilities = CAPABILITIES_VIRTNODEDEVD,
    .uri_scheme = "nodedev",
    .driver_type = "nodedev",
    .owner = WIRE_OWNER_NODEDEV,
    .tables = tables,
    .start = driver_start,
    .stop = driver_stop,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
