/* Network interfaces. */
#include "virtqemud/qemu/device_interface.h"

#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/command.h"

char *interface_netdev_id(const InterfaceDef *interface)
{
    return g_strconcat("host", interface->info.alias, NULL);
}

/* Addresses of the network that QEMU plays for the guest (qemu manual page, "-netdev user"). */
static void put_user_address(JsonValue *netdev, const InterfaceIp *ip)
{
    if (!g_strcmp0(ip->family, "ipv6") || (!ip->family && strchr(ip->address, ':'))) {
        json_object_put_string(netdev, "ipv6-prefix", ip->address);
        device_json_put_size(netdev, "ipv6-prefixlen", ip->prefix);
    } else {
        g_autofree char *net = ip->prefix ? g_strdup_printf("%s/%u", ip->address, ip->prefix)
                                          : g_strdup(ip->address);

        json_object_put_string(netdev, "net", net);
    }
}

JsonValue *interface_netdev_json(const InterfaceDef *interface, GError **error)
{
    g_autofree char *id = interface_netdev_id(interface);
    JsonValue *netdev;

    if (interface->type != INTERFACE_USER) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "interface '%s' is of a type that is not supported", interface->info.alias);
        return NULL;
    }
    netdev = json_object();
    json_object_put_string(netdev, "type", "user");
    for (guint i = 0; interface->ips && i < interface->ips->len; i++)
        put_user_address(netdev, interface->ips->pdata[i]);
    json_object_put_string(netdev, "id", id);
    return netdev;
}

/* "virtio" and its variants have other names in QEMU; all other models are QEMU's own names. */
static char *interface_driver(const char *model)
{
    if (!strcmp(model, "virtio"))
        return g_strdup("virtio-net-pci");
    if (g_str_has_prefix(model, "virtio-"))
        return g_strconcat("virtio-net-pci", model + strlen("virtio"), NULL);
    return g_strdup(model);
}

/* What only virtio cards have: queues, when they are sent, and the MTU that the guest is told. */
static void put_virtio(JsonValue *device, const InterfaceDef *interface)
{
    static const char *const tx_modes[] = {
        [TX_MODE_DEFAULT] = NULL,
        [TX_MODE_IOTHREAD] = "bh",
        [TX_MODE_TIMER] = "timer",
    };

    json_object_put_string(device, "tx", tx_modes[interface->tx_mode]);
    device_json_put_switch(device, "ioeventfd", interface->io_event_fd);
    device_json_put_switch(device, "event_idx", interface->event_idx);
    device_json_put_size(device, "rx_queue_size", interface->rx_queue_size);
    device_json_put_size(device, "tx_queue_size", interface->tx_queue_size);
    device_json_put_size(device, "host_mtu", interface->mtu);
    device_json_put_virtio(device, &interface->virtio);
}

JsonValue *interface_device_json(const DeviceScope *scope, const InterfaceDef *interface,
                                 GError **error)
{
    g_autofree char *driver = NULL;
    g_autofree char *netdev = interface_netdev_id(interface);
    char mac[MAC_TEXT_SIZE];
    JsonValue *device;

    if (!interface->model) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "interface '%s' has no model",
                  interface->info.alias);
        return NULL;
    }
    driver = interface_driver(interface->model);
    device = device_json_new_placed(scope, driver, &interface->info, error);
    if (!device)
        return NULL;
    json_object_put_string(device, "netdev", netdev);
    json_object_put_string(device, "mac", mac_format(&interface->mac, mac));
    if (g_str_has_prefix(interface->model, "virtio"))
        put_virtio(device, interface);
    return device;
}
