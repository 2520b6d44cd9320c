/* One row per type of address: its name, how its attributes are read and written. The limits of
 * PCI are those of the bus; what a machine has is not known here. */
#include "virtqemud/model/device_address.h"

#include <string.h>

#include "base/enum_names.h"
#include "base/error.h"
#include "virtqemud/model/tristate.h"

#define PCI_BUS_MAX 0xff
#define PCI_SLOT_MAX 0x1f
#define PCI_FUNCTION_MAX 7

/* The place of ADDRESS_NONE stays empty: no text stands for it. */
const char *const address_type_names[N_ADDRESS_TYPES] = {
    [ADDRESS_PCI] = "pci",
    [ADDRESS_DRIVE] = "drive",
    [ADDRESS_VIRTIO_SERIAL] = "virtio-serial",
    [ADDRESS_CCID] = "ccid",
    [ADDRESS_USB] = "usb",
    [ADDRESS_VIRTIO_MMIO] = "virtio-mmio",
    [ADDRESS_ISA] = "isa",
};

/* What a bus can address at all. Whether the machine has that bus, and whether the slot is free,
 * is found out when addresses are given to all devices. */
static bool pci_check(const PciAddress *pci, GError **error)
{
    if (pci->bus > PCI_BUS_MAX) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                  "Invalid PCI address bus='0x%X', must be <= 0x%X", pci->bus, PCI_BUS_MAX);
        return false;
    }
    if (pci->slot > PCI_SLOT_MAX) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                  "Invalid PCI address slot='0x%X', must be <= 0x%X", pci->slot, PCI_SLOT_MAX);
        return false;
    }
    if (pci->function > PCI_FUNCTION_MAX) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR,
                  "Invalid PCI address function=0x%X, must be <= %d", pci->function,
                  PCI_FUNCTION_MAX);
        return false;
    }
    return true;
}

/* Addresses have been written in hexadecimal and in decimal at all times. */
static bool pci_parse(const XmlNode *node, PciAddress *pci, GError **error)
{
    return xml_attr_uint(node, "domain", XML_ANY_BASE, 0, &pci->domain, error) &&
           xml_attr_uint(node, "bus", XML_ANY_BASE, 0, &pci->bus, error) &&
           xml_attr_uint(node, "slot", XML_ANY_BASE, 0, &pci->slot, error) &&
           xml_attr_uint(node, "function", XML_ANY_BASE, 0, &pci->function, error) &&
           xml_attr_on_off(node, "multifunction", XML_OPTIONAL, &pci->multifunction, error) &&
           pci_check(pci, error);
}

/* These are decimal only, and 0 when they are not given. */
static bool drive_parse(const XmlNode *node, DeviceAddress *address, GError **error)
{
    return xml_attr_uint(node, "controller", XML_OPTIONAL, 0, &address->drive.controller, error) &&
           xml_attr_uint(node, "bus", XML_OPTIONAL, 0, &address->drive.bus, error) &&
           xml_attr_uint(node, "target", XML_OPTIONAL, 0, &address->drive.target, error) &&
           xml_attr_uint(node, "unit", XML_OPTIONAL, 0, &address->drive.unit, error);
}

static bool virtio_serial_parse(const XmlNode *node, DeviceAddress *address, GError **error)
{
    return xml_attr_uint(node, "controller", XML_OPTIONAL, 0, &address->virtio_serial.controller,
                         error) &&
           xml_attr_uint(node, "bus", XML_OPTIONAL, 0, &address->virtio_serial.bus, error) &&
           xml_attr_uint(node, "port", XML_OPTIONAL, 0, &address->virtio_serial.port, error);
}

/* A smart card reader has one bus with numbered slots. */
static bool ccid_parse(const XmlNode *node, DeviceAddress *address, GError **error)
{
    return xml_attr_uint(node, "controller", XML_OPTIONAL, 0, &address->ccid.controller, error) &&
           xml_attr_uint(node, "slot", XML_OPTIONAL, 0, &address->ccid.slot, error);
}

