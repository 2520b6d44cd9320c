/* The devices of mainframes: subchannels, what is behind them, groups of those (kernel:
 * Documentation/arch/s390/driver-model.rst), and adjunct processors (vfio-ap.rst). */
#include <stdio.h>

#include "virtnodedevd/kind.h"
#include "virtnodedevd/mdev_types.h"
#include "wire/api_nodedev.h"

typedef struct ChannelAddress {
    unsigned cssid, ssid, devno;
} ChannelAddress;

static bool parse_address(const char *text, ChannelAddress *ret_address)
{
    int end = 0;

    return g_ascii_isxdigit(*text) &&
           sscanf(text, "%2x.%1x.%4x%n", &ret_address->cssid, &ret_address->ssid,
                  &ret_address->devno, &end) == 3 &&
           text[end] == '\0';
}

static void write_address(const char *text, XmlWriter *writer)
{
    ChannelAddress address;

    if (!parse_address(text, &address))
        return;
    xml_writer_element(writer, "cssid", "0x%x", address.cssid);
    xml_writer_element(writer, "ssid", "0x%x", address.ssid);
    xml_writer_element(writer, "devno", "0x%04x", address.devno);
}

static bool channel_identify(const SysDevice *device, GString *suffix)
{
    ChannelAddress address;

    g_string_append(suffix, device->name);
    return parse_address(device->name, &address);
}

/* Subchannels of other drivers carry no devices. */
static bool subchannel_identify(const SysDevice *device, GString *suffix)
{
    return channel_identify(device, suffix) &&
           (g_strcmp0(device->driver, "io_subchannel") == 0 ||
            g_strcmp0(device->driver, "vfio_ccw") == 0);
}

static unsigned mdev_traits(const SysDevice *device)
{
    return mdev_types_exist(device) ? VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES : 0;
}

static void subchannel_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *channel_device = sys_attr(device, "dev_busid");
    ChannelAddress address;

    write_address(device->name, writer);
    if (channel_device && parse_address(channel_device, &address)) {
        xml_writer_open(writer, "channel_dev_addr");
        write_address(channel_device, writer);
        xml_writer_close(writer);
    }
    mdev_types_format(device, writer);
}

static void write_state(const SysDevice *device, XmlWriter *writer)
{
    uint64_t online;

    if (sys_attr_number(device, "online", 10, &online))
        xml_writer_element_string(writer, "state", online ? "online" : "offline");
}

static unsigned ccw_traits(const SysDevice *device)
{
    return sys_has(device, "group_device") ? VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_MEMBER : 0;
}

static void ccw_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *group = sys_link_name(device, "group_device");
    g_autofree char *group_name = group ? kind_make_name("ccwgroup", group) : NULL;

    write_state(device, writer);
    write_address(device->name, writer);
    if (!group)
        return;
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "ccwgroup_member");
    xml_writer_element_string(writer, "group_device", group_name);
    xml_writer_close(writer);
}

/* Links "cdev0", "cdev1", … lead to the members. */
static void write_members(const SysDevice *device, XmlWriter *writer)
{
    g_autoptr(GPtrArray) names = sys_list(device, "");
    bool is_open = false;

    for (guint i = 0; i < names->len; i++) {
        const char *reference = names->pdata[i];
        g_autofree char *member = NULL;
        g_autofree char *member_name = NULL;

        if (!g_str_has_prefix(reference, "cdev"))
            continue;
        member = sys_link_name(device, reference);
        if (!member)
            continue;
        if (!is_open)
            xml_writer_open(writer, "members");
        is_open = true;
        member_name = kind_make_name("ccw", member);
        xml_writer_open(writer, "ccw_device");
        xml_writer_attr_string(writer, "ref", reference);
        xml_writer_text(writer, member_name);
        xml_writer_close(writer);
    }
    if (is_open)
        xml_writer_close(writer);
}

static void group_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *card = sys_attr(device, "card_type");
    g_autofree char *path_id = sys_attr(device, "chpid");

    write_state(device, writer);
    write_address(device->name, writer);
    write_members(device, writer);
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", device->devtype ? device->devtype : "qeth_generic");
    xml_writer_element_string(writer, "card_type", card ? card : "");
    xml_writer_element_string(writer, "chpid", path_id ? path_id : "");
    xml_writer_close(writer);
}

/* Only network cards are told of (the schema knows no other groups). */
static bool group_identify(const SysDevice *device, GString *suffix)
{
    return channel_identify(device, suffix) && device->devtype &&
           g_str_has_prefix(device->devtype, "qeth_");
}

static void card_format(const SysDevice *device, XmlWriter *writer)
{
    unsigned adapter = 0;

    if (sscanf(device->name, "card%2x", &adapter) == 1)
        xml_writer_element(writer, "ap-adapter", "0x%02x", adapter);
}

static void queue_format(const SysDevice *device, XmlWriter *writer)
{
    unsigned adapter = 0, domain = 0;

    if (sscanf(device->name, "%2x.%4x", &adapter, &domain) != 2)
        return;
    xml_writer_element(writer, "ap-adapter", "0x%02x", adapter);
    xml_writer_element(writer, "ap-domain", "0x%04x", domain);
}

static void matrix_format(const SysDevice *device, XmlWriter *writer)
{
    mdev_types_format(device, writer);
}

/* There is one, called "matrix" by its bus: it is told by the names of crypto devices. */
static bool matrix_identify(const SysDevice *device, GString *suffix)
{
    g_string_append(suffix, device->name);
    return g_str_equal(device->name, "matrix");
}

static const DeviceKind kinds[] = {
    {
        .subsystem = "css",
        .prefix = "css",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_CSS_DEV,
        .identify = subchannel_identify,
        .traits = mdev_traits,
        .format = subchannel_format,
    },
    {
        .subsystem = "ccw",
        .prefix = "ccw",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCW_DEV,
        .identify = channel_identify,
        .traits = ccw_traits,
        .format = ccw_format,
    },
    {
        .subsystem = "ccwgroup",
        .prefix = "ccwgroup",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_DEV,
        .identify = group_identify,
        .format = group_format,
    },
    {
        .subsystem = "ap",
        .devtype = "ap_card",
        .prefix = "ap",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_CARD,
        .format = card_format,
    },
    {
        .subsystem = "ap",
        .devtype = "ap_queue",
        .prefix = "ap",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_QUEUE,
        .format = queue_format,
    },
    {
        .subsystem = "matrix",
        .prefix = "ap",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_MATRIX,
        .identify = matrix_identify,
        .traits = mdev_traits,
        .format = matrix_format,
    },
};

const KindTable channel_kinds = { kinds, G_N_ELEMENTS(kinds) };
