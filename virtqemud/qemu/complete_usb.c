/* Ports of USB controllers and hubs, in the order: hubs, disks, card readers, input devices, serial
 * ports. Hubs are added when devices outnumber ports, as existing daemons do. */
#include <string.h>

#include "virtqemud/qemu/complete_steps.h"

#define N_BUSES 256
#define PORTS_MAX 15
#define HUB_PORTS 8 /* of QEMU's usb-hub */

/* The ports of a controller or of a hub. */
typedef struct UsbHub {
    unsigned n_ports;
    uint32_t used;                        /* a bit for each port, from 1 */
    struct UsbHub *hubs[PORTS_MAX + 1];   /* at each port; NULL for what is no hub */
} UsbHub;

typedef struct UsbPorts {
    DomainDef *def;
    bool is_disabled;
    UsbHub *buses[N_BUSES]; /* NULL: there is no such bus */
    size_t n_free;          /* of all buses and hubs */
    size_t n_wanted;        /* devices that have no port yet */
} UsbPorts;

static UsbHub *usb_hub_new(UsbPorts *ports, unsigned n_ports)
{
    UsbHub *hub = g_new0(UsbHub, 1);

    hub->n_ports = n_ports;
    ports->n_free += n_ports;
    return hub;
}

static void usb_hub_free(UsbHub *hub)
{
    for (size_t i = 0; hub && i < G_N_ELEMENTS(hub->hubs); i++)
        usb_hub_free(hub->hubs[i]);
    g_free(hub);
}

static void usb_ports_clear(UsbPorts *ports)
{
    for (size_t i = 0; i < N_BUSES; i++)
        usb_hub_free(ports->buses[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UsbPorts, usb_ports_clear)

/* Source: QEMU's models. */
static unsigned ports_of(const ControllerDef *controller)
{
    switch (controller->model) {
    case USB_EHCI:
    case USB_ICH9_EHCI1:
        return 6;
    case USB_PCI_OHCI:
        return 3;
    case USB_NEC_XHCI:
    case USB_QEMU_XHCI:
        return controller->usb_ports > 0 ? MIN((unsigned) controller->usb_ports, PORTS_MAX) : 4;
    default:
        return 2;
    }
}

/* One bus for each master, by index. */
static void buses_read(UsbPorts *ports)
{
    for (guint i = 0; i < ports->def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(ports->def->controllers, i);

        if (controller->type != CONTROLLER_USB || controller->index < 0 ||
            controller->index >= N_BUSES)
            continue;
        if (controller->model == USB_NONE)
            ports->is_disabled = true;
        /* Companions have no ports of their own. */
        else if (controller->master_startport < 0 && !ports->buses[controller->index])
            ports->buses[controller->index] = usb_hub_new(ports, ports_of(controller));
    }
}

/* "1.2.3" */
static char *ports_text(const DeviceAddress *address)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(address->usb.ports) && address->usb.ports[i]; i++)
        g_string_append_printf(text, "%s%u", i ? "." : "", address->usb.ports[i]);
    return g_string_free(text, FALSE);
}

/* The controller or hub that an address is behind, with the port there; NULL with an error. */
static UsbHub *hub_find(const UsbPorts *ports, const DeviceAddress *address, unsigned *ret_port,
                        GError **error)
{
    const unsigned *path = address->usb.ports;
    unsigned bus = address->usb.bus;
    UsbHub *hub = bus < N_BUSES ? ports->buses[bus] : NULL;

    if (!hub) {
        error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Missing USB bus %u", bus);
        return NULL;
    }
    for (size_t i = 0;; i++) {
        bool is_last = i + 1 == G_N_ELEMENTS(address->usb.ports) || path[i + 1] == 0;
        g_autofree char *text = NULL;

        *ret_port = path[i];
        if (is_last && path[i] <= hub->n_ports)
            return hub;
        if (is_last) {
            error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                       "requested USB port %u not present on USB bus %u", path[i], bus);
            return NULL;
        }
        text = ports_text(address);
        if (path[i] > PORTS_MAX || !hub->hubs[path[i]]) {
            error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                       "there is no hub at port %u in USB address bus: %u port: %s", path[i], bus,
                       text);
            return NULL;
        }
        hub = hub->hubs[path[i]];
    }
}

static void port_use(UsbPorts *ports, UsbHub *hub, unsigned port, bool is_hub)
{
    hub->used |= 1u << port;
    ports->n_free--;
    if (is_hub)
        hub->hubs[port] = usb_hub_new(ports, HUB_PORTS);
}

static bool port_reserve(UsbPorts *ports, const DeviceAddress *address, bool is_hub,
                         GError **error)
{
    g_autofree char *text = ports_text(address);
    unsigned port;
    UsbHub *hub = hub_find(ports, address, &port, error);

    if (!hub)
        return false;
    if (hub->used & 1u << port)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                          "Duplicate USB address bus %u port %s", address->usb.bus, text);
    port_use(ports, hub, port, is_hub);
    return true;
}

/* The first free port of @hub, or else of what is behind it. @path: room for the ports from here
 * on; a hub takes no place at the end of it, where nothing could be behind it. */
static bool port_take(UsbPorts *ports, UsbHub *hub, unsigned *path, size_t n_path, bool is_hub)
{
    if (n_path <= (is_hub ? 1 : 0))
        return false;
    for (unsigned port = 1; port <= hub->n_ports; port++) {
        if (hub->used & 1u << port)
            continue;
        port_use(ports, hub, port, is_hub);
        path[0] = port;
        return true;
    }
    for (unsigned port = 1; port <= hub->n_ports; port++) {
        path[0] = port;
        if (hub->hubs[port] && port_take(ports, hub->hubs[port], path + 1, n_path - 1, is_hub))
            return true;
    }
    path[0] = 0;
    return false;
}

