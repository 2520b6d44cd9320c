/* <controller>. Which models a type has is in one table; the names that types share ("virtio",
 * "virtio-transitional") are one enum value. */
#include "virtqemud/model/controller.h"

#include <string.h>

#include "virtqemud/model/fields.h"

const char *const controller_type_names[N_CONTROLLER_TYPES] = {
    "ide", "fdc", "scsi", "sata", "virtio-serial", "ccid", "usb", "pci",
};

const char *const controller_model_names[N_CONTROLLER_MODELS] = {
    NULL,
    "pci-root",
    "pcie-root",
    "pci-bridge",
    "dmi-to-pci-bridge",
    "pcie-to-pci-bridge",
    "pcie-root-port",
    "pcie-switch-upstream-port",
    "pcie-switch-downstream-port",
    "pci-expander-bus",
    "pcie-expander-bus",
    "piix3-uhci",
    "piix4-uhci",
    "ehci",
    "ich9-ehci1",
    "ich9-uhci1",
    "ich9-uhci2",
    "ich9-uhci3",
    "vt82c686b-uhci",
    "pci-ohci",
    "nec-xhci",
    "qemu-xhci",
    "none",
    "auto",
    "buslogic",
    "lsilogic",
    "lsisas1068",
    "lsisas1078",
    "vmpvscsi",
    "ibmvscsi",
    "virtio-scsi",
    "ncr53c90",
    "dc390",
    "am53c974",
    "virtio",
    "virtio-transitional",
    "virtio-non-transitional",
    "piix3",
    "piix4",
    "ich6",
};

/* First and last model of each type, in up to two ranges. */
static const struct {
    ControllerModel first, last, more_first, more_last;
} models_of[N_CONTROLLER_TYPES] = {
    [CONTROLLER_IDE] = { IDE_PIIX3, IDE_ICH6 },
    [CONTROLLER_SCSI] = { SCSI_AUTO, SCSI_AM53C974, VIRTIO_TRANSITIONAL, VIRTIO_NON_TRANSITIONAL },
    [CONTROLLER_VIRTIO_SERIAL] = { VIRTIO, VIRTIO_NON_TRANSITIONAL },
    [CONTROLLER_USB] = { USB_PIIX3_UHCI, USB_NONE },
    [CONTROLLER_PCI] = { PCI_ROOT, PCIE_EXPANDER_BUS },
};

/* QEMU's devices for <model name=''>, as the manual's "Controllers" lists them. */
static const char *const pci_model_names[] = {
    "none",     "pci-bridge",     "i82801b11-bridge",      "pcie-pci-bridge",
    "ioh3420",  "x3130-upstream", "xio3130-downstream",    "pxb",
    "pxb-pcie", "pcie-root-port", "spapr-pci-host-bridge",
};

/* What PCI controllers of each model may say of themselves. */
typedef enum PciOption {
    OPTION_CHASSIS_NR = 1 << 0,
    OPTION_CHASSIS = 1 << 1,
    OPTION_PORT = 1 << 2,
    OPTION_BUS_NR = 1 << 3,
    OPTION_HOTPLUG = 1 << 4,
    OPTIONS_OF_PORTS = OPTION_CHASSIS | OPTION_PORT | OPTION_HOTPLUG,
} PciOption;

static const struct {
    const char *names[2];
    PciOption options;
} pci_rules[PCIE_EXPANDER_BUS + 1] = {
    [PCI_ROOT] = { { NULL }, OPTION_HOTPLUG },
    [PCIE_ROOT] = { { NULL }, 0 },
    [PCI_BRIDGE] = { { "pci-bridge" }, OPTION_CHASSIS_NR },
    [DMI_TO_PCI_BRIDGE] = { { "i82801b11-bridge" }, 0 },
    [PCIE_TO_PCI_BRIDGE] = { { "pcie-pci-bridge" }, 0 },
    [PCIE_ROOT_PORT] = { { "pcie-root-port", "ioh3420" }, OPTIONS_OF_PORTS },
    [PCIE_SWITCH_UPSTREAM_PORT] = { { "x3130-upstream" }, 0 },
    [PCIE_SWITCH_DOWNSTREAM_PORT] = { { "xio3130-downstream" }, OPTIONS_OF_PORTS },
    [PCI_EXPANDER_BUS] = { { "pxb" }, OPTION_BUS_NR },
    [PCIE_EXPANDER_BUS] = { { "pxb-pcie" }, OPTION_BUS_NR },
};

