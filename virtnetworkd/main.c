/* Virtual networks: the driver itself comes later; until then its calls answer "not
 * supported" and name the function. */
#include "common/daemon_capabilities.h"
#include "common/main.h"

static const DaemonSpec spec = {
    .name = "virtnetworkd",
    .summary = "manages virtual networks",
    .config = CONFIG_VIRTNETWORKD,
    .capabilities = CAPABILITIES_VIRTNETWORKD,
    .uri_scheme = "network",
    .driver_type = "network",
    .owner = WIRE_OWNER_NETWORK,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