static bool bus_take(UsbPorts *ports, unsigned bus, DeviceAddress *address, bool is_hub)
{
    DeviceAddress taken = { .type = ADDRESS_USB, .usb.bus = bus };

    if (!ports->buses[bus] || !port_take(ports, ports->buses[bus], taken.usb.ports,
                                         G_N_ELEMENTS(taken.usb.ports), is_hub))
        return false;
    *address = taken;
    return true;
}

/* On the bus that is asked for; else on the first with a free port. */
static bool port_assign(UsbPorts *ports, DeviceAddress *address, bool is_hub, GError **error)
{
    if (address->type == ADDRESS_USB) {
        unsigned bus = address->usb.bus;

        if (bus >= N_BUSES || !ports->buses[bus])
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Missing USB bus %u", bus);
        return bus_take(ports, bus, address, is_hub) ||
               error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "no free port on USB bus %u",
                          bus);
    }
    for (unsigned bus = 0; bus < N_BUSES; bus++)
        if (bus_take(ports, bus, address, is_hub))
            return true;
    return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "no USB bus has a free port");
}

/* Called with the address of every USB device, in order. */
typedef bool (*UsbFunc)(UsbPorts *ports, DeviceAddress *address, GError **error);

static bool is_given(const DeviceAddress *address)
{
    return address->type == ADDRESS_USB && address->usb.ports[0] != 0;
}

/* Addresses that are given come first, so that no other device takes them. */
static bool given_reserve(UsbPorts *ports, DeviceAddress *address, GError **error)
{
    return !is_given(address) || port_reserve(ports, address, false, error);
}

/* An address of another type is for the checks that come later. */
static bool is_wanted(const DeviceAddress *address)
{
    return !is_given(address) && (address->type == ADDRESS_NONE || address->type == ADDRESS_USB);
}

static bool others_count(UsbPorts *ports, DeviceAddress *address, GError **error)
{
    if (ports->is_disabled)
        return error_fail(
            error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
            "USB is disabled for this domain, but USB devices are present in the domain "
            "XML");
    ports->n_wanted += is_wanted(address);
    return true;
}

static bool others_assign(UsbPorts *ports, DeviceAddress *address, GError **error)
{
    return !is_wanted(address) || port_assign(ports, address, false, error);
}

static bool usb_each(UsbPorts *ports, UsbFunc func, GError **error)
{
    const DomainDef *def = ports->def;

    for (guint i = 0; i < def->disks->len; i++) {
        DiskDef *disk = g_ptr_array_index(def->disks, i);

        if (disk->bus == DISK_BUS_USB && !func(ports, &disk->info.address, error))
            return false;
    }
    for (guint i = 0; i < def->controllers->len; i++) {
        ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->type == CONTROLLER_CCID && !func(ports, &controller->info.address, error))
            return false;
    }
    for (guint i = 0; i < def->inputs->len; i++) {
        InputDef *input = g_ptr_array_index(def->inputs, i);

        if (input->bus == INPUT_BUS_USB && !func(ports, &input->info.address, error))
            return false;
    }
    for (guint i = 0; i < def->serials->len; i++) {
        ChardevDef *serial = g_ptr_array_index(def->serials, i);

        if (serial->target == CHARDEV_TARGET_USB_SERIAL &&
            !func(ports, &serial->info.address, error))
            return false;
    }
    return true;
}

static bool given_hubs_reserve(UsbPorts *ports, GError **error)
{
    const GPtrArray *hubs = ports->def->hubs;

    if (hubs->len > 0 && ports->is_disabled)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "Can't add USB hub: USB is disabled for this domain");
    for (guint i = 0; i < hubs->len; i++) {
        const HubDef *hub = g_ptr_array_index(hubs, i);

        if (is_given(&hub->info.address) &&
            !port_reserve(ports, &hub->info.address, true, error))
            return false;
    }
    return true;
}

static bool other_hubs_assign(UsbPorts *ports, GError **error)
{
    const GPtrArray *hubs = ports->def->hubs;

    for (guint i = 0; i < hubs->len; i++) {
        HubDef *hub = g_ptr_array_index(hubs, i);

        if (is_wanted(&hub->info.address) &&
            !port_assign(ports, &hub->info.address, true, error))
            return false;
    }
    return true;
}

/* As many as the devices need that are too many; each hub takes a port itself. One more than that
 * where it fits exactly, as guests have it already. */
static bool hubs_add(UsbPorts *ports, GError **error)
{
    size_t n_hubs;

    if (ports->n_wanted <= ports->n_free)
        return true;
    if (ports->n_free == 0)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "No free USB ports");
    n_hubs = (ports->n_wanted - ports->n_free) / (HUB_PORTS - 1) + 1;
    while (n_hubs-- > 0)
        g_ptr_array_add(ports->def->hubs, hub_def_new());
    return other_hubs_assign(ports, error);
}

bool complete_usb(DomainDef *def, GError **error)
{
    g_auto(UsbPorts) ports = { .def = def };

    buses_read(&ports);
    for (guint i = 0; i < def->inputs->len && ports.is_disabled; i++) {
        const InputDef *input = g_ptr_array_index(def->inputs, i);

        if (input->bus == INPUT_BUS_USB)
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                              "Can't add USB input device. USB bus is disabled");
    }
    return given_hubs_reserve(&ports, error) && usb_each(&ports, given_reserve, error) &&
           other_hubs_assign(&ports, error) && usb_each(&ports, others_count, error) &&
           hubs_add(&ports, error) && usb_each(&ports, others_assign, error);
}
