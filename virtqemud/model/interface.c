/* <interface>: of type user so far. */
#include "virtqemud/model/interface.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/fields.h"

/* Names that the daemon gives its own devices: never those of a definition. */
#define GENERATED_TARGET_PREFIX "vnet"
#define MODEL_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_"

static const char *const type_names[] = {
    "user",     "ethernet", "vhostuser", "server", "client", "mcast", "network", "bridge",
    "internal", "direct",   "hostdev",   "udp",    "vdpa",   "null",  "vds",
};
static const char *const link_names[N_LINK_STATES] = { NULL, "up", "down" };
static const char *const family_names[] = { NULL, "ipv4", "ipv6" };

static const char *const mac_type_names[] = { NULL, "generated", "static" };
static const char *const driver_names[] = { NULL, "qemu", "vhost" };
static const char *const tx_mode_names[] = { NULL, "iothread", "timer" };

static const Field interface_fields[] = {
    FIELD("trustGuestRxFilters", FIELD_YES_NO, InterfaceDef, trust_guest_rx_filters),
};

static const Field mac_fields[] = {
    FIELD_NAMED("type", InterfaceDef, mac_type, mac_type_names),
    FIELD("check", FIELD_YES_NO, InterfaceDef, mac_check),
};

static const Field driver_fields[] = {
    FIELD_NAMED("name", InterfaceDef, driver, driver_names),
    FIELD_NAMED("txmode", InterfaceDef, tx_mode, tx_mode_names),
    FIELD("ioeventfd", FIELD_ON_OFF, InterfaceDef, io_event_fd),
    FIELD("event_idx", FIELD_ON_OFF, InterfaceDef, event_idx),
    FIELD("queues", FIELD_UINT, InterfaceDef, queues),
    FIELD("rx_queue_size", FIELD_UINT, InterfaceDef, rx_queue_size),
    FIELD("tx_queue_size", FIELD_UINT, InterfaceDef, tx_queue_size),
    VIRTIO_FIELDS(InterfaceDef, virtio),
};

static void interface_ip_free(void *data)
{
    InterfaceIp *ip = data;

    g_free(ip->address);
    g_free(ip->family);
    g_free(ip->peer);
    g_free(ip);
}

void interface_def_free(InterfaceDef *interface)
{
    if (!interface)
        return;
    device_info_clear(&interface->info);
    g_free(interface->model);
    g_free(interface->guest_name);
    g_free(interface->target);
    g_clear_pointer(&interface->ips, g_ptr_array_unref);
    g_free(interface);
}

static bool type_parse(const XmlNode *node, InterfaceDef *interface, GError **error)
{
    int type = INTERFACE_USER;

    if (!xml_attr_enum(node, "type", XML_OPTIONAL, type_names, G_N_ELEMENTS(type_names),
                       INTERFACE_USER, &type, error))
        return false;
    if (type != INTERFACE_USER)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "interface type '%s' is not supported",
                          type_names[type]);
    return fields_parse(interface_fields, G_N_ELEMENTS(interface_fields), node, interface, error);
}

/* Group addresses would make a guest deaf, so they are refused here and not by QEMU. */
static bool mac_attr_parse(const XmlNode *node, InterfaceDef *interface, GError **error)
{
    const char *text = node ? xml_node_attr(node, "address") : NULL;

    if (node && !fields_parse(mac_fields, G_N_ELEMENTS(mac_fields), node, interface, error))
        return false;
    if (!text) {
        mac_generate(&interface->mac);
        interface->is_mac_generated = true;
        return true;
    }
    if (!mac_parse(text, &interface->mac, NULL))
        return model_fail(error, VIR_ERR_XML_ERROR, "unable to parse mac address '%.64s'", text);
    if (mac_is_multicast(&interface->mac))
        return model_fail(error, VIR_ERR_XML_ERROR,
                          "expected unicast mac address, found multicast '%.64s'", text);
    return true;
}

/* An attribute of a child element; NULL when either is missing or the value is empty. */
static char *child_attr(const XmlNode *node, const char *child, const char *name)
{
    const XmlNode *element = xml_node_first(node, child);
    const char *value = element ? xml_node_attr(element, name) : NULL;

    return value && *value != '\0' ? g_strdup(value) : NULL;
}

