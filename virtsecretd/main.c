/* Secrets. */
#include "common/daemon_capabilities.h"
#include "common/main.h"
#include "virtsecretd/driver.h"
#include "virtsecretd/procedures.h"
#include "virtsecretd/rotate.h"

static const ProcedureTable *const tables[] = {
    &secret_list_procedures,  &secret_define_procedures, &secret_value_procedures,
    &secret_event_procedures, NULL,
};

static const DaemonSpec spec = {
    .name = "virtsecretd",
    .summary = "keeps secrets for disks and networks",
    .config = CONFIG_VIRTSECRETD,
    .capabilities = CAPABILITIES_VIRTSECRETD,
    .uri_scheme = "secret",
    .driver_type = "secret",
    .owner = WIRE_OWNER_SECRET,
    .tables = tables,
    .start = driver_start,
    .stop = driver_stop,
    .is_busy = driver_is_busy,
    .reload = driver_reload,
    .rotate_key = rotate_key,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
