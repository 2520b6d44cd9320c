/* Network interfaces (kernel: Documentation/ABI/testing/sysfs-class-net). */
#include "virtnodedevd/kind.h"
#include "virtnodedevd/net_features.h"
#include "wire/api_nodedev.h"

#define WIRELESS "wlan"

/* Bridges, bonds, VLANs and their like have a type of their own. They are the host's
 * configuration and none of its devices: existing daemons do not list them. */
static bool is_device(const SysDevice *device)
{
    return !device->devtype || g_str_equal(device->devtype, WIRELESS);
}

/* The hardware address keeps interfaces apart that take each other's name; there are interfaces
 * without one. */
static bool net_identify(const SysDevice *device, GString *suffix)
{
    g_autofree char *address = sys_attr(device, "address");

    g_string_append(suffix, device->name);
    if (address && *address)
        g_string_append_printf(suffix, "_%s", address);
    return is_device(device);
}

/* The kernel tells a speed only of a link that is up, and -1 when it does not know it. */
static void write_link(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *state = sys_attr(device, "operstate");
    uint64_t speed;

    if (!state)
        return;
    xml_writer_open(writer, "link");
    if (g_str_equal(state, "up") && sys_attr_number(device, "speed", 10, &speed) && speed > 0)
        xml_writer_attr(writer, "speed", "%u", (unsigned)speed);
    xml_writer_attr_string(writer, "state", state);
    xml_writer_close(writer);
}

static void net_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *address = sys_attr(device, "address");
    bool is_wireless = g_strcmp0(device->devtype, WIRELESS) == 0;

    xml_writer_element_string(writer, "interface", device->name);
    if (address && *address)
        xml_writer_element_string(writer, "address", address);
    write_link(device, writer);
    net_features_format(device, writer);
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", is_wireless ? "80211" : "80203");
    xml_writer_close(writer);
}

static const DeviceKind kinds[] = {
    {
        .subsystem = "net",
        .prefix = "net",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET,
        .identify = net_identify,
        .format = net_format,
    },
};

const KindTable net_kinds = { kinds, G_N_ELEMENTS(kinds) };
