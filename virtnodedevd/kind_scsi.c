/* SCSI hosts, targets, devices and their generic nodes (kernel: Documentation/scsi,
 * Documentation/ABI/testing/sysfs-class-scsi_host, sysfs-class-fc_host). */
#include "virtnodedevd/kind.h"

#include <stdio.h>
#include <string.h>

#include "virtnodedevd/fc_host.h"
#include "wire/api_nodedev.h"

static unsigned host_traits(const SysDevice *device)
{
    return (fc_host_exists(device) ? VIR_CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST : 0) |
           (fc_host_has_vports(device) ? VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS : 0);
}

/* "host3" is shown below its bus, and as "scsi_host/host3" below its class: the former counts. */
static bool host_identify(const SysDevice *device, GString *suffix)
{
    g_string_append(suffix, device->name);
    return g_str_has_prefix(device->name, "host");
}

static void host_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *class_id = g_strdup_printf("scsi_host/%s/unique_id", device->name);
    uint64_t unique_id;

    xml_writer_element_string(writer, "host", device->name + strlen("host"));
    if (sys_attr_number(device, class_id, 10, &unique_id))
        xml_writer_element(writer, "unique_id", "%u", (unsigned)unique_id);
    fc_host_format(device, writer);
}

static bool target_identify(const SysDevice *device, GString *suffix)
{
    g_string_append(suffix, device->name);
    return g_str_has_prefix(device->name, "target");
}

static void target_format(const SysDevice *device, XmlWriter *writer)
{
    xml_writer_element_string(writer, "target", device->name);
    fc_remote_port_format(device, writer);
}

static bool parse_place(const char *name, unsigned place[static 4])
{
    int end = 0;

    return sscanf(name, "%u:%u:%u:%u%n", &place[0], &place[1], &place[2], &place[3], &end) == 4 &&
           name[end] == '\0';
}

static bool scsi_identify(const SysDevice *device, GString *suffix)
{
    unsigned place[4];

    g_string_append(suffix, device->name);
    return parse_place(device->name, place);
}

/* The types of devices (SCSI Primary Commands, "peripheral device type") that have names. */
static const char *type_name(uint64_t type)
{
    static const char *const names[] = {
        [0] = "disk",     [1] = "tape",    [3] = "processor", [4] = "worm",
        [5] = "cdrom",    [6] = "scanner", [7] = "mod",       [8] = "changer",
        [0xc] = "raid",   [0xd] = "enclosure", [0xe] = "rbc",
    };

    return type < G_N_ELEMENTS(names) ? names[type] : NULL;
}

static void scsi_format(const SysDevice *device, XmlWriter *writer)
{
    static const char *const elements[] = { "host", "bus", "target", "lun" };
    unsigned place[4] = { 0 };
    uint64_t type;

    parse_place(device->name, place);
    for (size_t i = 0; i < G_N_ELEMENTS(elements); i++)
        xml_writer_element(writer, elements[i], "%u", place[i]);
    if (sys_attr_number(device, "type", 10, &type))
        xml_writer_element_string(writer, "type", type_name(type));
}

static void generic_format(const SysDevice *device, XmlWriter *writer)
{
    xml_writer_element(writer, "char", "/dev/%s", device->devname ? device->devname : device->name);
}

static const DeviceKind kinds[] = {
    {
        .subsystem = "scsi",
        .devtype = "scsi_host",
        .prefix = "scsi",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST,
        .identify = host_identify,
        .traits = host_traits,
        .format = host_format,
    },
    {
        .subsystem = "scsi",
        .devtype = "scsi_target",
        .prefix = "scsi",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_TARGET,
        .identify = target_identify,
        .format = target_format,
    },
    {
        .subsystem = "scsi",
        .devtype = "scsi_device",
        .prefix = "scsi",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI,
        .identify = scsi_identify,
        .format = scsi_format,
    },
    {
        .subsystem = "scsi_generic",
        .prefix = "scsi_generic",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_GENERIC,
        .format = generic_format,
    },
};

const KindTable scsi_kinds = { kinds, G_N_ELEMENTS(kinds) };
