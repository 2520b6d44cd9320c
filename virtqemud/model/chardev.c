/* <serial>, <console>, <channel>: what the guest sees of them. */
#include "virtqemud/model/chardev.h"

#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/chardev_source.h"
#include "virtqemud/model/fields.h"

/* What a PC has addresses for. */
#define ISA_SERIAL_MAX 4

static const char *const kind_names[N_CHARDEV_KINDS] = { "serial", "console", "channel" };

static const char *const target_names[N_CHARDEV_TARGETS] = {
    NULL, "isa-serial", "usb-serial", "pci-serial", "serial", "virtio", "isa-debug",
};

static const char *const model_names[N_CHARDEV_MODELS] = {
    NULL, "isa-serial", "usb-serial", "pci-serial", "isa-debugcon",
};

static const char *const state_names[] = { NULL, "disconnected", "connected" };

/* Targets that other machines and hypervisors have, of each kind. */
static const char *const other_targets[] = {
    "spapr-vio-serial", "system-serial", "sclp-serial", "xen",      "uml",
    "openvz",           "sclp",          "sclplm",      "guestfwd", "xen",
};

/* Each kind of serial port has one device of QEMU, so the model only repeats the target. */
static const ChardevModel model_of_target[N_CHARDEV_TARGETS] = {
    [CHARDEV_TARGET_ISA_SERIAL] = CHARDEV_MODEL_ISA_SERIAL,
    [CHARDEV_TARGET_USB_SERIAL] = CHARDEV_MODEL_USB_SERIAL,
    [CHARDEV_TARGET_PCI_SERIAL] = CHARDEV_MODEL_PCI_SERIAL,
    [CHARDEV_TARGET_ISA_DEBUG] = CHARDEV_MODEL_ISA_DEBUGCON,
};

ChardevDef *chardev_def_new(ChardevKind kind, ChardevSourceType source)
{
    ChardevDef *chardev = g_new0(ChardevDef, 1);

    chardev->kind = kind;
    chardev->source.type = source;
    chardev->port = -1;
    return chardev;
}

void chardev_def_free(ChardevDef *chardev)
{
    if (!chardev)
        return;
    device_info_clear(&chardev->info);
    chardev_source_clear(&chardev->source);
    g_free(chardev->channel_name);
    g_free(chardev->tty);
    g_free(chardev);
}

/* The names are in one table for all kinds of devices; this tells them apart. */
static bool target_fits(ChardevKind kind, ChardevTarget target)
{
    switch (kind) {
    case CHARDEV_SERIAL:
        return target == CHARDEV_TARGET_ISA_SERIAL || target == CHARDEV_TARGET_USB_SERIAL ||
               target == CHARDEV_TARGET_PCI_SERIAL || target == CHARDEV_TARGET_ISA_DEBUG;
    case CHARDEV_CONSOLE:
        return target == CHARDEV_TARGET_SERIAL || target == CHARDEV_TARGET_VIRTIO;
    default:
        return target == CHARDEV_TARGET_VIRTIO;
    }
}

/* Serial ports and consoles can leave it to the machine; channels have nothing to fall back to. */
static bool target_type_parse(const char *type, ChardevDef *chardev, GError **error)
{
    int target = 0;

    if (!type) {
        return chardev->kind != CHARDEV_CHANNEL ||
               model_fail(error, VIR_ERR_XML_ERROR,
                          "target type must be specified for channel device");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(other_targets); i++)
        if (strcmp(type, other_targets[i]) == 0)
            return model_fail_qemu(error, "unsupported %s target type %s",
                                   kind_names[chardev->kind], type);
    if (!ENUM_FROM_NAME(target_names, type, &target) || !target_fits(chardev->kind, target))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "unknown target type '%.64s' specified for character device", type);
    chardev->target = target;
    return true;
}

static bool serial_model_parse(const XmlNode *target, ChardevDef *chardev, GError **error)
{
    const XmlNode *node = xml_node_first(target, "model");
    const char *name = node ? xml_node_attr(node, "name") : NULL;
    int model = model_of_target[chardev->target];

    if (name && !ENUM_FROM_NAME(model_names, name, &model))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "unknown target model '%.64s' specified for character device", name);
    chardev->model = model;
    return true;
}

/* -1, as one that is not given, is still to be chosen. */
static bool port_parse(const XmlNode *target, ChardevDef *chardev, GError **error)
{
    if (xml_attr_int(target, "port", XML_OPTIONAL, -1, &chardev->port, NULL) && chardev->port >= -1)
        return true;
    return model_fail(error, VIR_ERR_XML_ERROR, "Invalid port number: %.64s",
                      xml_node_attr(target, "port"));
}

