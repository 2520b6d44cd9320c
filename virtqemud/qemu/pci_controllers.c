/* Numbers are chosen once and stay in the definition: a guest that finds its ports under other
 * numbers takes its devices for new ones. */
#include "virtqemud/qemu/pci_controllers.h"

#include "base/error.h"
#include "virtqemud/qemu/pci_map.h"

/* Expander buses are numbered downwards from here, each with a bus below it. */
#define EXPANDER_BUS_NR_MAX 254
#define EXPANDER_BUS_NR_STEP 2

/* Expanders need their own kind of root. */
static bool controller_check(const ControllerDef *controller, Board board, GError **error)
{
    const char *wrong = NULL;

    if (controller->index >= PCI_BUSES_MAX) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "PCI controller index %d too high, maximum is %d", controller->index,
                  PCI_BUSES_MAX - 1);
        return false;
    }
    if (controller->model == PCI_EXPANDER_BUS && board != BOARD_I440FX)
        wrong = "pci-expander-bus controllers are only supported on 440fx-based machinetypes";
    if (controller->model == PCIE_EXPANDER_BUS && board != BOARD_Q35)
        wrong = "pcie-expander-bus controllers are not supported with this machine type";
    if (wrong)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", wrong);
    return !wrong;
}

bool pci_controllers_check(const DomainDef *def, Board board, GError **error)
{
    for (guint i = 0; i < def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->type == CONTROLLER_PCI && !controller_check(controller, board, error))
            return false;
    }
    return true;
}

/* ioh3420 is the port of emulators before 2.9. */
static const char *device_of_model(ControllerModel model, const EmulatorCaps *caps)
{
    static const char *const devices[N_CONTROLLER_MODELS] = {
        [PCI_BRIDGE] = "pci-bridge",
        [DMI_TO_PCI_BRIDGE] = "i82801b11-bridge",
        [PCIE_TO_PCI_BRIDGE] = "pcie-pci-bridge",
        [PCIE_SWITCH_UPSTREAM_PORT] = "x3130-upstream",
        [PCIE_SWITCH_DOWNSTREAM_PORT] = "xio3130-downstream",
        [PCI_EXPANDER_BUS] = "pxb",
        [PCIE_EXPANDER_BUS] = "pxb-pcie",
    };

    if (model == PCIE_ROOT_PORT)
        return emulator_caps_has_device(caps, "pcie-root-port") ? "pcie-root-port" : "ioh3420";
    return devices[model];
}

static void number_set(int *number, int value)
{
    if (*number < 0)
        *number = value;
}

/* Numbers that the guest may see: unique, and the same at every start. */
static void target_describe(ControllerDef *controller, int *next_bus_nr)
{
    const PciAddress *pci = &controller->info.address.pci;

    switch (controller->model) {
    case PCI_BRIDGE:
        number_set(&controller->chassis_nr, controller->index);
        break;
    case PCIE_ROOT_PORT:
        number_set(&controller->chassis, controller->index);
        number_set(&controller->port, (int) (pci->slot << 3 | pci->function));
        break;
    case PCIE_SWITCH_DOWNSTREAM_PORT:
        number_set(&controller->chassis, controller->index);
        number_set(&controller->port, (int) pci->slot);
        break;
    case PCI_EXPANDER_BUS:
    case PCIE_EXPANDER_BUS:
        number_set(&controller->bus_nr, *next_bus_nr);
        *next_bus_nr -= EXPANDER_BUS_NR_STEP;
        break;
    default:
        break;
    }
}

void pci_controllers_describe(DomainDef *def, const EmulatorCaps *caps)
{
    int next_bus_nr = EXPANDER_BUS_NR_MAX;

    for (guint i = 0; i < def->controllers->len; i++) {
        ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->type != CONTROLLER_PCI)
            continue;
        if (!controller->pci_model_name)
            controller->pci_model_name = g_strdup(device_of_model(controller->model, caps));
        target_describe(controller, &next_bus_nr);
    }
}
