/* Kinds and order. A device that exists in a conventional and a PCI Express form is an Express
 * one where there is a choice. */
#include "virtqemud/qemu/pci_devices.h"

#include <string.h>

typedef struct Collect {
    GArray *devices;
    bool is_express;
} Collect;

bool pci_device_has_address(const DeviceInfo *info)
{
    const PciAddress *pci = &info->address.pci;

    return info->address.type == ADDRESS_PCI && (pci->domain || pci->bus || pci->slot);
}

static void collect(Collect *collect, DeviceInfo *info, PciKind kind, ControllerDef *controller)
{
    PciDevice device = { .info = info, .kind = kind, .controller = controller };

    /* An address of another type is for the checks that come later. */
    if (kind == PCI_KIND_NONE ||
        (info->address.type != ADDRESS_NONE && info->address.type != ADDRESS_PCI))
        return;
    if (device.kind == PCI_KIND_EXPRESS && !collect->is_express)
        device.kind = PCI_KIND_CONVENTIONAL;
    device.is_given = pci_device_has_address(info);
    if (device.is_given)
        device.address = info->address.pci;
    else if (info->address.type == ADDRESS_PCI)
        device.address.multifunction = info->address.pci.multifunction;
    g_array_append_val(collect->devices, device);
}

/* Virtio devices of virtio 0.9 are conventional: they need I/O ports, which ports do not have. */
static PciKind kind_of_virtio(VirtioModel model)
{
    return model == VIRTIO_MODEL_TRANSITIONAL ? PCI_KIND_CONVENTIONAL : PCI_KIND_EXPRESS;
}

/* Models that are not known are taken for Express ones, as they always have been. */
static PciKind kind_of_interface(const InterfaceDef *interface)
{
    static const char *const conventional[] = {
        "rtl8139", "e1000", "vmxnet3", "virtio-transitional", "e1000-82540em", "e1000-82544gc",
        "e1000-82545em",
    };

    if (!interface->model || strcmp(interface->model, "usb-net") == 0)
        return PCI_KIND_NONE;
    for (size_t i = 0; i < G_N_ELEMENTS(conventional); i++)
        if (strcmp(interface->model, conventional[i]) == 0)
            return PCI_KIND_CONVENTIONAL;
    return PCI_KIND_EXPRESS;
}

/* The first one sits on the board, if its place is free: see pci_chipset.c. */
static PciKind kind_of_video(const VideoDef *video)
{
    switch (video->model) {
    case VIDEO_NONE:
    case VIDEO_RAMFB:
        return PCI_KIND_NONE;
    case VIDEO_VIRTIO:
    case VIDEO_BOCHS:
        return PCI_KIND_EXPRESS;
    default:
        return PCI_KIND_CONVENTIONAL;
    }
}

/* Of QEMU's controllers only those of xHCI are Express devices. */
static PciKind kind_of_usb(ControllerModel model)
{
    if (model == USB_NONE)
        return PCI_KIND_NONE;
    return model == USB_QEMU_XHCI || model == USB_NEC_XHCI ? PCI_KIND_EXPRESS
                                                           : PCI_KIND_CONVENTIONAL;
}

static PciKind kind_of_controller(const ControllerDef *controller)
{
    switch (controller->type) {
    case CONTROLLER_PCI:
        return pci_kind_of_controller(controller->model);
    case CONTROLLER_USB:
        return kind_of_usb(controller->model);
    case CONTROLLER_SCSI:
        if (controller->model == SCSI_IBMVSCSI)
            return PCI_KIND_NONE;
        return controller->model == SCSI_VIRTIO_SCSI || controller->model == VIRTIO_NON_TRANSITIONAL
                   ? PCI_KIND_EXPRESS
                   : PCI_KIND_CONVENTIONAL;
    case CONTROLLER_VIRTIO_SERIAL:
        return controller->model == VIRTIO_TRANSITIONAL ? PCI_KIND_CONVENTIONAL
                                                        : PCI_KIND_EXPRESS;
    case CONTROLLER_SATA:
    case CONTROLLER_IDE:
        return PCI_KIND_CONVENTIONAL;
    default:
        return PCI_KIND_NONE;
    }
}

