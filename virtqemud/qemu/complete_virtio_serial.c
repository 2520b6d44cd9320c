/* Ports of virtio-serial controllers. Port 0 of a controller is for the first console, which
 * QEMU puts there itself; channels have the others. */
#include "base/error.h"
#include "virtqemud/qemu/complete_steps.h"

#define PORTS_DEFAULT 31 /* QEMU's max_ports */
#define PORTS_MAX 1024

typedef struct SerialPorts {
    DomainDef *def;
    GHashTable *used; /* controller * PORTS_MAX + port */
} SerialPorts;

static gpointer port_key(unsigned controller, unsigned port)
{
    return GUINT_TO_POINTER(controller * PORTS_MAX + port + 1);
}

static unsigned ports_of(const ControllerDef *controller)
{
    return controller->ports > 0 ? MIN((unsigned) controller->ports, PORTS_MAX) : PORTS_DEFAULT;
}

static bool is_virtio(const ChardevDef *chardev)
{
    return chardev->target == CHARDEV_TARGET_VIRTIO;
}

/* The controller that @chardev asks for; the first, when it does not say. */
static bool controller_complete(SerialPorts *ports, const ChardevDef *chardev, GError **error)
{
    const DeviceAddress *address = &chardev->info.address;
    unsigned index = address->type == ADDRESS_VIRTIO_SERIAL ? address->virtio_serial.controller : 0;

    if (complete_find_controller(ports->def, CONTROLLER_VIRTIO_SERIAL, (int) MIN(index, G_MAXINT)))
        return true;
    if (index >= G_MAXUINT8) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "virtio serial controller %u is missing", index);
        return false;
    }
    g_ptr_array_add(ports->def->controllers,
                    controller_def_new(CONTROLLER_VIRTIO_SERIAL, (int) index,
                                       CONTROLLER_MODEL_NONE));
    return true;
}

/* Takes a port that was given. */
static bool port_reserve(SerialPorts *ports, const ChardevDef *chardev, GError **error)
{
    unsigned index = chardev->info.address.virtio_serial.controller;
    unsigned port = chardev->info.address.virtio_serial.port;
    const ControllerDef *controller =
        complete_find_controller(ports->def, CONTROLLER_VIRTIO_SERIAL, (int) index);

    if (!controller || port >= ports_of(controller)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "virtio serial controller %u does not have port %u", index, port);
        return false;
    }
    if (!g_hash_table_add(ports->used, port_key(index, port))) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "virtio serial port %u on controller %u is already occupied", port, index);
        return false;
    }
    return true;
}

/* Takes the first free port of @controller. */
static bool port_take(SerialPorts *ports, const ControllerDef *controller, DeviceAddress *address)
{
    for (unsigned port = 1; port < ports_of(controller); port++) {
        if (!g_hash_table_add(ports->used, port_key((unsigned) controller->index, port)))
            continue;
        address->type = ADDRESS_VIRTIO_SERIAL;
        address->virtio_serial.controller = (unsigned) controller->index;
        address->virtio_serial.bus = 0;
        address->virtio_serial.port = port;
        return true;
    }
    return false;
}

/* The controller with the next index that has a port; another one, when all are full. */
static bool port_assign(SerialPorts *ports, ChardevDef *channel, GError **error)
{
    DeviceAddress *address = &channel->info.address;
    bool is_bound = address->type == ADDRESS_VIRTIO_SERIAL;
    ControllerDef *controller = NULL;

    if (is_bound) {
        controller = complete_find_controller(ports->def, CONTROLLER_VIRTIO_SERIAL,
                                              (int) address->virtio_serial.controller);
        if (controller && port_take(ports, controller, address))
            return true;
    }
    for (int index = 0; index < G_MAXUINT8; index++) {
        controller = complete_find_controller(ports->def, CONTROLLER_VIRTIO_SERIAL, index);
        if (!controller) {
            controller = controller_def_new(CONTROLLER_VIRTIO_SERIAL, index,
                                            CONTROLLER_MODEL_NONE);
            g_ptr_array_add(ports->def->controllers, controller);
        }
        if (port_take(ports, controller, address))
            return true;
    }
    error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
              "no virtio serial controller has a port left for channel '%s'",
              channel->channel_name ?: "");
    return false;
}

static bool is_port_given(const ChardevDef *chardev)
{
    return chardev->info.address.type == ADDRESS_VIRTIO_SERIAL &&
           chardev->info.address.virtio_serial.port != 0;
}

/* Before any port is chosen: the controllers that are asked for, the ports that are given. */
static bool given_reserve(SerialPorts *ports, const GPtrArray *chardevs, GError **error)
{
    for (guint i = 0; i < chardevs->len; i++) {
        const ChardevDef *chardev = g_ptr_array_index(chardevs, i);

        if (!is_virtio(chardev))
            continue;
        if (!controller_complete(ports, chardev, error) ||
            (is_port_given(chardev) && !port_reserve(ports, chardev, error)))
            return false;
    }
    return true;
}

bool complete_virtio_serial(DomainDef *def, GError **error)
{
    g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
    SerialPorts ports = { def, used };

    if (!given_reserve(&ports, def->channels, error) ||
        !given_reserve(&ports, def->consoles, error))
        return false;
    for (guint i = 0; i < def->channels->len; i++) {
        ChardevDef *channel = g_ptr_array_index(def->channels, i);

        if (is_virtio(channel) && !is_port_given(channel) && !port_assign(&ports, channel, error))
            return false;
    }
    return true;
}
