/* A PCI device's configuration space (PCI Local Bus specification 3.0, chapter 6; PCI Express
 * Base Specification, 7.5). What cannot be read, which is most of it for who is not root, is
 * zeros. */
#pragma once

#include "virtnodedevd/sysfs.h"

typedef struct PciConfig {
    uint8_t bytes[256];
    size_t size;          /* that could be read */
    bool is_extended;     /* there are more than 256 bytes */
} PciConfig;

typedef enum PciHeader {
    PCI_HEADER_DEVICE = 0,
    PCI_HEADER_BRIDGE = 1,
    PCI_HEADER_CARDBUS = 2,
} PciHeader;

/* One end of a link: what it can be, or what it is. */
typedef struct PciLink {
    const char *speed; /* in GT/s: "2.5"; NULL when unknown */
    unsigned width;    /* lanes */
} PciLink;

typedef struct PciExpress {
    bool has_link;     /* what is built into the processor has none */
    unsigned port;
    PciLink capable, actual;
} PciExpress;

void pci_config_read(const SysDevice *device, PciConfig *ret_config);
PciHeader pci_config_header(const PciConfig *config);
/* The offset of the capability with this id in the list of capabilities; 0 when there is none. */
unsigned pci_config_find(const PciConfig *config, uint8_t id);
/* False when the device is no PCI Express one. */
bool pci_config_express(const PciConfig *config, PciExpress *ret_express);
