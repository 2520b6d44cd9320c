/* Gives PCI devices their addresses, and adds the buses that they need.
 *
 * A pass goes over all devices. Those with an address take it; the others take the first place
 * that suits, in the order of pci_devices_collect(). A device that finds none brings the
 * controllers that it needs, which have no places yet themselves: they come first in the next
 * pass. When a pass adds nothing, its places are final. */
#include "base/error.h"
#include "virtqemud/qemu/complete_steps.h"
#include "virtqemud/qemu/pci_chipset.h"
#include "virtqemud/qemu/pci_controllers.h"
#include "virtqemud/qemu/pci_devices.h"

typedef struct Plan {
    DomainDef *def;
    Board board;
    PciMap *map;     /* of the pass */
    GArray *devices; /* of the pass */
    guint n_added;   /* controllers, so far */
    GError **error;
} Plan;

static bool is_express(const Plan *plan)
{
    return plan->board == BOARD_Q35;
}

static bool bus_add(Plan *plan, unsigned index, ControllerModel model)
{
    if (index >= PCI_BUSES_MAX)
        return error_fail(plan->error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                          "No more available PCI slots");
    g_ptr_array_add(plan->def->controllers,
                    controller_def_new(CONTROLLER_PCI, (int) index, model));
    pci_map_add_bus(plan->map, index, model);
    plan->n_added++;
    return true;
}

static bool bus_append(Plan *plan, ControllerModel model)
{
    return bus_add(plan, pci_map_n_buses(plan->map), model);
}

/* Keeps a place for a bridge that was just added. There may be none in this pass, when its bus
 * is full of devices already: in the next pass it comes before them. */
static void bridge_take(Plan *plan, PciKind kind)
{
    PciAddress place = { 0 };

    pci_map_take(plan->map, kind, pci_map_n_buses(plan->map) - 1, 0, &place);
}

static bool conventional_bus_append(Plan *plan)
{
    bool has_place = false;

    for (unsigned i = 0; i < pci_map_n_buses(plan->map); i++)
        has_place |= pci_map_has_bus(plan->map, i) && pci_map_suits(plan->map, i, PCI_KIND_BRIDGE);
    if (!has_place) {
        if (!bus_append(plan, PCIE_ROOT_PORT) || !bus_append(plan, PCIE_TO_PCI_BRIDGE))
            return false;
        bridge_take(plan, PCI_KIND_TO_BRIDGE);
        return true;
    }
    if (!bus_append(plan, PCI_BRIDGE))
        return false;
    bridge_take(plan, PCI_KIND_BRIDGE);
    return true;
}

/* Adds what a device of @kind can be put on. */
static bool room_add(Plan *plan, PciKind kind)
{
    if (kind == PCI_KIND_EXPRESS)
        return bus_append(plan, PCIE_ROOT_PORT);
    return conventional_bus_append(plan);
}

/* Indexes between those that are given must be there, too. */
static bool gaps_fill(Plan *plan)
{
    unsigned n_buses = pci_map_n_buses(plan->map);

    for (unsigned i = 1; i < n_buses; i++)
        if (!pci_map_has_bus(plan->map, i) &&
            !bus_add(plan, i, is_express(plan) ? PCIE_ROOT_PORT : PCI_BRIDGE))
            return false;
    return true;
}

/* Adds the buses that addresses speak of. */
static bool given_buses_add(Plan *plan)
{
    for (guint i = 0; i < plan->devices->len; i++) {
        PciDevice *device = &g_array_index(plan->devices, PciDevice, i);
        unsigned bus = device->address.bus;
        bool is_endpoint =
            device->kind == PCI_KIND_CONVENTIONAL || device->kind == PCI_KIND_EXPRESS;

        if (!device->is_given || !is_endpoint || device->address.domain != 0 ||
            pci_map_has_bus(plan->map, bus))
            continue;
        while (!pci_map_has_bus(plan->map, bus))
            if (!room_add(plan, device->kind))
                return false;
        /* The bus became a root port, on the way to one that suits: another place is chosen, as
         * it always has been. */
        if (!pci_map_suits(plan->map, bus, device->kind))
            device->info->address.type = ADDRESS_NONE;
    }
    return true;
}

static bool given_reserve(Plan *plan)
{
    for (guint i = 0; i < plan->devices->len; i++) {
        const PciDevice *device = &g_array_index(plan->devices, PciDevice, i);
        const ControllerDef *controller = device->controller;

        if (!device->is_given)
            continue;
        if (controller && controller->type == CONTROLLER_PCI &&
            device->address.bus >= (unsigned) controller->index)
            return error_fail(
                plan->error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                "PCI controller at index %d (0x%02x) has bus='0x%02x', but index must be "
                "larger than bus",
                controller->index, (unsigned)controller->index, device->address.bus);
        if (!pci_map_reserve(plan->map, &device->address, device->kind, plan->error))
            return false;
    }
    return true;
}

/* The other part of a USB controller that has a place already. */
static const PciDevice *sibling_of(const Plan *plan, const PciDevice *device)
{
    const ControllerDef *part = device->controller;

    for (guint i = 0; i < plan->devices->len; i++) {
        const PciDevice *other = &g_array_index(plan->devices, PciDevice, i);

        if (other->controller && other->controller != part &&
            other->controller->type == CONTROLLER_USB &&
            other->controller->index == part->index && pci_usb_is_part(other->controller->model) &&
            (other->is_given || other->is_taken))
            return other;
    }
    return NULL;
}

