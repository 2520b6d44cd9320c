/* Buses that devices sit on: <controller>. */
#pragma once

#include "virtqemud/model/device_info.h"
#include "virtqemud/model/virtio.h"

typedef enum ControllerType {
    CONTROLLER_IDE, CONTROLLER_FDC, CONTROLLER_SCSI, CONTROLLER_SATA, CONTROLLER_VIRTIO_SERIAL,
    CONTROLLER_CCID, CONTROLLER_USB, CONTROLLER_PCI, N_CONTROLLER_TYPES
} ControllerType;
extern const char *const controller_type_names[N_CONTROLLER_TYPES];

typedef enum ControllerModel {
    CONTROLLER_MODEL_NONE,
    /* pci */
    PCI_ROOT, PCIE_ROOT, PCI_BRIDGE, DMI_TO_PCI_BRIDGE, PCIE_TO_PCI_BRIDGE, PCIE_ROOT_PORT,
    PCIE_SWITCH_UPSTREAM_PORT, PCIE_SWITCH_DOWNSTREAM_PORT, PCI_EXPANDER_BUS, PCIE_EXPANDER_BUS,
    /* usb */
    USB_PIIX3_UHCI, USB_PIIX4_UHCI, USB_EHCI, USB_ICH9_EHCI1, USB_ICH9_UHCI1, USB_ICH9_UHCI2,
    USB_ICH9_UHCI3, USB_VT82C686B_UHCI, USB_PCI_OHCI, USB_NEC_XHCI, USB_QEMU_XHCI, USB_NONE,
    /* scsi */
    SCSI_AUTO, SCSI_BUSLOGIC, SCSI_LSILOGIC, SCSI_LSISAS1068, SCSI_LSISAS1078, SCSI_VMPVSCSI,
    SCSI_IBMVSCSI, SCSI_VIRTIO_SCSI, SCSI_NCR53C90, SCSI_DC390, SCSI_AM53C974,
    /* virtio-scsi and virtio-serial variants */
    VIRTIO, VIRTIO_TRANSITIONAL, VIRTIO_NON_TRANSITIONAL,
    /* ide */
    IDE_PIIX3, IDE_PIIX4, IDE_ICH6,
    N_CONTROLLER_MODELS
} ControllerModel;
/* As XML has it ("pcie-root-port"); the parser accepts those that fit the type. */
extern const char *const controller_model_names[N_CONTROLLER_MODELS];

typedef struct ControllerDef {
    DeviceInfo info;
    ControllerType type;
    int index; /* -1: not chosen yet */
    ControllerModel model;
    /* virtio-serial */
    int ports, vectors; /* -1: default */
    /* usb */
    int usb_ports;      /* -1: default */
    int master_startport; /* <master startport=''>; -1: none */
    /* scsi */
    unsigned queues, cmd_per_lun, max_sectors; /* 0: default */
    XmlTristate io_event_fd;
    unsigned io_thread;
    VirtioOptions virtio;
    /* pci */
    char *pci_model_name; /* <model name=''>: QEMU's device ("pcie-root-port"); NULL */
    int chassis_nr, chassis, port, bus_nr; /* <target>; -1: none */
    XmlTristate hotplug;  /* <target hotplug=''> */
    uint64_t pci_hole64_kib; /* <pcihole64>; 0: none given */
} ControllerDef;

ControllerDef *controller_def_new(ControllerType type, int index, ControllerModel model);
bool controller_def_parse(const XmlNode *controller, DomainParseFlags flags,
                          ControllerDef **ret_controller, GError **error);
void controller_def_format(const ControllerDef *controller, XmlWriter *writer,
                           DomainFormatFlags flags);
void controller_def_free(ControllerDef *controller);
bool controller_def_validate(const ControllerDef *controller, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControllerDef, controller_def_free)
