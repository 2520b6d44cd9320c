/* Controllers: a table of QEMU's devices by model, and the properties of each type. */
#include "virtqemud/qemu/device_controller.h"

#include "base/error.h"
#include "virtqemud/qemu/device_disk.h"

/* NULL: no model of that name has a device. */
static const char *const drivers[N_CONTROLLER_MODELS] = {
    [PCI_BRIDGE] = "pci-bridge",
    [DMI_TO_PCI_BRIDGE] = "i82801b11-bridge",
    [PCIE_TO_PCI_BRIDGE] = "pcie-pci-bridge",
    [PCIE_ROOT_PORT] = "pcie-root-port",
    [PCIE_SWITCH_UPSTREAM_PORT] = "x3130-upstream",
    [PCIE_SWITCH_DOWNSTREAM_PORT] = "xio3130-downstream",
    [PCI_EXPANDER_BUS] = "pxb",
    [PCIE_EXPANDER_BUS] = "pxb-pcie",
    [USB_PIIX3_UHCI] = "piix3-usb-uhci",
    [USB_PIIX4_UHCI] = "piix4-usb-uhci",
    [USB_EHCI] = "usb-ehci",
    [USB_ICH9_EHCI1] = "ich9-usb-ehci1",
    [USB_ICH9_UHCI1] = "ich9-usb-uhci1",
    [USB_ICH9_UHCI2] = "ich9-usb-uhci2",
    [USB_ICH9_UHCI3] = "ich9-usb-uhci3",
    [USB_VT82C686B_UHCI] = "vt82c686b-usb-uhci",
    [USB_PCI_OHCI] = "pci-ohci",
    [USB_NEC_XHCI] = "nec-usb-xhci",
    [USB_QEMU_XHCI] = "qemu-xhci",
    [SCSI_LSILOGIC] = "lsi53c895a",
    [SCSI_LSISAS1068] = "mptsas1068",
    [SCSI_LSISAS1078] = "megasas",
    [SCSI_VMPVSCSI] = "pvscsi",
    [SCSI_VIRTIO_SCSI] = "virtio-scsi-pci",
    [SCSI_DC390] = "dc390",
    [SCSI_AM53C974] = "am53c974",
};

/* virtio variants, for two types that share their names. */
static const char *const virtio_scsi_drivers[N_CONTROLLER_MODELS] = {
    [VIRTIO] = "virtio-scsi-pci",
    [VIRTIO_TRANSITIONAL] = "virtio-scsi-pci-transitional",
    [VIRTIO_NON_TRANSITIONAL] = "virtio-scsi-pci-non-transitional",
};
static const char *const virtio_serial_drivers[N_CONTROLLER_MODELS] = {
    [CONTROLLER_MODEL_NONE] = "virtio-serial-pci",
    [VIRTIO] = "virtio-serial-pci",
    [VIRTIO_TRANSITIONAL] = "virtio-serial-pci-transitional",
    [VIRTIO_NON_TRANSITIONAL] = "virtio-serial-pci-non-transitional",
};

/* The device of a controller; NULL when its model has none. */
static const char *controller_driver(const ControllerDef *controller)
{
    const char *driver = drivers[controller->model];

    switch (controller->type) {
    case CONTROLLER_PCI:
        return driver && controller->pci_model_name ? controller->pci_model_name : driver;
    case CONTROLLER_SCSI:
        return driver ? driver : virtio_scsi_drivers[controller->model];
    case CONTROLLER_VIRTIO_SERIAL:
        return virtio_serial_drivers[controller->model];
    case CONTROLLER_SATA:
        return "ich9-ahci";
    case CONTROLLER_CCID:
        return "usb-ccid";
    case CONTROLLER_USB:
        return controller->model == CONTROLLER_MODEL_NONE ? "piix3-usb-uhci" : driver;
    default:
        return driver;
    }
}

/* The machine has the first disk controllers of its chip set and its root bus. */
static bool is_built_in(const DeviceScope *scope, const ControllerDef *controller)
{
    switch (controller->type) {
    case CONTROLLER_PCI:
        return controller->model == PCI_ROOT || controller->model == PCIE_ROOT;
    case CONTROLLER_IDE:
        return controller->index == 0;
    case CONTROLLER_FDC:
        return controller->index == 0 && !machine_is_q35(scope->def);
    case CONTROLLER_SATA:
        return controller->index == 0 && machine_is_q35(scope->def);
    case CONTROLLER_USB:
        return controller->model == USB_NONE;
    default:
        return false;
    }
}

bool controller_is_narrow_scsi(const ControllerDef *controller)
{
    switch (controller->model) {
    case SCSI_LSILOGIC:
    case SCSI_NCR53C90:
    case SCSI_DC390:
    case SCSI_AM53C974:
        return true;
    default:
        return false;
    }
}

