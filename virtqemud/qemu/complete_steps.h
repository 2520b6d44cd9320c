/* The steps of completion, in the order in which complete.c takes them: each needs what those
 * before it have filled in. Not for others. */
#pragma once

#include "base/error.h"
#include "virtqemud/model/domain_def.h"
#include "virtqemud/qemu/caps.h"

/* Kinds of machines, by what they have on board. */
typedef enum Board {
    BOARD_I440FX, /* PCI; an IDE controller and a FDC are there, USB is on the chipset */
    BOARD_Q35,    /* PCI Express; a SATA controller is there */
    BOARD_OTHER,  /* no PCI bus that is known here */
} Board;
/* @machine: canonical or alias. */
Board board_of_machine(const char *machine);

/* The canonical machine, the virtualization type, the default CPU and what to boot from. */
bool complete_machine(DomainDef *def, const EmulatorCaps *caps, GError **error);
/* Defaults inside of devices that are there, and the devices that every machine has. */
bool complete_devices(DomainDef *def, const EmulatorCaps *caps, GError **error);
/* Targets of serial ports and consoles; a <serial> for the first <console>, and the other way
 * round. */
bool complete_chardevs(DomainDef *def, GError **error);
/* Makes the first console the same as the serial port that it stands for, addresses included. */
void complete_console_mirror(DomainDef *def);
/* Order and indexes of the controllers that are there; models; those of the board; those that
 * devices need. Drive addresses of disks. */
bool complete_controllers(DomainDef *def, const EmulatorCaps *caps, GError **error);
bool complete_drives(DomainDef *def, GError **error);
/* Adds controllers of @type with indexes up to @index, as far as they are missing. */
bool complete_controllers_up_to(DomainDef *def, ControllerType type, unsigned index,
                                GError **error);
ControllerDef *complete_find_controller(const DomainDef *def, ControllerType type, int index);
/* Controllers and ports for consoles and channels on virtio-serial. */
bool complete_virtio_serial(DomainDef *def, GError **error);
/* Ports for devices on USB. */
bool complete_usb(DomainDef *def, GError **error);
/* PCI buses and addresses: pci_assign.c. */
bool complete_pci(DomainDef *def, const EmulatorCaps *caps, GError **error);
