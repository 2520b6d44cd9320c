/* Storage pools and volumes: the driver itself comes later; until then its calls answer "not
 * supported" and name the function. */
#include "common/daemon_capabilities.h"
#include "common/main.h"

static const DaemonSpec spec = {
    .name = "virtstoraged",
    .summary = "manages storage pools and volumes",
    .config = CONFIG_VIRTSTORAGED,
    .capabilities = CAPABILITIES_VIRTSTORAGED,
    .uri_scheme = "storage",
    .driver_type = "storage",
    .owner = WIRE_OWNER_STORAGE,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
