/* PCI controllers themselves: which a machine may have, and what their elements say. */
#pragma once

#include "virtqemud/qemu/complete_steps.h"

/* Errors: CONFIG_UNSUPPORTED. */
bool pci_controllers_check(const DomainDef *def, Board board, GError **error);
/* Fills in QEMU's device names and the numbers in <target>, once all have addresses. */
void pci_controllers_describe(DomainDef *def, const EmulatorCaps *caps);
