/* A bus is 32 bytes of functions in use. */
#include "virtqemud/qemu/pci_map.h"

#include "base/error.h"

#define N_SLOTS 32
#define N_FUNCTIONS 8
#define KIND(kind) (1u << PCI_KIND_##kind)
#define ENDPOINTS (KIND(CONVENTIONAL) | KIND(EXPRESS))

typedef struct PciBus {
    ControllerModel model; /* NONE: no such bus */
    uint8_t used[N_SLOTS];
    uint8_t ports[N_SLOTS]; /* those of used that are root ports */
} PciBus;

struct PciMap {
    PciBus *buses;
    unsigned n_buses;
};

/* What is put behind a controller without being asked, what may be put there, and in which
 * slots. */
typedef struct BusRules {
    unsigned suits, accepts;
    unsigned min_slot, max_slot;
} BusRules;

static const BusRules bus_rules[N_CONTROLLER_MODELS] = {
    [PCI_ROOT] = { ENDPOINTS | KIND(BRIDGE) | KIND(EXPANDER),
                   ENDPOINTS | KIND(BRIDGE) | KIND(EXPANDER), 1, 31 },
    [PCIE_ROOT] = { KIND(ROOT_PORT) | KIND(DMI) | KIND(EXPRESS_EXPANDER),
                    ENDPOINTS | KIND(ROOT_PORT) | KIND(DMI) | KIND(EXPRESS_EXPANDER), 1, 31 },
    [PCI_BRIDGE] = { KIND(CONVENTIONAL) | KIND(BRIDGE), ENDPOINTS | KIND(BRIDGE), 1, 31 },
    [PCIE_TO_PCI_BRIDGE] = { KIND(CONVENTIONAL) | KIND(BRIDGE), ENDPOINTS | KIND(BRIDGE), 1, 31 },
    [DMI_TO_PCI_BRIDGE] = { KIND(BRIDGE), ENDPOINTS | KIND(BRIDGE), 0, 31 },
    [PCIE_ROOT_PORT] = { KIND(EXPRESS) | KIND(TO_BRIDGE) | KIND(UPSTREAM),
                         ENDPOINTS | KIND(TO_BRIDGE) | KIND(UPSTREAM), 0, 0 },
    [PCIE_SWITCH_DOWNSTREAM_PORT] = { KIND(EXPRESS) | KIND(TO_BRIDGE) | KIND(UPSTREAM),
                                      ENDPOINTS | KIND(TO_BRIDGE) | KIND(UPSTREAM), 0, 0 },
    [PCIE_SWITCH_UPSTREAM_PORT] = { KIND(DOWNSTREAM), KIND(DOWNSTREAM), 0, 31 },
    [PCI_EXPANDER_BUS] = { 0, ENDPOINTS | KIND(BRIDGE), 0, 31 },
    [PCIE_EXPANDER_BUS] = { 0, ENDPOINTS | KIND(ROOT_PORT) | KIND(DMI), 0, 31 },
};

static const char *const kind_names[N_PCI_KINDS] = {
    [PCI_KIND_CONVENTIONAL] = "standard PCI device",
    [PCI_KIND_EXPRESS] = "PCI Express device",
    [PCI_KIND_ROOT_PORT] = "pcie-root-port",
    [PCI_KIND_BRIDGE] = "pci-bridge",
    [PCI_KIND_TO_BRIDGE] = "pcie-to-pci-bridge",
    [PCI_KIND_DMI] = "dmi-to-pci-bridge",
    [PCI_KIND_UPSTREAM] = "pcie-switch-upstream-port",
    [PCI_KIND_DOWNSTREAM] = "pcie-switch-downstream-port",
    [PCI_KIND_EXPANDER] = "pci-expander-bus",
    [PCI_KIND_EXPRESS_EXPANDER] = "pcie-expander-bus",
};

PciKind pci_kind_of_controller(ControllerModel model)
{
    static const PciKind kinds[N_CONTROLLER_MODELS] = {
        [PCI_BRIDGE] = PCI_KIND_BRIDGE,
        [DMI_TO_PCI_BRIDGE] = PCI_KIND_DMI,
        [PCIE_TO_PCI_BRIDGE] = PCI_KIND_TO_BRIDGE,
        [PCIE_ROOT_PORT] = PCI_KIND_ROOT_PORT,
        [PCIE_SWITCH_UPSTREAM_PORT] = PCI_KIND_UPSTREAM,
        [PCIE_SWITCH_DOWNSTREAM_PORT] = PCI_KIND_DOWNSTREAM,
        [PCI_EXPANDER_BUS] = PCI_KIND_EXPANDER,
        [PCIE_EXPANDER_BUS] = PCI_KIND_EXPRESS_EXPANDER,
    };

    return kinds[model];
}

PciMap *pci_map_new(void)
{
    PciMap *map = g_new0(PciMap, 1);

    map->buses = g_new0(PciBus, PCI_BUSES_MAX);
    return map;
}

void pci_map_free(PciMap *map)
{
    if (!map)
        return;
    g_free(map->buses);
    g_free(map);
}