/* Numbers that firmware and guests tell slots by: they must not change under a guest. */
static void put_pci(JsonValue *device, const ControllerDef *controller)
{
    bool is_bridge = controller->model == PCI_BRIDGE;

    if (is_bridge && controller->chassis_nr >= 0)
        json_object_put_int64(device, "chassis_nr", controller->chassis_nr);
    if (controller->port >= 0)
        json_object_put_int64(device, "port", controller->port);
    if (controller->chassis >= 0)
        json_object_put_int64(device, "chassis", controller->chassis);
    if (controller->bus_nr >= 0)
        json_object_put_int64(device, "bus_nr", controller->bus_nr);
    device_json_put_switch(device, "hotplug", controller->hotplug);
}

/* Limits that virtio-scsi alone has; others refuse them by themselves. */
static void put_scsi(JsonValue *device, const ControllerDef *controller)
{
    device_json_put_size(device, "num_queues", controller->queues);
    device_json_put_size(device, "cmd_per_lun", controller->cmd_per_lun);
    device_json_put_size(device, "max_sectors", controller->max_sectors);
    device_json_put_switch(device, "ioeventfd", controller->io_event_fd);
    device_json_put_virtio(device, &controller->virtio);
}

static void put_virtio_serial(JsonValue *device, const ControllerDef *controller)
{
    if (controller->ports >= 0)
        json_object_put_int64(device, "max_ports", controller->ports);
    if (controller->vectors >= 0)
        json_object_put_int64(device, "vectors", controller->vectors);
    device_json_put_virtio(device, &controller->virtio);
}

/* A companion takes over slow ports of its master, which is the one with the bus. */
static bool put_usb(const DeviceScope *scope, JsonValue *device, const ControllerDef *controller,
                    GError **error)
{
    if (controller->usb_ports >= 0) {
        json_object_put_int64(device, "p2", controller->usb_ports);
        json_object_put_int64(device, "p3", controller->usb_ports);
    }
    if (controller->master_startport >= 0) {
        const ControllerDef *master = device_find_controller(
            scope, CONTROLLER_USB, (unsigned)controller->index, error);
        g_autofree char *bus = master ? g_strconcat(master->info.alias, ".0", NULL) : NULL;

        if (!master)
            return false;
        json_object_put_string(device, "masterbus", bus);
        json_object_put_int64(device, "firstport", controller->master_startport);
        /* Master and companions share an alias; only the master can have it as its id. */
        json_free(json_object_steal(device, "id"));
    }
    return true;
}

static bool put_properties(const DeviceScope *scope, JsonValue *device,
                           const ControllerDef *controller, GError **error)
{
    switch (controller->type) {
    case CONTROLLER_PCI:
        put_pci(device, controller);
        return true;
    case CONTROLLER_SCSI:
        put_scsi(device, controller);
        return true;
    case CONTROLLER_VIRTIO_SERIAL:
        put_virtio_serial(device, controller);
        return true;
    case CONTROLLER_USB:
        return put_usb(scope, device, controller, error);
    default:
        return true;
    }
}

/* The floppy controller is no device of a bus, and nothing names it: it has no id. */
static JsonValue *floppy_controller_json(const DeviceScope *scope, GError **error)
{
    JsonValue *device = device_json_new(scope, "isa-fdc", error);

    for (guint i = 0; device && i < scope->def->disks->len; i++) {
        const DiskDef *disk = scope->def->disks->pdata[i];
        g_autofree char *property = disk_floppy_boot_property(disk);

        if (disk->bus == DISK_BUS_FDC)
            device_json_put_size(device, property, device_boot_index(scope->def, &disk->info));
    }
    return device;
}

bool controller_device_json(const DeviceScope *scope, const ControllerDef *controller,
                            JsonValue **ret_device, GError **error)
{
    g_autoptr(JsonValue) device = NULL;
    const char *driver;

    if (is_built_in(scope, controller)) {
        *ret_device = NULL;
        return true;
    }
    if (controller->type == CONTROLLER_FDC) {
        *ret_device = floppy_controller_json(scope, error);
        return *ret_device != NULL;
    }
    driver = controller_driver(controller);
    if (!driver) {
        const char *model = controller_model_names[controller->model];

        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the emulator %s has no %s controller of model '%s' for index %d",
                  emulator_caps_get_path(scope->caps), controller_type_names[controller->type],
                  model ? model : "", controller->index);
        return false;
    }
    device = device_json_new_placed(scope, driver, &controller->info, error);
    if (!device || !put_properties(scope, device, controller, error))
        return false;
    *ret_device = g_steal_pointer(&device);
    return true;
}

char *controller_hole_option(const DeviceScope *scope, const ControllerDef *controller)
{
    if (controller->type != CONTROLLER_PCI || !controller->pci_hole64_kib)
        return NULL;
    return g_strdup_printf("%s-pcihost.pci-hole64-size=%" G_GUINT64_FORMAT "K",
                           machine_is_q35(scope->def) ? "q35" : "i440FX",
                           controller->pci_hole64_kib);
}
