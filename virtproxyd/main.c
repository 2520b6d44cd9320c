/* The front end for clients of libvirt-sock, and for remote ones: owns no driver, every
 * call goes to the daemon that does. */
#include "common/daemon_capabilities.h"
#include "common/main.h"
#include "net/tls_server.h"

static const DaemonTls tls = {
    .context_new = net_tls_context_new,
    .context_unref = net_tls_context_unref,
    .wrap = net_tls_server_new,
};

static const DaemonSpec spec = {
    .name = "virtproxyd",
    .summary = "routes clients to the daemon of each driver",
    .config = CONFIG_VIRTPROXYD,
    .capabilities = CAPABILITIES_VIRTPROXYD,
    .uri_scheme = "qemu",
    .driver_type = "QEMU",
    .routes_calls = true,
    .is_proxy = true,
    .legacy_socket_name = "libvirt",
    .legacy_server_name = "libvirtd",
    .tls = &tls,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
