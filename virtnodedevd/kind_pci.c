/* PCI devices (kernel: Documentation/ABI/testing/sysfs-bus-pci). */
#include "base/file.h"
#include "virtnodedevd/id_names.h"
#include "virtnodedevd/kind.h"
#include "virtnodedevd/mdev_types.h"
#include "virtnodedevd/pci_address.h"
#include "virtnodedevd/pci_config.h"
#include "virtnodedevd/vpd.h"
#include "wire/api_nodedev.h"

static bool pci_identify(const SysDevice *device, GString *suffix)
{
    PciAddress address;

    g_string_append(suffix, device->name);
    return pci_address_parse(device->name, &address);
}

/* Reading the data itself takes the device a while: that there is some must do here. */
static unsigned pci_traits(const SysDevice *device)
{
    return (mdev_types_exist(device) ? VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES : 0) |
           (sys_has(device, "vpd") ? VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPD : 0);
}

static void write_address(const char *text, XmlWriter *writer)
{
    PciAddress address;

    if (!pci_address_parse(text, &address))
        return;
    xml_writer_open(writer, "address");
    xml_writer_attr(writer, "domain", "0x%04x", address.domain);
    xml_writer_attr(writer, "bus", "0x%02x", address.bus);
    xml_writer_attr(writer, "slot", "0x%02x", address.slot);
    xml_writer_attr(writer, "function", "0x%x", address.function);
    xml_writer_close(writer);
}

static void write_place(const SysDevice *device, XmlWriter *writer)
{
    PciAddress address = { 0 };
    uint64_t class;

    if (sys_attr_number(device, "class", 16, &class))
        xml_writer_element(writer, "class", "0x%06x", (unsigned)class & 0xffffff);
    pci_address_parse(device->name, &address);
    xml_writer_element(writer, "domain", "%u", address.domain);
    xml_writer_element(writer, "bus", "%u", address.bus);
    xml_writer_element(writer, "slot", "%u", address.slot);
    xml_writer_element(writer, "function", "%u", address.function);
}

static void write_id(XmlWriter *writer, const char *element, uint64_t id, const char *name)
{
    xml_writer_open(writer, element);
    xml_writer_attr(writer, "id", "0x%04x", (unsigned)id & 0xffff);
    if (name)
        xml_writer_text(writer, name);
    xml_writer_close(writer);
}

static void write_names(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *vendor_name = NULL;
    g_autofree char *product_name = NULL;
    uint64_t vendor = 0, product = 0;

    sys_attr_number(device, "vendor", 16, &vendor);
    sys_attr_number(device, "device", 16, &product);
    id_names_find(device->roots, "pci.ids", (unsigned)vendor, (unsigned)product, &vendor_name,
                  &product_name);
    write_id(writer, "product", product, product_name);
    write_id(writer, "vendor", vendor, vendor_name);
}

/* The address of a virtual function by its number; NULL when there is none. To be freed. */
static char *virtual_function(const SysDevice *device, unsigned number)
{
    g_autofree char *link = g_strdup_printf("virtfn%u", number);

    return sys_link_name(device, link);
}

/* All that there are; and how many there could be, which older kernels do not say. */
static void write_virtual_functions(const SysDevice *device, XmlWriter *writer)
{
    uint64_t max_functions = 0;
    g_autofree char *address = virtual_function(device, 0);

    sys_attr_number(device, "sriov_totalvfs", 10, &max_functions);
    if (!address && max_functions == 0)
        return;
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "virt_functions");
    if (max_functions > 0)
        xml_writer_attr(writer, "maxCount", "%u", (unsigned)max_functions);
    for (unsigned i = 1; address && i < 65536; i++) {
        write_address(address, writer);
        g_free(address);
        address = virtual_function(device, i);
    }
    xml_writer_close(writer);
}

/* SR-IOV: of a virtual function the physical one, of a physical one those that are virtual. */
static void write_functions(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *physical = sys_link_name(device, "physfn");

    if (physical) {
        xml_writer_open(writer, "capability");
        xml_writer_attr_string(writer, "type", "phys_function");
        write_address(physical, writer);
        xml_writer_close(writer);
    }
    write_virtual_functions(device, writer);
}

static void write_bridge(const PciConfig *config, XmlWriter *writer)
{
    PciHeader header = pci_config_header(config);

    if (header != PCI_HEADER_BRIDGE && header != PCI_HEADER_CARDBUS)
        return;
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type",
                           header == PCI_HEADER_BRIDGE ? "pci-bridge" : "cardbus-bridge");
    xml_writer_close(writer);
}

static void write_vpd(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *path = g_build_filename(device->dir, "vpd", NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(Vpd) vpd = NULL;
    size_t size = 0;

    if (!file_read_if_exists(path, VPD_SIZE_MAX, &bytes, &size, NULL) || !bytes)
        return;
    vpd = vpd_parse((const uint8_t *)bytes, size);
    if (vpd)
        vpd_format(vpd, writer);
}

static void write_iommu_group(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *group = sys_link_name(device, "iommu_group");
    g_autoptr(GPtrArray) members = NULL;

    if (!group)
        return;
    members = sys_list(device, "iommu_group/devices");
    xml_writer_open(writer, "iommuGroup");
    xml_writer_attr_string(writer, "number", group);
    for (guint i = 0; i < members->len; i++)
        write_address(members->pdata[i], writer);
    xml_writer_close(writer);
}

static void write_link(const char *validity, const unsigned *port, const PciLink *link,
                       XmlWriter *writer)
{
    xml_writer_open(writer, "link");
    xml_writer_attr_string(writer, "validity", validity);
    if (port)
        xml_writer_attr(writer, "port", "%u", *port);
    xml_writer_attr_string(writer, "speed", link->speed);
    xml_writer_attr(writer, "width", "%u", link->width);
    xml_writer_close(writer);
}

static void write_express(const PciConfig *config, XmlWriter *writer)
{
    PciExpress express;

    if (!pci_config_express(config, &express))
        return;
    xml_writer_open(writer, "pci-express");
    if (express.has_link) {
        write_link("cap", &express.port, &express.capable, writer);
        write_link("sta", NULL, &express.actual, writer);
    }
    xml_writer_close(writer);
}

static void pci_format(const SysDevice *device, XmlWriter *writer)
{
    PciConfig config;
    uint64_t node;

    pci_config_read(device, &config);
    write_place(device, writer);
    write_names(device, writer);
    write_functions(device, writer);
    write_bridge(&config, writer);
    mdev_types_format(device, writer);
    write_vpd(device, writer);
    write_iommu_group(device, writer);
    /* Without a node the attribute is -1, which is no number here. */
    if (sys_attr_number(device, "numa_node", 10, &node)) {
        xml_writer_open(writer, "numa");
        xml_writer_attr(writer, "node", "%u", (unsigned)node);
        xml_writer_close(writer);
    }
    write_express(&config, writer);
}

static const DeviceKind kinds[] = {
    {
        .subsystem = "pci",
        .prefix = "pci",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV,
        .identify = pci_identify,
        .traits = pci_traits,
        .format = pci_format,
    },
};

const KindTable pci_kinds = { kinds, G_N_ELEMENTS(kinds) };