static bool link_parse(const XmlNode *node, InterfaceDef *interface, GError **error)
{
    g_autofree char *state = child_attr(node, "link", "state");
    int value = LINK_DEFAULT;

    if (state && !ENUM_FROM_NAME(link_names, state, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown interface link state '%.64s'",
                          state);
    interface->link = value;
    return true;
}

/* Sets @ret_family to the place in family_names; what is not a family name is guessed from the
 * address, as it always was. */
static bool ip_family(const char *address, const char *given, int *ret_family)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;

    if (g_strcmp0(given, "ipv6") != 0 && inet_pton(AF_INET, address, &ipv4) == 1)
        *ret_family = 1;
    else if (g_strcmp0(given, "ipv4") != 0 && inet_pton(AF_INET6, address, &ipv6) == 1)
        *ret_family = 2;
    else
        return false;
    return true;
}

static bool ip_parse(const XmlNode *node, InterfaceIp *ip, GError **error)
{
    const char *address = xml_node_attr(node, "address");
    const char *prefix = xml_node_attr(node, "prefix");
    int family = 0;

    if (!address)
        return model_fail(error, VIR_ERR_XML_ERROR, "Missing required address in <ip>");
    if (!ip_family(address, xml_node_attr(node, "family"), &family))
        return model_fail(error, VIR_ERR_XML_ERROR, "Invalid address '%.64s' in <ip>", address);
    if (!xml_attr_uint(node, "prefix", XML_OPTIONAL, 0, &ip->prefix, NULL) ||
        ip->prefix > (family == 1 ? 32 : 128))
        return model_fail(error, VIR_ERR_XML_ERROR, "Invalid prefix value '%.64s' in <ip>", prefix);
    ip->address = g_strdup(address);
    ip->family = g_strdup(family_names[family]);
    ip->peer = g_strdup(xml_node_attr(node, "peer"));
    return true;
}

static bool ips_parse(const XmlNode *node, InterfaceDef *interface, GError **error)
{
    for (const XmlNode *child = xml_node_first(node, "ip"); child;
         child = xml_node_next(child, "ip")) {
        InterfaceIp *ip = g_new0(InterfaceIp, 1);

        if (!interface->ips)
            interface->ips = g_ptr_array_new_with_free_func(interface_ip_free);
        g_ptr_array_add(interface->ips, ip);
        if (!ip_parse(child, ip, error))
            return false;
    }
    return true;
}

/* The card and what the guest sees of it. */
static bool guest_side_parse(const XmlNode *node, InterfaceDef *interface, GError **error)
{
    const XmlNode *driver = xml_node_first(node, "driver");
    const XmlNode *mtu = xml_node_first(node, "mtu");

    interface->model = child_attr(node, "model", "type");
    if (interface->model && interface->model[strspn(interface->model, MODEL_CHARS)] != '\0')
        return model_fail(error, VIR_ERR_INVALID_ARG, "Model name contains invalid characters");
    interface->guest_name = child_attr(node, "guest", "dev");
    if (mtu && !xml_attr_uint(mtu, "size", XML_OPTIONAL, 0, &interface->mtu, NULL))
        return model_fail(error, VIR_ERR_XML_ERROR, "malformed mtu size");
    /* Only virtio cards have what a driver could be told. */
    return !driver || !interface->model || !g_str_has_prefix(interface->model, "virtio") ||
           fields_parse(driver_fields, G_N_ELEMENTS(driver_fields), driver, interface, error);
}

