/* USB devices and their interfaces (kernel: Documentation/ABI/testing/sysfs-bus-usb). */
#include "virtnodedevd/id_names.h"
#include "virtnodedevd/kind.h"
#include "wire/api_nodedev.h"

static void write_id(XmlWriter *writer, const char *element, uint64_t id, const char *name)
{
    xml_writer_open(writer, element);
    xml_writer_attr(writer, "id", "0x%04x", (unsigned)id & 0xffff);
    if (name)
        xml_writer_text(writer, name);
    xml_writer_close(writer);
}

/* The names as udev's database has them, else as the list of numbers has them, else as the device
 * itself says. */
static char *best_name(const SysDevice *device, const char *property, char *listed,
                       const char *attribute)
{
    const char *name = sys_property(device, property);

    if (name || listed)
        return name ? g_strdup(name) : g_strdup(listed);
    return sys_attr(device, attribute);
}

static void device_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *listed_vendor = NULL;
    g_autofree char *listed_product = NULL;
    g_autofree char *vendor_name = NULL;
    g_autofree char *product_name = NULL;
    uint64_t bus = 0, number = 0, vendor = 0, product = 0;

    sys_attr_number(device, "busnum", 10, &bus);
    sys_attr_number(device, "devnum", 10, &number);
    sys_attr_number(device, "idVendor", 16, &vendor);
    sys_attr_number(device, "idProduct", 16, &product);
    id_names_find(device->roots, "usb.ids", (unsigned)vendor, (unsigned)product, &listed_vendor,
                  &listed_product);
    vendor_name = best_name(device, "ID_VENDOR_FROM_DATABASE", listed_vendor, "manufacturer");
    product_name = best_name(device, "ID_MODEL_FROM_DATABASE", listed_product, "product");
    xml_writer_element(writer, "bus", "%u", (unsigned)bus);
    xml_writer_element(writer, "device", "%u", (unsigned)number);
    write_id(writer, "product", product, product_name);
    write_id(writer, "vendor", vendor, vendor_name);
}

static void interface_format(const SysDevice *device, XmlWriter *writer)
{
    static const struct {
        const char *element, *attribute;
    } fields[] = {
        { "number", "bInterfaceNumber" },
        { "class", "bInterfaceClass" },
        { "subclass", "bInterfaceSubClass" },
        { "protocol", "bInterfaceProtocol" },
    };
    g_autofree char *description = sys_attr(device, "interface");

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        uint64_t value = 0;

        sys_attr_number(device, fields[i].attribute, 16, &value);
        xml_writer_element(writer, fields[i].element, "%u", (unsigned)value);
    }
    xml_writer_element_string(writer, "description", description);
}

static const DeviceKind kinds[] = {
    {
        .subsystem = "usb",
        .devtype = "usb_device",
        .prefix = "usb",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV,
        .format = device_format,
    },
    {
        .subsystem = "usb",
        .devtype = "usb_interface",
        .prefix = "usb",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_INTERFACE,
        .format = interface_format,
    },
};

const KindTable usb_kinds = { kinds, G_N_ELEMENTS(kinds) };