/* PCI's own come before everything that may be behind them. */
static void collect_controllers(Collect *list, const DomainDef *def, bool is_pci)
{
    for (guint i = 0; i < def->controllers->len; i++) {
        ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if ((controller->type == CONTROLLER_PCI) == is_pci)
            collect(list, &controller->info, kind_of_controller(controller), controller);
    }
}

static void collect_videos(Collect *list, const DomainDef *def, guint first, guint end)
{
    for (guint i = first; i < MIN(end, def->videos->len); i++) {
        VideoDef *video = g_ptr_array_index(def->videos, i);

        collect(list, &video->info, kind_of_video(video), NULL);
    }
}

static void collect_interfaces(Collect *list, const DomainDef *def)
{
    for (guint i = 0; i < def->interfaces->len; i++) {
        InterfaceDef *interface = g_ptr_array_index(def->interfaces, i);

        collect(list, &interface->info, kind_of_interface(interface), NULL);
    }
}

static void collect_disks(Collect *list, const DomainDef *def)
{
    for (guint i = 0; i < def->disks->len; i++) {
        DiskDef *disk = g_ptr_array_index(def->disks, i);

        if (disk->bus == DISK_BUS_VIRTIO)
            collect(list, &disk->info,
                    disk->model == DISK_MODEL_TRANSITIONAL ? PCI_KIND_CONVENTIONAL
                                                           : PCI_KIND_EXPRESS,
                    NULL);
    }
}

static void collect_small_devices(Collect *list, const DomainDef *def)
{
    if (def->balloon && !def->balloon->is_none)
        collect(list, &def->balloon->info, kind_of_virtio(def->balloon->model), NULL);
    for (guint i = 0; i < def->rngs->len; i++) {
        RngDef *rng = g_ptr_array_index(def->rngs, i);

        collect(list, &rng->info, kind_of_virtio(rng->model), NULL);
    }
    for (guint i = 0; i < def->watchdogs->len; i++) {
        WatchdogDef *watchdog = g_ptr_array_index(def->watchdogs, i);

        if (watchdog->model == WATCHDOG_I6300ESB)
            collect(list, &watchdog->info, PCI_KIND_CONVENTIONAL, NULL);
    }
}

static void collect_inputs(Collect *list, const DomainDef *def)
{
    for (guint i = 0; i < def->inputs->len; i++) {
        InputDef *input = g_ptr_array_index(def->inputs, i);

        if (input->bus == INPUT_BUS_VIRTIO)
            collect(list, &input->info,
                    input->model == INPUT_MODEL_VIRTIO_TRANSITIONAL ? PCI_KIND_CONVENTIONAL
                                                                    : PCI_KIND_EXPRESS,
                    NULL);
    }
}

static void collect_serials(Collect *list, const DomainDef *def)
{
    for (guint i = 0; i < def->serials->len; i++) {
        ChardevDef *serial = g_ptr_array_index(def->serials, i);

        if (serial->target == CHARDEV_TARGET_PCI_SERIAL)
            collect(list, &serial->info, PCI_KIND_CONVENTIONAL, NULL);
    }
}

static void collect_panics(Collect *list, const DomainDef *def)
{
    for (guint i = 0; i < def->panics->len; i++) {
        PanicDef *panic = g_ptr_array_index(def->panics, i);

        if (panic->model == PANIC_PVPANIC)
            collect(list, &panic->info, PCI_KIND_CONVENTIONAL, NULL);
    }
}

GArray *pci_devices_collect(const DomainDef *def, bool is_express)
{
    Collect list = { g_array_new(FALSE, TRUE, sizeof(PciDevice)), is_express };

    collect_videos(&list, def, 0, 1);
    collect_controllers(&list, def, true);
    collect_interfaces(&list, def);
    collect_controllers(&list, def, false);
    collect_disks(&list, def);
    collect_small_devices(&list, def);
    collect_videos(&list, def, 1, G_MAXUINT);
    collect_inputs(&list, def);
    collect_serials(&list, def);
    collect_panics(&list, def);
    if (def->vsock)
        collect(&list, &def->vsock->info, kind_of_virtio(def->vsock->model), NULL);
    return list.devices;
}
