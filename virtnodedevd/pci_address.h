/* The address of a PCI device: "0000:04:10.1" (PCI Local Bus specification; kernel:
 * Documentation/ABI/testing/sysfs-bus-pci). */
#pragma once

#include <stdbool.h>

#include <glib.h>

typedef struct PciAddress {
    unsigned domain, bus, slot, function;
} PciAddress;

#define PCI_ADDRESS_TEXT_SIZE sizeof("ffffffff:ff:ff.f")

/* False when @text is none. */
bool pci_address_parse(const char *text, PciAddress *ret_address);
const char *pci_address_format(const PciAddress *address, char text[static PCI_ADDRESS_TEXT_SIZE]);
