/* Controllers: their order and indexes, their models, those that a board has and those that disks
 * need. PCI's own are the business of pci_assign.c. */
#include "virtqemud/qemu/complete_steps.h"

/* Keeps a number that nobody means ("controller='4000000000'") from making controllers up to it. */
#define INDEX_MAX 255

static bool is_usb_master(const ControllerDef *controller)
{
    return controller->model == USB_ICH9_EHCI1;
}

static bool is_usb_companion(const ControllerDef *controller)
{
    return controller->model == USB_ICH9_UHCI1 || controller->model == USB_ICH9_UHCI2 ||
           controller->model == USB_ICH9_UHCI3;
}

ControllerDef *complete_find_controller(const DomainDef *def, ControllerType type, int index)
{
    for (guint i = 0; i < def->controllers->len; i++) {
        ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->type == type && controller->index == index)
            return controller;
    }
    return NULL;
}

static ControllerDef *controller_add(DomainDef *def, ControllerType type, int index,
                                     ControllerModel model)
{
    ControllerDef *controller = controller_def_new(type, index, model);

    g_ptr_array_add(def->controllers, controller);
    return controller;
}

/* Whether @a is written before @b of the same type. One without an index comes last. */
static bool comes_before(const ControllerDef *a, const ControllerDef *b)
{
    if (a->index < 0)
        return false;
    if (a->index == b->index)
        return a->type == CONTROLLER_USB && is_usb_master(a) && is_usb_companion(b);
    return a->index < b->index;
}

/* Controllers of a type stand together, by index, where the first of them was. @len: how many
 * are in order already. */
static guint place_of(const GPtrArray *controllers, guint len, const ControllerDef *controller)
{
    guint place = len;

    for (guint i = 0; i < len; i++) {
        const ControllerDef *other = g_ptr_array_index(controllers, i);

        if (other->type != controller->type)
            continue;
        if (comes_before(controller, other))
            return i;
        place = i + 1;
    }
    return place;
}

static void controllers_order(GPtrArray *controllers)
{
    for (guint i = 1; i < controllers->len; i++) {
        guint place = place_of(controllers, i, g_ptr_array_index(controllers, i));

        if (place != i)
            g_ptr_array_insert(controllers, (gint) place,
                               g_ptr_array_steal_index(controllers, i));
    }
}

/* Virtio's take the first index that is free. */
static bool fills_gaps(const ControllerDef *controller)
{
    return controller->type == CONTROLLER_VIRTIO_SERIAL ||
           (controller->type == CONTROLLER_SCSI && controller->model == SCSI_VIRTIO_SCSI);
}

/* What is in use stays so: each search goes on at @index, where the last one has ended. */
static int next_free_index(const DomainDef *def, ControllerType type, int index)
{
    while (complete_find_controller(def, type, index))
        index++;
    return index;
}

/* Indexes that are missing follow the highest of their type; a USB companion without one belongs
 * to the master before it. */
static bool indexes_complete(DomainDef *def, GError **error)
{
    int next[N_CONTROLLER_TYPES] = { 0 }, free_from[N_CONTROLLER_TYPES] = { 0 };
    int master = -1;

    for (guint i = 0; i < def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->index > INDEX_MAX)
            return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                              "%s controller index %d too high, maximum is %d",
                              controller->type == CONTROLLER_PCI
                                  ? "PCI"
                                  : controller_type_names[controller->type],
                              controller->index, INDEX_MAX);
        next[controller->type] = MAX(next[controller->type], controller->index + 1);
    }
    for (guint i = 0; i < def->controllers->len; i++) {
        ControllerDef *controller = g_ptr_array_index(def->controllers, i);
        bool is_usb = controller->type == CONTROLLER_USB;

        if (controller->index < 0 && is_usb && is_usb_companion(controller) && master >= 0)
            controller->index = master;
        else if (controller->index < 0 && fills_gaps(controller))
            controller->index = free_from[controller->type] =
                next_free_index(def, controller->type, free_from[controller->type]);
        else if (controller->index < 0)
            controller->index = next[controller->type];
        next[controller->type] = MAX(next[controller->type], controller->index + 1);
        if (is_usb && is_usb_master(controller))
            master = controller->index;
    }
    return true;
}

bool complete_controllers_up_to(DomainDef *def, ControllerType type, unsigned index,
                                GError **error)
{
    if (index > INDEX_MAX)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "%s controller index %u too high, maximum is %d",
                          controller_type_names[type], index, INDEX_MAX);
    for (int i = 0; i <= (int) index; i++)
        if (!complete_find_controller(def, type, i))
            controller_add(def, type, i, CONTROLLER_MODEL_NONE);
    return true;
}

static ControllerModel scsi_model_default(const EmulatorCaps *caps)
{
    if (!emulator_caps_has_device(caps, "lsi53c895a") &&
        emulator_caps_has_device(caps, "virtio-scsi-pci"))
        return SCSI_VIRTIO_SCSI;
    return SCSI_LSILOGIC;
}