/* The attribute "ports" of <controller> means two things: of virtio-serial, which has vectors too,
 * and of USB. Types that have neither pass them over. */
static const Field serial_fields[] = {
    FIELD("ports", FIELD_INDEX, ControllerDef, ports),
    FIELD("vectors", FIELD_INDEX, ControllerDef, vectors),
};

static const Field usb_fields[] = {
    FIELD("ports", FIELD_INDEX, ControllerDef, usb_ports),
};

static const Field driver_fields[] = {
    FIELD("queues", FIELD_UINT, ControllerDef, queues),
    FIELD("cmd_per_lun", FIELD_UINT, ControllerDef, cmd_per_lun),
    FIELD("max_sectors", FIELD_UINT, ControllerDef, max_sectors),
    FIELD("ioeventfd", FIELD_ON_OFF, ControllerDef, io_event_fd),
    FIELD("iothread", FIELD_UINT, ControllerDef, io_thread),
    VIRTIO_FIELDS(ControllerDef, virtio),
};

/* In the order in which clients see them; QEMU knows ports in hexadecimal. */
static const Field target_fields[] = {
    FIELD("chassisNr", FIELD_NUMBER, ControllerDef, chassis_nr),
    FIELD("chassis", FIELD_NUMBER, ControllerDef, chassis),
    FIELD("port", FIELD_HEX, ControllerDef, port),
    FIELD("busNr", FIELD_NUMBER, ControllerDef, bus_nr),
    FIELD("hotplug", FIELD_ON_OFF, ControllerDef, hotplug),
};

ControllerDef *controller_def_new(ControllerType type, int index, ControllerModel model)
{
    ControllerDef *controller = g_new0(ControllerDef, 1);

    controller->type = type;
    controller->index = index;
    controller->model = model;
    controller->ports = controller->vectors = controller->usb_ports = -1;
    controller->master_startport = -1;
    controller->chassis_nr = controller->chassis = controller->port = controller->bus_nr = -1;
    return controller;
}

void controller_def_free(ControllerDef *controller)
{
    if (!controller)
        return;
    device_info_clear(&controller->info);
    g_free(controller->pci_model_name);
    g_free(controller);
}

/* The model @name of a controller of @type: names alone are not enough, since "virtio" and
 * "none" belong to several. */
static bool model_find(ControllerType type, const char *name, ControllerModel *ret_model)
{
    for (int i = 1; i < N_CONTROLLER_MODELS; i++) {
        bool fits = (i >= (int)models_of[type].first && i <= (int)models_of[type].last) ||
                    (i >= (int)models_of[type].more_first && i <= (int)models_of[type].more_last);

        if (fits && strcmp(controller_model_names[i], name) == 0) {
            *ret_model = i;
            return true;
        }
    }
    return false;
}

static bool head_parse(const XmlNode *node, ControllerDef *controller, GError **error)
{
    const char *model = xml_node_attr(node, "model");

    if (!FIELD_PARSE_ENUM(node, "type", XML_OPTIONAL, controller_type_names, &controller->type,
                          error))
        return false;
    if (model && !model_find(controller->type, model, &controller->model))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown model type '%.64s'", model);
    if (!xml_attr_int(node, "index", XML_OPTIONAL, -1, &controller->index, error))
        return false;
    if (controller->index < 0 && xml_node_attr(node, "index"))
        return xml_attr_invalid(node, "index", "Expected non-negative value", error);
    if (controller->type == CONTROLLER_VIRTIO_SERIAL)
        return fields_parse(serial_fields, G_N_ELEMENTS(serial_fields), node, controller, error);
    if (controller->type == CONTROLLER_USB)
        return fields_parse(usb_fields, G_N_ELEMENTS(usb_fields), node, controller, error);
    return true;
}

/* Errors of their own, and not those of attributes: the numbers are what the hardware has
 * room for. */
static bool in_range(const char *name, int value, int min, int max, GError **error)
{
    return value == -1 || (value >= min && value <= max) ||
           model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "PCI controller %s '%d' out of range - must be %d-%d", name, value, min, max);
}