bool interface_def_parse(const XmlNode *node, DomainParseFlags flags, InterfaceDef **ret_interface,
                         GError **error)
{
    g_autoptr(InterfaceDef) interface = g_new0(InterfaceDef, 1);

    if (!type_parse(node, interface, error) ||
        !mac_attr_parse(xml_node_first(node, "mac"), interface, error) ||
        !guest_side_parse(node, interface, error) || !link_parse(node, interface, error) ||
        !ips_parse(node, interface, error) ||
        !device_info_parse(node, flags, &interface->info, error))
        return false;
    interface->target = child_attr(node, "target", "dev");
    if ((flags & DOMAIN_PARSE_INACTIVE) && interface->target &&
        g_str_has_prefix(interface->target, GENERATED_TARGET_PREFIX))
        g_clear_pointer(&interface->target, g_free);
    if (interface->queues == 1)
        interface->queues = 0;
    *ret_interface = g_steal_pointer(&interface);
    return true;
}

static void ip_format(const InterfaceIp *ip, XmlWriter *writer)
{
    xml_writer_open(writer, "ip");
    xml_writer_attr_string(writer, "address", ip->address);
    xml_writer_attr_string(writer, "family", ip->family);
    if (ip->prefix != 0)
        xml_writer_attr(writer, "prefix", "%u", ip->prefix);
    xml_writer_attr_string(writer, "peer", ip->peer);
    xml_writer_close(writer);
}

/* An element that has one attribute at most; nothing without it. */
static void small_element(XmlWriter *writer, const char *element, const char *name,
                          const char *value)
{
    if (!value)
        return;
    xml_writer_open(writer, element);
    xml_writer_attr_string(writer, name, value);
    xml_writer_close(writer);
}

void interface_def_format(const InterfaceDef *interface, XmlWriter *writer, DomainFormatFlags flags)
{
    char mac[MAC_TEXT_SIZE];

    xml_writer_open(writer, "interface");
    xml_writer_attr_string(writer, "type", type_names[interface->type]);
    fields_format(interface_fields, G_N_ELEMENTS(interface_fields), interface, writer);
    xml_writer_open(writer, "mac");
    xml_writer_attr_string(writer, "address", mac_format(&interface->mac, mac));
    fields_format(mac_fields, G_N_ELEMENTS(mac_fields), interface, writer);
    xml_writer_close(writer);
    for (guint i = 0; interface->ips && i < interface->ips->len; i++)
        ip_format(g_ptr_array_index(interface->ips, i), writer);
    small_element(writer, "target", "dev", interface->target);
    small_element(writer, "guest", "dev", interface->guest_name);
    small_element(writer, "model", "type", interface->model);
    fields_format_element("driver", driver_fields, G_N_ELEMENTS(driver_fields), interface, writer);
    small_element(writer, "link", "state", link_names[interface->link]);
    if (interface->mtu != 0) {
        xml_writer_open(writer, "mtu");
        xml_writer_attr(writer, "size", "%u", interface->mtu);
        xml_writer_close(writer);
    }
    device_info_format_boot(&interface->info, writer);
    device_info_format(&interface->info, writer, flags);
    xml_writer_close(writer);
}

/* QEMU's user mode network has one guest network of each family. */
static bool ips_validate(const InterfaceDef *interface, GError **error)
{
    unsigned n_ipv4 = 0, n_ipv6 = 0;

    for (guint i = 0; interface->ips && i < interface->ips->len; i++) {
        const InterfaceIp *ip = g_ptr_array_index(interface->ips, i);

        if (ip->peer)
            return model_fail_qemu(error, "Invalid attempt to set peer IP for guest");
        if (strcmp(ip->family, "ipv4") == 0 && n_ipv4++ > 0)
            return model_fail_qemu(error, "Only one IPv4 address per interface is allowed");
        if (strcmp(ip->family, "ipv6") == 0 && n_ipv6++ > 0)
            return model_fail_qemu(error, "Only one IPv6 address per interface is allowed");
    }
    return true;
}

bool interface_def_validate(const InterfaceDef *interface, GError **error)
{
    if (interface->mtu != 0)
        return model_fail_qemu(error, "setting MTU on interface type user is not supported yet");
    if (interface->rx_queue_size & (interface->rx_queue_size - 1))
        return model_fail_qemu(error, "rx_queue_size has to be a power of two");
    if (interface->tx_queue_size & (interface->tx_queue_size - 1))
        return model_fail_qemu(error, "tx_queue_size has to be a power of two");
    return ips_validate(interface, error);
}
