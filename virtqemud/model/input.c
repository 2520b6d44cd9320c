/* <input>. */
#include "virtqemud/model/input.h"

#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/fields.h"

static const char *const type_names[N_INPUT_TYPES] = { "mouse", "tablet", "keyboard" };
static const char *const bus_names[N_INPUT_BUSES] = { NULL, "ps2", "usb", "virtio" };
static const char *const model_names[] = {
    NULL,
    "virtio",
    "virtio-transitional",
    "virtio-non-transitional",
};
/* Known, and not to be had here. */
static const char *const other_types[] = { "passthrough", "evdev" };
static const char *const other_buses[] = { "xen", "parallels", "none" };

InputDef *input_def_new(InputType type, InputBus bus)
{
    InputDef *input = g_new0(InputDef, 1);

    input->type = type;
    input->bus = bus;
    return input;
}

void input_def_free(InputDef *input)
{
    if (!input)
        return;
    device_info_clear(&input->info);
    g_free(input);
}

/* Errors are of the domain, not of the attribute, as clients know them. */
static bool type_parse(const char *type, InputDef *input, GError **error)
{
    int value = 0;

    if (!type)
        return model_fail(error, VIR_ERR_INTERNAL_ERROR, "missing input device type");
    if (ENUM_FROM_NAME(other_types, type, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "input device type '%s' is not supported", type);
    if (!ENUM_FROM_NAME(type_names, type, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown input device type '%.64s'",
                          type);
    input->type = value;
    return true;
}

static bool bus_parse(const char *bus, InputDef *input, GError **error)
{
    int value = INPUT_BUS_DEFAULT;

    if (bus && ENUM_FROM_NAME(other_buses, bus, &value))
        return model_fail(error, VIR_ERR_INTERNAL_ERROR, "unsupported input bus %s", bus);
    if (bus && !ENUM_FROM_NAME(bus_names, bus, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown input bus type '%.64s'", bus);
    input->bus = value;
    /* Tablets came with USB; for the others it depends on the machine. */
    if (!bus && input->type == INPUT_TABLET)
        input->bus = INPUT_BUS_USB;
    return true;
}

static bool model_parse(const char *model, InputDef *input, GError **error)
{
    int value = INPUT_MODEL_DEFAULT;

    if (model && !ENUM_FROM_NAME(model_names, model, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown input model '%.64s'", model);
    input->model = value;
    return true;
}

bool input_def_parse(const XmlNode *node, DomainParseFlags flags, InputDef **ret_input,
                     GError **error)
{
    g_autoptr(InputDef) input = input_def_new(INPUT_MOUSE, INPUT_BUS_DEFAULT);

    if (!type_parse(xml_node_attr(node, "type"), input, error) ||
        !bus_parse(xml_node_attr(node, "bus"), input, error) ||
        !model_parse(xml_node_attr(node, "model"), input, error) ||
        !virtio_options_parse(xml_node_first(node, "driver"), &input->virtio, error) ||
        !device_info_parse(node, flags, &input->info, error))
        return false;
    *ret_input = g_steal_pointer(&input);
    return true;
}

void input_def_format(const InputDef *input, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "input");
    xml_writer_attr_string(writer, "type", type_names[input->type]);
    xml_writer_attr_string(writer, "bus", bus_names[input->bus]);
    xml_writer_attr_string(writer, "model", model_names[input->model]);
    virtio_options_format(&input->virtio, writer);
    device_info_format(&input->info, writer, flags);
    xml_writer_close(writer);
}

/* Each bus has its own devices. */
bool input_def_validate(const InputDef *input, GError **error)
{
    AddressType address = input->info.address.type;

    if (input->bus == INPUT_BUS_PS2 && input->type == INPUT_TABLET)
        return model_fail(error, VIR_ERR_INTERNAL_ERROR,
                          "ps2 bus does not support tablet input device");
    if (input->model != INPUT_MODEL_DEFAULT && input->bus != INPUT_BUS_VIRTIO)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "only bus 'virtio' is supported for input model '%s'",
                          model_names[input->model]);
    if (input->model > INPUT_MODEL_VIRTIO)
        return model_fail_qemu(error,
                               "virtio (non-)transitional models are not supported for input "
                               "type=%s",
                               type_names[input->type]);
    if (input->bus == INPUT_BUS_USB && address != ADDRESS_NONE && address != ADDRESS_USB)
        return model_fail(error, VIR_ERR_XML_ERROR, "Invalid address for a USB device");
    return true;
}
