/* Which places of a machine's PCI buses are taken, and which of them a device may have. Pure data:
 * knows bus models and kinds of connection, no devices. A bus has the index of the controller
 * that it is behind. Source of the rules: the PCI and PCI Express specifications as far as the
 * manual ("PCI topology and hotplug") repeats them, and what existing daemons accept. */
#pragma once

#include "virtqemud/model/controller.h"

/* What a device plugs into. */
typedef enum PciKind {
    PCI_KIND_NONE,         /* no PCI device */
    PCI_KIND_CONVENTIONAL, /* a slot of a conventional bus */
    PCI_KIND_EXPRESS,      /* a port that can be hot-plugged; on conventional machines any slot */
    PCI_KIND_ROOT_PORT,
    PCI_KIND_BRIDGE,
    PCI_KIND_TO_BRIDGE,
    PCI_KIND_DMI,
    PCI_KIND_UPSTREAM,
    PCI_KIND_DOWNSTREAM,
    PCI_KIND_EXPANDER,
    PCI_KIND_EXPRESS_EXPANDER,
    N_PCI_KINDS
} PciKind;

/* Kind of the controller that makes a bus of @model; PCI_KIND_NONE for roots. */
PciKind pci_kind_of_controller(ControllerModel model);

typedef struct PciMap PciMap;

#define PCI_BUSES_MAX 256

PciMap *pci_map_new(void);
void pci_map_free(PciMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PciMap, pci_map_free)

/* @index below PCI_BUSES_MAX. */
void pci_map_add_bus(PciMap *map, unsigned index, ControllerModel model);
bool pci_map_has_bus(const PciMap *map, unsigned index);
/* Highest index plus one. */
unsigned pci_map_n_buses(const PciMap *map);
bool pci_map_is_slot_free(const PciMap *map, unsigned bus, unsigned slot);
/* Whether another function of the slot is taken. */
bool pci_map_shares_slot(const PciMap *map, const PciAddress *address);
/* Whether a device of @kind would be put on @bus without being asked. */
bool pci_map_suits(const PciMap *map, unsigned bus, PciKind kind);
/* Whether any bus has a slot left for @kind. */
bool pci_map_has_room(const PciMap *map, PciKind kind);

/* Takes an address that was given. Errors: XML_ERROR, in the words that clients know. */
bool pci_map_reserve(PciMap *map, const PciAddress *address, PciKind kind, GError **error);
/* Takes a place of the chipset; false when it was taken. */
bool pci_map_reserve_fixed(PciMap *map, unsigned slot, unsigned function);
/* The first free place for @kind below bus @limit (its own index, for a controller; else
 * PCI_BUSES_MAX), with @function (0 but for parts of one device). False when there is none. */
bool pci_map_take(PciMap *map, PciKind kind, unsigned limit, unsigned function,
                  PciAddress *ret_address);