static bool target_parse(const XmlNode *target, DomainParseFlags flags, ChardevDef *chardev,
                         GError **error)
{
    if (!target_type_parse(target ? xml_node_attr(target, "type") : NULL, chardev, error))
        return false;
    if (!target)
        return true;
    if (chardev->kind == CHARDEV_CHANNEL) {
        chardev->channel_name = g_strdup(xml_node_attr(target, "name"));
        return (flags & DOMAIN_PARSE_INACTIVE) ||
               FIELD_PARSE_ENUM(target, "state", XML_OPTIONAL, state_names, &chardev->state, error);
    }
    if (!port_parse(target, chardev, error))
        return false;
    return chardev->kind != CHARDEV_SERIAL || serial_model_parse(target, chardev, error);
}

bool chardev_def_parse(const XmlNode *node, ChardevKind kind, DomainParseFlags flags,
                       ChardevDef **ret_chardev, GError **error)
{
    g_autoptr(ChardevDef) chardev = chardev_def_new(kind, CHARDEV_PTY);

    if (!chardev_source_parse(node, flags, &chardev->source, error) ||
        !target_parse(xml_node_first(node, "target"), flags, chardev, error) ||
        !device_info_parse(node, flags, &chardev->info, error))
        return false;
    /* Ports of channels are always ones of a virtio-serial controller. */
    if (kind == CHARDEV_CHANNEL && chardev->info.address.type != ADDRESS_VIRTIO_SERIAL)
        chardev->info.address = (DeviceAddress){ .type = ADDRESS_NONE };
    /* The source's path is the better one: it comes from QEMU. */
    if (kind == CHARDEV_CONSOLE && chardev->source.type == CHARDEV_PTY && chardev->source.path)
        chardev->tty = g_strdup(chardev->source.path);
    *ret_chardev = g_steal_pointer(&chardev);
    return true;
}

static void target_format(const ChardevDef *chardev, XmlWriter *writer, bool is_inactive)
{
    xml_writer_open(writer, "target");
    xml_writer_attr_string(writer, "type", target_names[chardev->target]);
    if (chardev->kind == CHARDEV_CHANNEL) {
        xml_writer_attr_string(writer, "name", chardev->channel_name);
        if (!is_inactive)
            xml_writer_attr_string(writer, "state", state_names[chardev->state]);
    } else if (chardev->port >= 0) {
        xml_writer_attr(writer, "port", "%d", chardev->port);
    }
    if (chardev->model) {
        xml_writer_open(writer, "model");
        xml_writer_attr_string(writer, "name", model_names[chardev->model]);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

void chardev_def_format(const ChardevDef *chardev, XmlWriter *writer, DomainFormatFlags flags)
{
    bool is_inactive = flags & DOMAIN_FORMAT_INACTIVE;
    bool is_pty = chardev->source.type == CHARDEV_PTY;

    xml_writer_open(writer, kind_names[chardev->kind]);
    xml_writer_attr_string(writer, "type", chardev_source_type_names[chardev->source.type]);
    /* Of the console with the number 0 only, wherever it stands: clients know it so. */
    if (chardev->kind == CHARDEV_CONSOLE && chardev->port == 0 && is_pty && !is_inactive)
        xml_writer_attr_string(writer, "tty", chardev->source.path ?: chardev->tty);
    chardev_source_format(&chardev->source, writer, flags);
    target_format(chardev, writer, is_inactive);
    device_info_format(&chardev->info, writer, flags);
    xml_writer_close(writer);
}

/* Which bus a serial port of each kind is on. */
static bool serial_validate(const ChardevDef *chardev, GError **error)
{
    static const AddressType buses[N_CHARDEV_TARGETS] = {
        [CHARDEV_TARGET_ISA_SERIAL] = ADDRESS_ISA,
        [CHARDEV_TARGET_ISA_DEBUG] = ADDRESS_ISA,
        [CHARDEV_TARGET_USB_SERIAL] = ADDRESS_USB,
        [CHARDEV_TARGET_PCI_SERIAL] = ADDRESS_PCI,
    };
    AddressType address = chardev->info.address.type;
    AddressType bus = buses[chardev->target];

    if (chardev->target == CHARDEV_TARGET_NONE)
        return true;
    if (chardev->model && chardev->model != model_of_target[chardev->target]) {
        ChardevTarget wanted = CHARDEV_TARGET_NONE;

        while (model_of_target[wanted] != chardev->model)
            wanted++;
        return model_fail_qemu(error, "Target model '%s' requires target type '%s'",
                               model_names[chardev->model], target_names[wanted]);
    }
    if (address != ADDRESS_NONE && address != bus)
        return model_fail_qemu(error, "Target type '%s' requires address type '%s'",
                               target_names[chardev->target], address_type_names[bus]);
    if (chardev->target == CHARDEV_TARGET_ISA_SERIAL && chardev->port >= ISA_SERIAL_MAX)
        return model_fail(error, VIR_ERR_INTERNAL_ERROR,
                          "Maximum supported number of ISA serial ports is '%d'", ISA_SERIAL_MAX);
    return true;
}

bool chardev_def_validate(const ChardevDef *chardev, GError **error)
{
    if (chardev->kind == CHARDEV_SERIAL && !serial_validate(chardev, error))
        return false;
    return chardev_source_validate(&chardev->source, chardev->kind == CHARDEV_CHANNEL, error);
}
