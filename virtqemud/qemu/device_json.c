/* The common part of devices. */
#include "virtqemud/qemu/device_json.h"

#include <string.h>

#include "base/error.h"
#include "json/get.h"

bool machine_is_q35(const DomainDef *def)
{
    const char *machine = def->os.machine ? def->os.machine : "";

    return !strcmp(machine, "q35") || g_str_has_prefix(machine, "pc-q35-");
}

JsonValue *device_json_new(const DeviceScope *scope, const char *driver, GError **error)
{
    JsonValue *device;

    if (!emulator_caps_has_device(scope->caps, driver)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the emulator %s has no device '%s'", emulator_caps_get_path(scope->caps),
                  driver);
        return NULL;
    }
    device = json_object();
    json_object_put_string(device, "driver", driver);
    return device;
}

JsonValue *object_json_new(const DeviceScope *scope, const char *type, const char *id,
                           GError **error)
{
    JsonValue *object;

    if (!emulator_caps_has_object(scope->caps, type)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the emulator %s has no object '%s'", emulator_caps_get_path(scope->caps), type);
        return NULL;
    }
    object = json_object();
    json_object_put_string(object, "qom-type", type);
    json_object_put_string(object, "id", id);
    return object;
}

JsonValue *device_json_new_placed(const DeviceScope *scope, const char *driver,
                                  const DeviceInfo *info, GError **error)
{
    g_autoptr(JsonValue) device = device_json_new(scope, driver, error);

    if (!device || !device_json_put_info(scope, device, info, error) ||
        !device_json_put_address(scope, device, info, error))
        return NULL;
    return g_steal_pointer(&device);
}

void device_json_put_switch(JsonValue *device, const char *key, XmlTristate state)
{
    if (state != XML_TRISTATE_ABSENT)
        json_object_put_bool(device, key, state == XML_TRISTATE_YES);
}

void device_json_put_size(JsonValue *device, const char *key, uint64_t value)
{
    if (value)
        json_object_put_uint64(device, key, value);
}

/* ---- boot order ---- */

/* Kinds of <boot dev=''>, as disks have them; a LUN counts as a disk. */
static const DeviceInfo *first_disk(const DomainDef *def, BootDevice kind)
{
    for (guint i = 0; i < def->disks->len; i++) {
        const DiskDef *disk = def->disks->pdata[i];
        BootDevice is = disk->device == DISK_CDROM    ? BOOT_CDROM
                        : disk->device == DISK_FLOPPY ? BOOT_FD
                                                      : BOOT_DISK;

        if (is == kind)
            return &disk->info;
    }
    return NULL;
}

static const DeviceInfo *first_of_kind(const DomainDef *def, BootDevice kind)
{
    if (kind != BOOT_NETWORK)
        return first_disk(def, kind);
    return def->interfaces->len ? &((const InterfaceDef *)def->interfaces->pdata[0])->info : NULL;
}

unsigned device_boot_index(const DomainDef *def, const DeviceInfo *info)
{
    if (info->boot_index)
        return info->boot_index;
    for (unsigned i = 0; i < def->os.n_boot; i++) {
        if (first_of_kind(def, def->os.boot[i]) == info)
            return i + 1;
    }
    return 0;
}

bool device_json_put_info(const DeviceScope *scope, JsonValue *device, const DeviceInfo *info,
                          GError **error)
{
    if (!info->alias) {
        const char *driver;

        if (json_object_get_string(device, "driver", &driver, error))
            error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "a device '%s' has no alias",
                      driver);
        return false;
    }
    json_object_put_string(device, "id", info->alias);
    device_json_put_size(device, "bootindex", device_boot_index(scope->def, info));
    json_object_put_string(device, "loadparm", info->load_parm);
    device_json_put_size(device, "acpi-index", info->acpi_index);
    if (info->rom_bar != XML_TRISTATE_ABSENT)
        json_object_put_int64(device, "rombar", info->rom_bar == XML_TRISTATE_YES);
    /* An empty name means: no ROM. */
    json_object_put_string(device, "romfile",
                           info->rom_enabled == XML_TRISTATE_NO ? "" : info->rom_file);
    return true;
}

/* ---- addresses ---- */

/* Companions share index and alias with their master, whose bus it is. */
static bool controller_matches(const ControllerDef *controller, ControllerType type,
                               unsigned index)
{
    return controller->type == type && controller->index == (int)index &&
           controller->master_startport < 0;
}