static bool target_parse(const XmlNode *target, ControllerDef *controller, GError **error)
{
    return fields_parse(target_fields, G_N_ELEMENTS(target_fields), target, controller, error) &&
           in_range("chassisNr", controller->chassis_nr, 1, 255, error) &&
           in_range("chassis", controller->chassis, 0, 255, error) &&
           in_range("port", controller->port, 0, 255, error) &&
           in_range("busNr", controller->bus_nr, 1, 254, error);
}

static bool pci_model_parse(const XmlNode *model, ControllerDef *controller, GError **error)
{
    int value = 0;

    if (!xml_attr_enum(model, "name", XML_OPTIONAL, pci_model_names, G_N_ELEMENTS(pci_model_names),
                       0, &value, error))
        return false;
    if (value != 0)
        controller->pci_model_name = g_strdup(pci_model_names[value]);
    return true;
}

static bool single(const XmlNode *node, const char *name, const XmlNode **ret_child, GError **error)
{
    *ret_child = xml_node_first(node, name);
    if (!*ret_child || !xml_node_next(*ret_child, name))
        return true;
    return model_fail(error, VIR_ERR_XML_ERROR,
                      "Multiple <%s> elements in controller definition not allowed", name);
}

/* Only the root has a hole: elsewhere it means nothing. */
static bool hole_parse(const XmlNode *node, ControllerDef *controller, GError **error)
{
    uint64_t bytes = 0;

    if (controller->type != CONTROLLER_PCI ||
        (controller->model != PCI_ROOT && controller->model != PCIE_ROOT))
        return true;
    if (!xml_child_bytes(node, "pcihole64", XML_OPTIONAL, 1024, UINT64_MAX, 0, &bytes, error))
        return false;
    controller->pci_hole64_kib = bytes / 1024 + (bytes % 1024 != 0);
    return true;
}

static bool children_parse(const XmlNode *node, ControllerDef *controller, GError **error)
{
    const XmlNode *driver = NULL, *model = NULL, *target = NULL;
    const XmlNode *master = xml_node_first(node, "master");
    unsigned startport = 0;

    if (!single(node, "driver", &driver, error) || !single(node, "model", &model, error) ||
        !single(node, "target", &target, error))
        return false;
    if (driver &&
        !fields_parse(driver_fields, G_N_ELEMENTS(driver_fields), driver, controller, error))
        return false;
    if (controller->type == CONTROLLER_PCI) {
        if ((model && !pci_model_parse(model, controller, error)) ||
            (target && !target_parse(target, controller, error)))
            return false;
    }
    if (controller->type == CONTROLLER_USB && master && xml_node_attr(master, "startport")) {
        if (!xml_attr_uint(master, "startport", XML_OPTIONAL, 0, &startport, error))
            return false;
        controller->master_startport = MIN(startport, G_MAXINT);
    }
    return hole_parse(node, controller, error);
}

bool controller_def_parse(const XmlNode *node, DomainParseFlags flags,
                          ControllerDef **ret_controller, GError **error)
{
    g_autoptr(ControllerDef) controller =
        controller_def_new(CONTROLLER_IDE, -1, CONTROLLER_MODEL_NONE);

    if (!head_parse(node, controller, error) || !children_parse(node, controller, error) ||
        !device_info_parse(node, flags, &controller->info, error))
        return false;
    *ret_controller = g_steal_pointer(&controller);
    return true;
}

