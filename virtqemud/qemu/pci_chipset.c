/* Source of the places: QEMU's machines pc and q35 ("info pci"), the ICH9 data sheet for USB. */
#include "virtqemud/qemu/pci_chipset.h"

#include "base/error.h"
#include "virtqemud/qemu/pci_devices.h"

typedef struct Place {
    unsigned slot, function;
} Place;

static const Place reserved[][3] = {
    [BOARD_I440FX] = { { 0, 0 }, { 1, 0 }, { 1, 3 } },
    [BOARD_Q35] = { { 0, 0 }, { 0x1f, 0 }, { 0x1f, 3 } },
};

/* The first controllers of their type that sit in a fixed place. */
static const struct {
    Board board;
    ControllerType type;
    ControllerModel model; /* NONE: any */
    Place place;
    const char *wrong;
} soldered[] = {
    { BOARD_I440FX, CONTROLLER_IDE, CONTROLLER_MODEL_NONE, { 1, 1 },
      "Primary IDE controller must have PCI address 0:0:1.1" },
    { BOARD_I440FX, CONTROLLER_USB, USB_PIIX3_UHCI, { 1, 2 },
      "PIIX3 USB controller at index 0 must have PCI address 0:0:1.2" },
    { BOARD_Q35, CONTROLLER_SATA, CONTROLLER_MODEL_NONE, { 0x1f, 2 },
      "Primary SATA controller must have PCI address 0:0:1f.2" },
};

void pci_chipset_reserve(PciMap *map, Board board)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reserved[board]); i++)
        pci_map_reserve_fixed(map, reserved[board][i].slot, reserved[board][i].function);
}

unsigned pci_usb_function(ControllerModel model)
{
    switch (model) {
    case USB_ICH9_EHCI1:
        return 7;
    case USB_ICH9_UHCI2:
        return 1;
    case USB_ICH9_UHCI3:
        return 2;
    default:
        return 0;
    }
}

bool pci_usb_is_part(ControllerModel model)
{
    return model == USB_ICH9_EHCI1 || model == USB_ICH9_UHCI1 || model == USB_ICH9_UHCI2 ||
           model == USB_ICH9_UHCI3;
}

static void address_set(DeviceInfo *info, Place place)
{
    XmlTristate multifunction =
        info->address.type == ADDRESS_PCI ? info->address.pci.multifunction : XML_TRISTATE_ABSENT;

    info->address.type = ADDRESS_PCI;
    info->address.pci = (PciAddress){ .slot = place.slot, .function = place.function,
                                      .multifunction = multifunction };
}

static bool is_at(const DeviceInfo *info, Place place)
{
    const PciAddress *pci = &info->address.pci;

    return pci->domain == 0 && pci->bus == 0 && pci->slot == place.slot &&
           pci->function == place.function;
}

/* Whoever gives one of these another address has another machine in mind. */
static bool soldered_assign(DomainDef *def, Board board, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(soldered); i++) {
        ControllerDef *controller = complete_find_controller(def, soldered[i].type, 0);

        if (soldered[i].board != board || !controller ||
            (soldered[i].model && soldered[i].model != controller->model))
            continue;
        if (!pci_device_has_address(&controller->info)) {
            address_set(&controller->info, soldered[i].place);
        } else if (!is_at(&controller->info, soldered[i].place)) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s", soldered[i].wrong);
            return false;
        }
    }
    return true;
}

/* Only what is in the way matters here: what is wrong with an address is found later. */
static bool given_mark(DeviceInfo *info, const char *what, void *device, void *data)
{
    const PciAddress *pci = &info->address.pci;

    if (pci_device_has_address(info) && pci->domain == 0 && pci->bus == 0 && pci->slot < 32 &&
        pci->function < 8)
        pci_map_reserve_fixed(data, pci->slot, pci->function);
    return true;
}

/* Gives @info the first function of @slot, if nobody has anything of the slot. */
static bool slot_assign(PciMap *map, DeviceInfo *info, unsigned slot)
{
    Place place = { slot, 0 };

    if (pci_device_has_address(info) || !pci_map_is_slot_free(map, 0, slot))
        return false;
    pci_map_reserve_fixed(map, slot, 0);
    address_set(info, place);
    return true;
}

/* Real boards have USB in these places; the parts follow the first one to its slot. */
static void q35_assign(DomainDef *def, PciMap *map)
{
    for (guint i = 0; i < def->controllers->len; i++) {
        ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->type == CONTROLLER_PCI && controller->model == DMI_TO_PCI_BRIDGE)
            slot_assign(map, &controller->info, 0x1e);
        if (controller->type == CONTROLLER_USB && controller->model == USB_ICH9_UHCI1 &&
            (slot_assign(map, &controller->info, 0x1d) ||
             slot_assign(map, &controller->info, 0x1a)))
            controller->info.address.pci.multifunction = XML_TRISTATE_YES;
    }
}

static bool is_pci_video(const VideoDef *video)
{
    return video->model != VIDEO_NONE && video->model != VIDEO_RAMFB;
}

bool pci_chipset_assign(DomainDef *def, Board board, GError **error)
{
    g_autoptr(PciMap) map = pci_map_new();
    VideoDef *video = def->videos->len > 0 ? g_ptr_array_index(def->videos, 0) : NULL;

    if (!soldered_assign(def, board, error))
        return false;
    pci_map_add_bus(map, 0, board == BOARD_Q35 ? PCIE_ROOT : PCI_ROOT);
    pci_chipset_reserve(map, board);
    domain_def_each_device(def, given_mark, map);
    if (board == BOARD_Q35)
        q35_assign(def, map);
    /* Where QEMU would put it, had it to choose. */
    if (video && is_pci_video(video))
        slot_assign(map, &video->info, board == BOARD_Q35 ? 1 : 2);
    return true;
}