/* The default is what old guests have drivers for. */
static bool scsi_complete(ControllerDef *controller, const EmulatorCaps *caps, GError **error)
{
    switch (controller->model) {
    case CONTROLLER_MODEL_NONE:
    case SCSI_AUTO:
        controller->model = scsi_model_default(caps);
        return true;
    case SCSI_BUSLOGIC:
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "Unsupported controller model: %s",
                          controller_model_names[controller->model]);
    case SCSI_NCR53C90:
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "%s SCSI controller is not a built-in for this machine",
                          controller_model_names[controller->model]);
    default:
        return true;
    }
}

static void usb_complete(ControllerDef *controller)
{
    if (controller->model == CONTROLLER_MODEL_NONE)
        controller->model = USB_PIIX3_UHCI;
    /* Companions take two of the master's ports each, in this order. */
    if (is_usb_companion(controller) && controller->master_startport < 0)
        controller->master_startport = 2 * ((int) controller->model - (int) USB_ICH9_UHCI1);
}

/* The one on the chipset is all there is: QEMU cannot plug in another. */
static bool ide_check(const ControllerDef *controller, Board board, GError **error)
{
    if (board != BOARD_I440FX)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "IDE controllers are unsupported for this QEMU binary or machine type");
    if (controller->index > 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "Only a single IDE controller is supported for this machine type");
    return true;
}

static bool controller_complete(ControllerDef *controller, Board board, const EmulatorCaps *caps,
                                GError **error)
{
    switch (controller->type) {
    case CONTROLLER_IDE:
        return ide_check(controller, board, error);
    case CONTROLLER_SCSI:
        return scsi_complete(controller, caps, error);
    case CONTROLLER_USB:
        usb_complete(controller);
        return true;
    default:
        return true;
    }
}

/* A companion alone is a controller without a place to plug in. */
static bool usb_check(const DomainDef *def, GError **error)
{
    bool has_none = false, has_master = false, has_companion = false;
    guint n_usb = 0;

    for (guint i = 0; i < def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        if (controller->type != CONTROLLER_USB)
            continue;
        n_usb++;
        has_none |= controller->model == USB_NONE;
        has_master |= is_usb_master(controller) && controller->master_startport < 0;
        has_companion |= controller->master_startport >= 0;
    }
    if (has_none && n_usb > 1)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_XML_DETAIL,
                          "Can't add another USB controller: USB is disabled for this domain");
    if (has_companion && !has_master)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL, "No master USB controller specified");
    return !has_companion || has_master;
}

/* Bus 0 is the board's, whatever a definition says. */
static bool root_check(const DomainDef *def, ControllerModel model, GError **error)
{
    const ControllerDef *root = complete_find_controller(def, CONTROLLER_PCI, 0);

    if (root && root->model != model)
        return error_fail(
            error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
            "The PCI controller with index='0' must be model='%s' for this machine type, "
            "but model='%s' was found instead",
            controller_model_names[model], controller_model_names[root->model] ?: "");
    return true;
}

/* What the board has, whether it was asked for or not. */
static bool board_complete(DomainDef *def, Board board, const EmulatorCaps *caps, GError **error)
{
    ControllerModel usb = USB_PIIX3_UHCI, root = PCI_ROOT;

    if (board == BOARD_OTHER)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR, "No PCI buses available");
    if (board == BOARD_Q35) {
        root = PCIE_ROOT;
        if (emulator_caps_has_device(caps, "qemu-xhci"))
            usb = USB_QEMU_XHCI;
        else if (emulator_caps_has_device(caps, "nec-usb-xhci"))
            usb = USB_NEC_XHCI;
    }
    if (!complete_find_controller(def, CONTROLLER_USB, 0))
        controller_add(def, CONTROLLER_USB, 0, usb);
    if (board == BOARD_Q35 && !complete_find_controller(def, CONTROLLER_SATA, 0))
        controller_add(def, CONTROLLER_SATA, 0, CONTROLLER_MODEL_NONE);
    if (!root_check(def, root, error))
        return false;
    if (!complete_find_controller(def, CONTROLLER_PCI, 0))
        controller_add(def, CONTROLLER_PCI, 0, root);
    return true;
}

bool complete_controllers(DomainDef *def, const EmulatorCaps *caps, GError **error)
{
    Board board = board_of_machine(def->os.machine);

    controllers_order(def->controllers);
    if (!indexes_complete(def, error))
        return false;
    for (guint i = 0; i < def->controllers->len; i++)
        if (!controller_complete(g_ptr_array_index(def->controllers, i), board, caps, error))
            return false;
    if (!board_complete(def, board, caps, error) || !usb_check(def, error) ||
        !complete_drives(def, error))
        return false;
    /* Those that the disks have brought. */
    for (guint i = 0; i < def->controllers->len; i++)
        if (!controller_complete(g_ptr_array_index(def->controllers, i), board, caps, error))
            return false;
    return true;
}