void pci_map_add_bus(PciMap *map, unsigned index, ControllerModel model)
{
    g_assert(index < PCI_BUSES_MAX);
    map->buses[index].model = model;
    map->n_buses = MAX(map->n_buses, index + 1);
}

bool pci_map_has_bus(const PciMap *map, unsigned index)
{
    return index < map->n_buses && map->buses[index].model != CONTROLLER_MODEL_NONE;
}

unsigned pci_map_n_buses(const PciMap *map)
{
    return map->n_buses;
}

bool pci_map_is_slot_free(const PciMap *map, unsigned bus, unsigned slot)
{
    return map->buses[bus].used[slot] == 0;
}

bool pci_map_shares_slot(const PciMap *map, const PciAddress *address)
{
    return map->buses[address->bus].used[address->slot] & ~(1u << address->function);
}

bool pci_map_suits(const PciMap *map, unsigned bus, PciKind kind)
{
    return bus_rules[map->buses[bus].model].suits & 1u << kind;
}

/* Root ports share slots, other devices have one of their own. */
static bool slot_is_free(const PciBus *bus, unsigned slot, PciKind kind)
{
    if (kind == PCI_KIND_ROOT_PORT)
        return bus->used[slot] == bus->ports[slot] && bus->used[slot] != 0xff;
    return bus->used[slot] == 0;
}

/* Low slots first, so that machines with the same devices look the same. */
static bool slot_find(const PciBus *bus, PciKind kind, unsigned *ret_slot)
{
    const BusRules *rules = &bus_rules[bus->model];

    for (unsigned slot = rules->min_slot; slot <= rules->max_slot; slot++) {
        if (slot_is_free(bus, slot, kind)) {
            *ret_slot = slot;
            return true;
        }
    }
    return false;
}

bool pci_map_has_room(const PciMap *map, PciKind kind)
{
    unsigned slot = 0;

    for (unsigned i = 0; i < map->n_buses; i++)
        if (pci_map_suits(map, i, kind) && slot_find(&map->buses[i], kind, &slot))
            return true;
    return false;
}

static void function_take(PciBus *bus, unsigned slot, unsigned function, PciKind kind)
{
    bus->used[slot] |= (uint8_t) (1u << function);
    if (kind == PCI_KIND_ROOT_PORT)
        bus->ports[slot] |= (uint8_t) (1u << function);
}

/* Bridges have no slot 0, ports have nothing else. */
static bool slot_check(const PciAddress *address, const BusRules *rules, const char *text,
                       GError **error)
{
    if (address->slot < rules->min_slot) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "Invalid PCI address %s. slot must be >= %u", text, rules->min_slot);
        return false;
    }
    if (address->slot > rules->max_slot) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "Invalid PCI address %s. slot must be <= %u", text, rules->max_slot);
        return false;
    }
    return true;
}

bool pci_map_reserve(PciMap *map, const PciAddress *address, PciKind kind, GError **error)
{
    g_autofree char *text = pci_address_text(address);
    const BusRules *rules = NULL;
    PciBus *bus = NULL;

    if (address->domain != 0) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "Invalid PCI address %s. Only PCI domain 0 is available", text);
        return false;
    }
    if (!pci_map_has_bus(map, address->bus)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "Invalid PCI address %s. Only PCI buses up to %u are available", text,
                  map->n_buses > 0 ? map->n_buses - 1 : 0);
        return false;
    }
    bus = &map->buses[address->bus];
    rules = &bus_rules[bus->model];
    if (!(rules->accepts & 1u << kind)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "The device at PCI address %s cannot be plugged into the PCI controller with "
                  "index='%u'. It requires a controller that accepts a %s.",
                  text, address->bus, kind_names[kind]);
        return false;
    }
    if (!slot_check(address, rules, text, error))
        return false;
    if (address->slot >= N_SLOTS || address->function >= N_FUNCTIONS ||
        bus->used[address->slot] & 1u << address->function) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "Attempted double use of PCI Address %s", text);
        return false;
    }
    function_take(bus, address->slot, address->function, kind);
    return true;
}

bool pci_map_reserve_fixed(PciMap *map, unsigned slot, unsigned function)
{
    if (map->buses[0].used[slot] & 1u << function)
        return false;
    map->buses[0].used[slot] |= (uint8_t) (1u << function);
    return true;
}

bool pci_map_take(PciMap *map, PciKind kind, unsigned limit, unsigned function,
                  PciAddress *ret_address)
{
    for (unsigned i = 0; i < MIN(limit, map->n_buses); i++) {
        PciBus *bus = &map->buses[i];
        unsigned slot = 0;

        if (!pci_map_suits(map, i, kind) || !slot_find(bus, kind, &slot))
            continue;
        if (kind == PCI_KIND_ROOT_PORT)
            while (bus->used[slot] & 1u << function)
                function++;
        function_take(bus, slot, function, kind);
        *ret_address = (PciAddress){ .bus = i, .slot = slot, .function = function };
        return true;
    }
    return false;
}
