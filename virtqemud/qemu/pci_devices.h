/* The PCI devices of a domain, in the order in which they get their addresses. */
#pragma once

#include "virtqemud/model/domain_def.h"
#include "virtqemud/qemu/pci_map.h"

typedef struct PciDevice {
    DeviceInfo *info;
    PciKind kind;
    ControllerDef *controller; /* NULL: another device */
    /* In which it is now: given in the definition, or taken. */
    PciAddress address;
    bool is_given, is_taken;
} PciDevice;

/* An array of PciDevice; those of @def are not changed. @is_express: of a machine with PCI
 * Express; the kind is CONVENTIONAL for all others' endpoints. */
GArray *pci_devices_collect(const DomainDef *def, bool is_express);
/* Whether @info has a PCI address: 0000:00:00.0 and the other functions of the host's bridge mean
 * that none is chosen yet. */
bool pci_device_has_address(const DeviceInfo *info);