/* The first function of a USB controller is there for the others. */
static XmlTristate multifunction_of(const PciDevice *device)
{
    if (device->controller && device->controller->model == USB_ICH9_UHCI1 &&
        device->address.multifunction == XML_TRISTATE_ABSENT)
        return XML_TRISTATE_YES;
    return device->address.multifunction;
}

static bool address_take(Plan *plan, PciDevice *device)
{
    ControllerDef *controller = device->controller;
    XmlTristate multifunction = multifunction_of(device);
    bool is_bus = controller && controller->type == CONTROLLER_PCI;
    bool is_part = controller && controller->type == CONTROLLER_USB &&
                   pci_usb_is_part(controller->model);
    unsigned function = is_part ? pci_usb_function(controller->model) : 0;
    unsigned limit = is_bus ? (unsigned) controller->index : PCI_BUSES_MAX;
    const PciDevice *sibling = is_part ? sibling_of(plan, device) : NULL;

    device->is_taken = true;
    if (sibling) {
        device->address = sibling->address;
        device->address.function = function;
        device->address.multifunction = multifunction;
        return pci_map_reserve(plan->map, &device->address, device->kind, plan->error);
    }
    if (!pci_map_take(plan->map, device->kind, limit, function, &device->address)) {
        if (is_bus)
            return error_fail(
                plan->error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                "a PCI slot is needed to connect a PCI controller model='%s', but none is "
                "available, and it cannot be automatically added",
                controller_model_names[controller->model]);
        if (!room_add(plan, device->kind))
            return false;
        if (!pci_map_take(plan->map, device->kind, limit, function, &device->address))
            return error_fail(plan->error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                              "No more available PCI slots");
    }
    device->address.multifunction = multifunction;
    return true;
}

static void plan_clear(Plan *plan)
{
    g_clear_pointer(&plan->map, pci_map_free);
    g_clear_pointer(&plan->devices, g_array_unref);
}

/* The buses as they are, and nothing on them. */
static void plan_start(Plan *plan)
{
    plan_clear(plan);
    plan->map = pci_map_new();
    for (guint i = 0; i < plan->def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(plan->def->controllers, i);

        if (controller->type == CONTROLLER_PCI)
            pci_map_add_bus(plan->map, (unsigned) controller->index, controller->model);
    }
    pci_chipset_reserve(plan->map, plan->board);
    plan->devices = pci_devices_collect(plan->def, is_express(plan));
}

static bool plan_pass(Plan *plan)
{
    plan_start(plan);
    if (!given_reserve(plan))
        return false;
    for (guint i = 0; i < plan->devices->len; i++) {
        PciDevice *device = &g_array_index(plan->devices, PciDevice, i);

        if (!device->is_given && !address_take(plan, device))
            return false;
    }
    return true;
}

static bool plan_settle(Plan *plan)
{
    guint n_before = 0;

    do {
        n_before = plan->n_added;
        if (!plan_pass(plan))
            return false;
    } while (plan->n_added > n_before);
    return true;
}

static bool has_taken_endpoint(const Plan *plan)
{
    for (guint i = 0; i < plan->devices->len; i++) {
        const PciDevice *device = &g_array_index(plan->devices, PciDevice, i);

        /* Not the first video device, which comes before bridges. */
        if (device->is_taken && i > 0 && device->kind == PCI_KIND_CONVENTIONAL)
            return true;
    }
    return false;
}

/* Room for one device to be plugged in later: a port, unless the definition says which ports
 * there are; on conventional machines a slot, which a full machine gets by another bridge. */
static bool spare_add(Plan *plan, bool has_own_buses)
{
    if (!is_express(plan)) {
        if (pci_map_has_room(plan->map, PCI_KIND_CONVENTIONAL) || !has_taken_endpoint(plan))
            return true;
        return bus_append(plan, PCI_BRIDGE) && plan_settle(plan);
    }
    if (has_own_buses || plan->n_added == 0 ||
        pci_map_n_buses(plan->map) == PCI_BUSES_MAX ||
        !pci_map_has_room(plan->map, PCI_KIND_ROOT_PORT))
        return true;
    return bus_append(plan, PCIE_ROOT_PORT) && plan_settle(plan);
}

static void plan_apply(Plan *plan)
{
    for (guint i = 0; i < plan->devices->len; i++) {
        const PciDevice *device = &g_array_index(plan->devices, PciDevice, i);
        DeviceAddress *address = &device->info->address;

        if (device->is_taken) {
            address->type = ADDRESS_PCI;
            address->pci = device->address;
        }
        if (address->pci.function == 0 && address->pci.multifunction == XML_TRISTATE_ABSENT &&
            pci_map_shares_slot(plan->map, &address->pci))
            address->pci.multifunction = XML_TRISTATE_YES;
    }
}

static bool has_buses(const DomainDef *def)
{
    for (guint i = 0; i < def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->type == CONTROLLER_PCI && controller->index > 0)
            return true;
    }
    return false;
}

bool complete_pci(DomainDef *def, const EmulatorCaps *caps, GError **error)
{
    Plan plan = { .def = def, .board = board_of_machine(def->os.machine), .error = error };
    bool has_own_buses = has_buses(def);
    bool is_good = false;

    if (!pci_controllers_check(def, plan.board, error) ||
        !pci_chipset_assign(def, plan.board, error))
        return false;
    plan_start(&plan);
    is_good = gaps_fill(&plan) && given_buses_add(&plan) && plan_settle(&plan) &&
              spare_add(&plan, has_own_buses);
    if (is_good) {
        plan_apply(&plan);
        pci_controllers_describe(def, caps);
    }
    plan_clear(&plan);
    return is_good;
}
