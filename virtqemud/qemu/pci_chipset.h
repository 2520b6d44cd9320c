/* Places on PCI bus 0 that the boards' chipsets give to what is soldered to them. */
#pragma once

#include "virtqemud/qemu/complete_steps.h"
#include "virtqemud/qemu/pci_map.h"

/* Takes what is there on every machine: bridges, power management. */
void pci_chipset_reserve(PciMap *map, Board board);
/* Gives the controllers of the board, and the first video device, their addresses. Errors:
 * INTERNAL_ERROR when a controller that is soldered to its place was given another one. */
bool pci_chipset_assign(DomainDef *def, Board board, GError **error);
/* The function of a part of an ICH9's USB controller; 0 for other devices. */
unsigned pci_usb_function(ControllerModel model);
bool pci_usb_is_part(ControllerModel model);