/* "1.2.3.4": a port of the root hub, and those of the hubs behind it. */
static bool usb_ports_parse(const char *text, unsigned ports[4])
{
    for (size_t i = 0; i < 4; i++) {
        char *end = NULL;
        guint64 port = 0;

        if (!g_ascii_isdigit(*text))
            return false;
        port = g_ascii_strtoull(text, &end, 10);
        if (port > G_MAXUINT)
            return false;
        ports[i] = (unsigned) port;
        if (*end == '\0')
            return true;
        if (*end != '.')
            return false;
        text = end + 1;
    }
    return false;
}

static bool usb_parse(const XmlNode *node, DeviceAddress *address, GError **error)
{
    const char *port = xml_node_attr(node, "port");

    if (port && !usb_ports_parse(port, address->usb.ports)) {
        error_set(error, VIR_FROM_DEVICE, VIR_ERR_INTERNAL_ERROR,
                  "Cannot parse <address> 'port' attribute");
        return false;
    }
    return xml_attr_uint(node, "bus", XML_OPTIONAL, 0, &address->usb.bus, error);
}

/* These are hexadecimal, with or without "0x". */
static bool hex_parse(const XmlNode *node, const char *name, unsigned *ret, bool *ret_is_given,
                      GError **error)
{
    const char *text = xml_node_attr(node, name);
    char *end = NULL;
    guint64 value = 0;

    *ret_is_given = text != NULL;
    if (!text)
        return true;
    value = g_ascii_strtoull(text, &end, 16);
    if (end == text || *end != '\0' || value > G_MAXUINT || strchr(text, '-'))
        return xml_attr_invalid(node, name, "Expected non-negative integer value", error);
    *ret = (unsigned) value;
    return true;
}

static bool isa_parse(const XmlNode *node, DeviceAddress *address, GError **error)
{
    return hex_parse(node, "iobase", &address->isa.iobase, &address->isa.has_iobase, error) &&
           hex_parse(node, "irq", &address->isa.irq, &address->isa.has_irq, error);
}

/* A type that is only of other machines is told from one that does not exist: the first is no
 * mistake of the writer. */
static bool type_parse(const XmlNode *node, AddressType *ret_type, GError **error)
{
    /* Of the format, but not of the machines that are served here. */
    static const char *const others[] = { "spapr-vio", "ccw", "dimm", "virtio-s390",
                                          "unassigned", "mdev" };
    const char *name = xml_node_attr(node, "type");
    int type = 0;

    if (!name) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                  "No type specified for device address");
        return false;
    }
    if (!ENUM_FROM_NAME(address_type_names, name, &type)) {
        bool is_known = enum_from_name(others, G_N_ELEMENTS(others), name, &type);

        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  is_known ? "address type '%s' is not supported"
                           : "unknown address type '%.1024s'",
                  name);
        return false;
    }
    *ret_type = (AddressType) type;
    return true;
}

bool device_address_parse(const XmlNode *node, DeviceAddress *ret_address, GError **error)
{
    DeviceAddress address = { .type = ADDRESS_NONE };
    bool is_ok = true;

    if (!type_parse(node, &address.type, error))
        return false;
    if (address.type == ADDRESS_PCI)
        is_ok = pci_parse(node, &address.pci, error);
    else if (address.type == ADDRESS_DRIVE)
        is_ok = drive_parse(node, &address, error);
    else if (address.type == ADDRESS_VIRTIO_SERIAL)
        is_ok = virtio_serial_parse(node, &address, error);
    else if (address.type == ADDRESS_CCID)
        is_ok = ccid_parse(node, &address, error);
    else if (address.type == ADDRESS_USB)
        is_ok = usb_parse(node, &address, error);
    else if (address.type == ADDRESS_ISA)
        is_ok = isa_parse(node, &address, error);
    if (is_ok)
        *ret_address = address;
    return is_ok;
}

/* The widths are those that clients compare texts by. */
static void pci_format(const PciAddress *pci, XmlWriter *writer)
{
    xml_writer_attr(writer, "domain", "0x%04x", pci->domain);
    xml_writer_attr(writer, "bus", "0x%02x", pci->bus);
    xml_writer_attr(writer, "slot", "0x%02x", pci->slot);
    xml_writer_attr(writer, "function", "0x%x", pci->function);
    xml_writer_attr_string(writer, "multifunction", tristate_on_off(pci->multifunction));
}