const ControllerDef *device_find_controller(const DeviceScope *scope, ControllerType type,
                                            unsigned index, GError **error)
{
    const GPtrArray *controllers = scope->def->controllers;

    for (guint i = 0; i < controllers->len; i++) {
        const ControllerDef *controller = controllers->pdata[i];

        if (controller_matches(controller, type, index) && controller->info.alias)
            return controller;
    }
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "a device sits on %s controller %u, which the domain does not have",
              controller_type_names[type], index);
    return NULL;
}

/* Buses of the machine have its names, whatever the user calls their controllers. */
static const char *pci_bus_name(const ControllerDef *controller)
{
    switch (controller->model) {
    case PCI_ROOT:
        return "pci.0";
    case PCIE_ROOT:
        return "pcie.0";
    default:
        return controller->info.alias;
    }
}

/* "addr" is SLOT or SLOT.FUNCTION, in hexadecimal digits. */
static bool put_pci(const DeviceScope *scope, JsonValue *device, const PciAddress *address,
                    GError **error)
{
    const ControllerDef *bus =
        device_find_controller(scope, CONTROLLER_PCI, address->bus, error);
    g_autofree char *place = NULL;

    if (!bus)
        return false;
    json_object_put_string(device, "bus", pci_bus_name(bus));
    device_json_put_switch(device, "multifunction", address->multifunction);
    place = address->function ? g_strdup_printf("0x%x.0x%x", address->slot, address->function)
                              : g_strdup_printf("0x%x", address->slot);
    json_object_put_string(device, "addr", place);
    return true;
}

/* Ports of ports are ports of hubs: "1.2". */
static bool put_usb(const DeviceScope *scope, JsonValue *device, const DeviceAddress *address,
                    GError **error)
{
    const ControllerDef *controller =
        device_find_controller(scope, CONTROLLER_USB, address->usb.bus, error);
    g_autofree char *bus = NULL;
    g_autoptr(GString) port = g_string_new(NULL);

    if (!controller)
        return false;
    bus = g_strconcat(controller->info.alias, ".0", NULL);
    json_object_put_string(device, "bus", bus);
    for (size_t i = 0; i < G_N_ELEMENTS(address->usb.ports) && address->usb.ports[i]; i++)
        g_string_append_printf(port, "%s%u", i ? "." : "", address->usb.ports[i]);
    json_object_put_string(device, "port", port->len ? port->str : NULL);
    return true;
}

static bool put_virtio_serial(const DeviceScope *scope, JsonValue *device,
                              const DeviceAddress *address, GError **error)
{
    const ControllerDef *controller = device_find_controller(
        scope, CONTROLLER_VIRTIO_SERIAL, address->virtio_serial.controller, error);
    g_autofree char *bus = NULL;

    if (!controller)
        return false;
    bus = g_strdup_printf("%s.%u", controller->info.alias, address->virtio_serial.bus);
    json_object_put_string(device, "bus", bus);
    json_object_put_uint64(device, "nr", address->virtio_serial.port);
    return true;
}

bool device_json_put_address(const DeviceScope *scope, JsonValue *device, const DeviceInfo *info,
                             GError **error)
{
    const DeviceAddress *address = &info->address;

    switch (address->type) {
    case ADDRESS_NONE:
        return true;
    case ADDRESS_PCI:
        return put_pci(scope, device, &address->pci, error);
    case ADDRESS_USB:
        return put_usb(scope, device, address, error);
    case ADDRESS_VIRTIO_SERIAL:
        return put_virtio_serial(scope, device, address, error);
    case ADDRESS_ISA:
        if (address->isa.has_iobase)
            json_object_put_uint64(device, "iobase", address->isa.iobase);
        if (address->isa.has_irq)
            json_object_put_uint64(device, "irq", address->isa.irq);
        return true;
    default:
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "device '%s' cannot have an address of type '%s'", info->alias,
                  address_type_names[address->type]);
        return false;
    }
}

void device_json_put_virtio(JsonValue *device, const VirtioOptions *options)
{
    device_json_put_switch(device, "iommu_platform", options->iommu);
    device_json_put_switch(device, "ats", options->ats);
    device_json_put_switch(device, "packed", options->packed);
    device_json_put_switch(device, "page-per-vq", options->page_per_vq);
}

const char *virtio_model_suffix(VirtioModel model)
{
    switch (model) {
    case VIRTIO_MODEL_TRANSITIONAL:
        return "-transitional";
    case VIRTIO_MODEL_NON_TRANSITIONAL:
        return "-non-transitional";
    default:
        return "";
    }
}