void controller_def_format(const ControllerDef *controller, XmlWriter *writer,
                           DomainFormatFlags flags)
{
    xml_writer_open(writer, "controller");
    xml_writer_attr_string(writer, "type", controller_type_names[controller->type]);
    if (controller->index >= 0)
        xml_writer_attr(writer, "index", "%d", controller->index);
    xml_writer_attr_string(writer, "model", controller_model_names[controller->model]);
    fields_format(serial_fields, G_N_ELEMENTS(serial_fields), controller, writer);
    fields_format(usb_fields, G_N_ELEMENTS(usb_fields), controller, writer);
    if (controller->pci_model_name) {
        xml_writer_open(writer, "model");
        xml_writer_attr_string(writer, "name", controller->pci_model_name);
        xml_writer_close(writer);
    }
    fields_format_element("target", target_fields, G_N_ELEMENTS(target_fields), controller, writer);
    fields_format_element("driver", driver_fields, G_N_ELEMENTS(driver_fields), controller, writer);
    device_info_format_alias(&controller->info, writer, flags);
    if (controller->master_startport >= 0) {
        xml_writer_open(writer, "master");
        xml_writer_attr(writer, "startport", "%d", controller->master_startport);
        xml_writer_close(writer);
    }
    device_info_format_rest(&controller->info, writer);
    if (controller->pci_hole64_kib != 0) {
        g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, controller->pci_hole64_kib);

        xml_writer_open(writer, "pcihole64");
        xml_writer_attr_string(writer, "unit", "KiB");
        xml_writer_text(writer, size);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static bool pci_option_validate(const ControllerDef *controller, GError **error)
{
    const struct {
        const char *name;
        PciOption option;
        bool is_given;
    } given[] = {
        { "chassis", OPTION_CHASSIS, controller->chassis >= 0 },
        { "port", OPTION_PORT, controller->port >= 0 },
        { "busNr", OPTION_BUS_NR, controller->bus_nr >= 0 },
        { "chassisNr", OPTION_CHASSIS_NR, controller->chassis_nr >= 0 },
        { "hotplug", OPTION_HOTPLUG, controller->hotplug != XML_TRISTATE_ABSENT },
    };
    const char *name = controller->pci_model_name;
    const char *const *names = pci_rules[controller->model].names;
    const char *bad = NULL;

    if (name && g_strcmp0(name, names[0]) != 0 && g_strcmp0(name, names[1]) != 0)
        bad = "modelName";
    for (size_t i = 0; i < G_N_ELEMENTS(given) && !bad; i++)
        if (given[i].is_given && !(pci_rules[controller->model].options & given[i].option))
            bad = given[i].name;
    if (!bad)
        return true;
    return model_fail_qemu(error,
                           "Option '%s' %s for PCI controller with index '%d', model '%s' and "
                           "modelName '%s'",
                           bad, strcmp(bad, "modelName") == 0 ? "has invalid value" : "is not valid",
                           controller->index, controller_model_names[controller->model],
                           name ?: names[0] ?: "none");
}

/* The roots are parts of the machine: it has one, and nothing to plug it into. */
static bool pci_validate(const ControllerDef *controller, GError **error)
{
    bool is_root = controller->model == PCI_ROOT || controller->model == PCIE_ROOT;

    if (controller->model == CONTROLLER_MODEL_NONE)
        return model_fail(error, VIR_ERR_INTERNAL_ERROR,
                          "PCI controller model was not set correctly");
    if (is_root && controller->index > 0)
        return model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                               "pci-root and pcie-root controllers should have index 0");
    if (is_root && controller->info.address.type != ADDRESS_NONE)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "pci-root and pcie-root controllers should not have an address");
    return pci_option_validate(controller, error);
}

/* All of these are features of one device of QEMU. */
static bool driver_validate(const ControllerDef *controller, GError **error)
{
    const char *name = controller->queues        ? "queues"
                       : controller->cmd_per_lun ? "cmd_per_lun"
                       : controller->max_sectors ? "max_sectors"
                       : controller->io_event_fd ? "ioeventfd"
                                                 : NULL;
    bool is_virtio_scsi =
        controller->type == CONTROLLER_SCSI &&
        (controller->model == SCSI_VIRTIO_SCSI || controller->model == VIRTIO_TRANSITIONAL ||
         controller->model == VIRTIO_NON_TRANSITIONAL);

    if (is_virtio_scsi)
        return true;
    if (controller->io_thread != 0)
        return model_fail(error, VIR_ERR_XML_ERROR,
                          "'iothread' attribute only supported for virtio scsi controllers");
    return !name ||
           model_fail_qemu(error, "'%s' is only supported by virtio-scsi controller", name);
}

bool controller_def_validate(const ControllerDef *controller, GError **error)
{
    if (controller->type == CONTROLLER_PCI && !pci_validate(controller, error))
        return false;
    if (controller->usb_ports > 15 &&
        (controller->model == USB_NEC_XHCI || controller->model == USB_QEMU_XHCI))
        return model_fail_qemu(error, "'%s' controller only supports up to '15' ports",
                               controller_model_names[controller->model]);
    return driver_validate(controller, error);
}