/* Port 0 ends the list: no hub has one. */
static void usb_format(const DeviceAddress *address, XmlWriter *writer)
{
    g_autoptr(GString) port = g_string_new(NULL);

    xml_writer_attr(writer, "bus", "%u", address->usb.bus);
    for (size_t i = 0; i < 4 && address->usb.ports[i] != 0; i++)
        g_string_append_printf(port, "%s%u", i == 0 ? "" : ".", address->usb.ports[i]);
    if (port->len > 0)
        xml_writer_attr_string(writer, "port", port->str);
}

static void isa_format(const DeviceAddress *address, XmlWriter *writer)
{
    if (address->isa.has_iobase)
        xml_writer_attr(writer, "iobase", "0x%x", address->isa.iobase);
    if (address->isa.has_irq)
        xml_writer_attr(writer, "irq", "0x%x", address->isa.irq);
}

void device_address_format(const DeviceAddress *address, XmlWriter *writer)
{
    if (address->type == ADDRESS_NONE)
        return;
    xml_writer_open(writer, "address");
    xml_writer_attr_string(writer, "type", address_type_names[address->type]);
    if (address->type == ADDRESS_PCI) {
        pci_format(&address->pci, writer);
    } else if (address->type == ADDRESS_DRIVE) {
        xml_writer_attr(writer, "controller", "%u", address->drive.controller);
        xml_writer_attr(writer, "bus", "%u", address->drive.bus);
        xml_writer_attr(writer, "target", "%u", address->drive.target);
        xml_writer_attr(writer, "unit", "%u", address->drive.unit);
    } else if (address->type == ADDRESS_VIRTIO_SERIAL) {
        xml_writer_attr(writer, "controller", "%u", address->virtio_serial.controller);
        xml_writer_attr(writer, "bus", "%u", address->virtio_serial.bus);
        xml_writer_attr(writer, "port", "%u", address->virtio_serial.port);
    } else if (address->type == ADDRESS_CCID) {
        xml_writer_attr(writer, "controller", "%u", address->ccid.controller);
        xml_writer_attr(writer, "slot", "%u", address->ccid.slot);
    } else if (address->type == ADDRESS_USB) {
        usb_format(address, writer);
    } else if (address->type == ADDRESS_ISA) {
        isa_format(address, writer);
    }
    xml_writer_close(writer);
}

/* Slot 0 of bus 0 is the host bridge, so zeros are no device's place. */
static bool pci_is_chosen(const PciAddress *pci)
{
    return pci->domain || pci->bus || pci->slot || pci->function;
}

bool device_address_equal(const DeviceAddress *a, const DeviceAddress *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case ADDRESS_PCI:
        return pci_is_chosen(&a->pci) && pci_address_equal(&a->pci, &b->pci);
    case ADDRESS_DRIVE:
        return memcmp(&a->drive, &b->drive, sizeof(a->drive)) == 0;
    case ADDRESS_VIRTIO_SERIAL:
        return a->virtio_serial.port != 0 &&
               memcmp(&a->virtio_serial, &b->virtio_serial, sizeof(a->virtio_serial)) == 0;
    case ADDRESS_CCID:
        return memcmp(&a->ccid, &b->ccid, sizeof(a->ccid)) == 0;
    case ADDRESS_USB:
        return a->usb.ports[0] != 0 && memcmp(&a->usb, &b->usb, sizeof(a->usb)) == 0;
    case ADDRESS_NONE:
    case ADDRESS_VIRTIO_MMIO:
    case ADDRESS_ISA:
    case N_ADDRESS_TYPES:
        break;
    }
    return false;
}

/* As lspci and the kernel write it. */
char *pci_address_text(const PciAddress *address)
{
    return g_strdup_printf("%04x:%02x:%02x.%x", address->domain, address->bus, address->slot,
                           address->function);
}

/* Whether it has several functions is a property of the slot and not of the place. */
bool pci_address_equal(const PciAddress *a, const PciAddress *b)
{
    return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
           a->function == b->function;
}
