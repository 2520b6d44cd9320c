/* An entry for each element, in the order of the schema; elements that are part of others come before
 * those. */
#include "virtnodedevd/device_schema.h"

#include <string.h>

#include "xml/schema_types.h"

#define MAY_MISS .rules = XML_SCHEMA_MAY_MISS
#define MAY_REPEAT .rules = XML_SCHEMA_MAY_MISS | XML_SCHEMA_MAY_REPEAT
#define SEVERAL .rules = XML_SCHEMA_MAY_REPEAT
#define PAIRED .rules = XML_SCHEMA_PAIRED

static bool is_path(const char *text)
{
    return text[0] == '/' && text[1] &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/%") ==
               strlen(text);
}

static bool is_pci_class(const char *text)
{
    return xml_is_hex_digits(text, 6, 6);
}

/* Digits, and perhaps any character and more digits. */
static bool is_speed(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;

    if (whole == 0 || *rest == '\0')
        return whole > 0;
    rest = g_utf8_next_char(rest);
    return *rest && rest[strspn(rest, "0123456789")] == '\0' && !strchr("\r\n", text[whole]);
}

static bool is_feature(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") ==
                        strlen(text);
}

static bool is_uint8(const char *text)
{
    return xml_is_hex_digits(text, 1, 2) || xml_is_number_up_to(text, 255);
}

static bool is_ap_domain(const char *text)
{
    return xml_is_hex_digits(text, 1, 4) || xml_is_number_up_to(text, 255);
}

/* All but 255. */
static bool is_cssid(const char *text)
{
    return (xml_is_hex_digits(text, 1, 2) && g_ascii_strcasecmp(text, "0xff") != 0) ||
           xml_is_number_up_to(text, 254);
}

static bool is_ssid(const char *text)
{
    text += g_str_has_prefix(text, "0x") ? 2 : 0;
    return text[0] >= '0' && text[0] <= '3' && text[1] == '\0';
}

static bool is_devno(const char *text)
{
    return xml_is_hex_digits(text, 1, 4) || xml_is_number_up_to(text, 65535);
}

static bool is_vpd_value(const char *text)
{
    return g_utf8_strlen(text, -1) <= 255 && !strpbrk(text, "\r\n");
}

static bool is_index(const char *text)
{
    return (g_ascii_isdigit(*text) || g_ascii_isupper(*text)) && text[1] == '\0';
}

static bool is_system_index(const char *text)
{
    return is_index(text) && *text != 'A';
}

static const XmlSchemaAttr numbered[] = {
    { .name = "number", .is_required = true, .check = xml_is_unsigned_int },
    { NULL },
};

static const XmlSchemaAttr identified[] = {
    { .name = "id", .is_required = true, .check = xml_is_hexuint },
    { NULL },
};

static const XmlSchemaAttr typed[] = {
    { .name = "id", .is_required = true },
    { NULL },
};

static const XmlSchemaAttr address_attrs[] = {
    { .name = "domain", .is_required = true, .check = xml_is_hexuint },
    { .name = "bus", .is_required = true, .check = xml_is_hexuint },
    { .name = "slot", .is_required = true, .check = xml_is_hexuint },
    { .name = "function", .is_required = true, .check = xml_is_hexuint },
    { NULL },
};

#define ADDRESS .name = "address", .attrs = address_attrs, .check = xml_is_empty

static const XmlSchemaElement one_address[] = { { ADDRESS, MAY_MISS }, { NULL } };
static const XmlSchemaElement addresses[] = { { ADDRESS, MAY_REPEAT }, { NULL } };
static const XmlSchemaElement group_addresses[] = { { ADDRESS, SEVERAL }, { NULL } };

static const XmlSchemaElement mdev_type[] = {
    { .name = "name", .place = 0, MAY_MISS },
    { .name = "deviceAPI", .place = 1, .values = "vfio-pci vfio-ccw vfio-ap" },
    { .name = "availableInstances", .place = 2, .check = xml_is_unsigned_int },
    { NULL },
};

static const XmlSchemaElement mdev_types[] = {
    { .name = "type", .attrs = typed, .children = mdev_type, SEVERAL },
    { NULL },
};

#define CAPABILITY(TYPES) .name = "capability", .key = "type", .types = TYPES
#define MDEV_TYPES CAPABILITY("mdev_types"), .children = mdev_types, MAY_MISS

static const XmlSchemaAttr vendor_index[] = {
    { .name = "index", .is_required = true, .check = is_index },
    { NULL },
};

static const XmlSchemaAttr system_index[] = {
    { .name = "index", .is_required = true, .check = is_system_index },
    { NULL },
};

static const XmlSchemaElement read_only_fields[] = {
    { .name = "change_level", .place = 0, MAY_MISS, .check = is_vpd_value },
    { .name = "manufacture_id", .place = 1, MAY_MISS, .check = is_vpd_value },
    { .name = "part_number", .place = 2, MAY_MISS, .check = is_vpd_value },
    { .name = "serial_number", .place = 3, MAY_MISS, .check = is_vpd_value },
    { .name = "vendor_field", .place = 4, MAY_REPEAT, .attrs = vendor_index, .check = is_vpd_value },
    { NULL },
};

static const XmlSchemaElement read_write_fields[] = {
    { .name = "asset_tag", .place = 0, MAY_MISS, .check = is_vpd_value },
    { .name = "vendor_field", .place = 1, MAY_REPEAT, .attrs = vendor_index, .check = is_vpd_value },
    { .name = "system_field", .place = 2, MAY_REPEAT, .attrs = system_index, .check = is_vpd_value },
    { NULL },
};

#define FIELDS(ACCESS) .name = "fields", .key = "access", .types = ACCESS, MAY_MISS

static const XmlSchemaElement vpd[] = {
    { .name = "name", .place = 0, .check = is_vpd_value },
    { FIELDS("readonly"), .place = 1, .children = read_only_fields },
    { FIELDS("readwrite"), .place = 2, .children = read_write_fields },
    { NULL },
};

static const XmlSchemaAttr numa_attrs[] = { { .name = "node", .check = xml_is_int }, { NULL } };

static const XmlSchemaAttr express_link_attrs[] = {
    { .name = "validity", .is_required = true, .values = "cap sta" },
    { .name = "port", .check = xml_is_unsigned_int },
    { .name = "speed", .check = is_speed },
    { .name = "width", .is_required = true, .check = xml_is_unsigned_int },
    { NULL },
};

static const XmlSchemaElement express_links[] = {
    { .name = "link", MAY_REPEAT, .attrs = express_link_attrs, .check = xml_is_empty },
    { NULL },
};

static const XmlSchemaAttr max_count[] = {
    { .name = "maxCount", .check = xml_is_unsigned_int },
    { NULL },
};

static const XmlSchemaElement pci[] = {
    { .name = "class", .place = 0, MAY_MISS, .check = is_pci_class },
    { .name = "domain", .place = 1, .check = xml_is_unsigned_long },
    { .name = "bus", .place = 2, .check = xml_is_unsigned_long },
    { .name = "slot", .place = 3, .check = xml_is_unsigned_long },
    { .name = "function", .place = 4, .check = xml_is_unsigned_long },
    { .name = "product", .place = 5, .attrs = identified },
    { .name = "vendor", .place = 6, .attrs = identified },
    { CAPABILITY("phys_function"), .place = 7, MAY_MISS, .children = one_address },
    { CAPABILITY("virt_functions"), .place = 8, MAY_MISS, .attrs = max_count,
      .children = addresses },
    { CAPABILITY("pci-bridge cardbus-bridge"), .place = 9, MAY_MISS, .check = xml_is_empty },
    { MDEV_TYPES, .place = 10 },
    { CAPABILITY("vpd"), .place = 11, MAY_MISS, .children = vpd },
    { .name = "iommuGroup", .place = 12, MAY_MISS, .attrs = numbered, .children = group_addresses },
    { .name = "numa", .place = 13, MAY_MISS, .attrs = numa_attrs, .check = xml_is_empty },
    { .name = "pci-express", .place = 14, MAY_MISS, .children = express_links },
    { NULL },
};

static const XmlSchemaElement hardware[] = {
    { .name = "vendor", .place = 0, MAY_MISS },
    { .name = "version", .place = 1, MAY_MISS },
    { .name = "serial", .place = 2, MAY_MISS },
    { .name = "uuid", .place = 3, .check = xml_is_uuid },
    { NULL },
};

static const XmlSchemaElement firmware[] = {
    { .name = "vendor", .place = 0, MAY_MISS },
    { .name = "version", .place = 1, MAY_MISS },
    { .name = "release_date", .place = 2, MAY_MISS },
    { NULL },
};

static const XmlSchemaElement computer[] = {
    { .name = "product", .place = 0, MAY_MISS },
    { .name = "hardware", .place = 1, .children = hardware },
    { .name = "firmware", .place = 2, .children = firmware },
    { NULL },
};

static const XmlSchemaElement usb_device[] = {
    { .name = "bus", .place = 0, .check = xml_is_unsigned_long },
    { .name = "device", .place = 1, .check = xml_is_unsigned_long },
    { .name = "product", .place = 2, .attrs = identified },
    { .name = "vendor", .place = 3, .attrs = identified },
    { NULL },
};

static const XmlSchemaElement usb_interface[] = {
    { .name = "number", .place = 0, .check = xml_is_unsigned_long },
    { .name = "class", .place = 1, .check = xml_is_unsigned_long },
    { .name = "subclass", .place = 2, .check = xml_is_unsigned_long },
    { .name = "protocol", .place = 3, .check = xml_is_unsigned_long },
    { .name = "description", .place = 4, MAY_MISS },
    { NULL },
};

static const XmlSchemaAttr link_attrs[] = {
    { .name = "speed", .check = xml_is_unsigned_int },
    { .name = "state",
      .values = "unknown notpresent down lowerlayerdown testing dormant up" },
    { NULL },
};

static const XmlSchemaAttr feature_attrs[] = {
    { .name = "name", .is_required = true, .check = is_feature },
    { NULL },
};

static const XmlSchemaElement net[] = {
    { .name = "interface", .place = 0 },
    { .name = "address", .place = 1, MAY_MISS, .check = xml_is_mac },
    { .name = "link", .place = 2, MAY_MISS, .attrs = link_attrs, .check = xml_is_empty },
    { .name = "feature", .place = 3, MAY_REPEAT, .attrs = feature_attrs, .check = xml_is_empty },
    { CAPABILITY("80203 80211"), .place = 4, MAY_REPEAT, .check = xml_is_empty },
    { NULL },
};

static const XmlSchemaElement scsi_generic[] = { { .name = "char" }, { NULL } };

static const XmlSchemaElement fc_host[] = {
    { .name = "wwnn", .place = 0, .check = xml_is_wwn },
    { .name = "wwpn", .place = 1, .check = xml_is_wwn },
    { .name = "fabric_wwn", .place = 2, MAY_MISS, .check = xml_is_wwn },
    { NULL },
};

static const XmlSchemaElement vport_ops[] = {
    { .name = "max_vports", .place = 0, .check = xml_is_unsigned_int },
    { .name = "vports", .place = 1, .check = xml_is_unsigned_int },
    { NULL },
};

static const XmlSchemaElement scsi_host[] = {
    { .name = "host", .place = 0, .check = xml_is_unsigned_long },
    { .name = "unique_id", .place = 1, MAY_MISS, .check = xml_is_unsigned_int },
    { CAPABILITY("fc_host"), .place = 2, MAY_REPEAT, .children = fc_host },
    { CAPABILITY("vport_ops"), .place = 2, MAY_REPEAT, .children = vport_ops },
    { NULL },
};

static const XmlSchemaElement fc_remote_port[] = {
    { .name = "rport", .place = 0 },
    { .name = "wwpn", .place = 1, .check = xml_is_wwn },
    { NULL },
};

static const XmlSchemaElement scsi_target[] = {
    { .name = "target", .place = 0 },
    { CAPABILITY("fc_remote_port"), .place = 1, MAY_MISS, .children = fc_remote_port },
    { NULL },
};

static const XmlSchemaElement scsi[] = {
    { .name = "host", .place = 0, .check = xml_is_unsigned_long },
    { .name = "bus", .place = 1, .check = xml_is_unsigned_long },
    { .name = "target", .place = 2, .check = xml_is_unsigned_long },
    { .name = "lun", .place = 3, .check = xml_is_unsigned_long },
    { .name = "type", .place = 4, MAY_MISS },
    { NULL },
};

#define LOGICAL_BLOCKS \
    .name = "logical_block_size", MAY_MISS, .check = xml_is_unsigned_long
#define N_BLOCKS .name = "num_blocks", PAIRED, .check = xml_is_unsigned_long

static const XmlSchemaElement removable[] = {
    { .name = "media_available", .place = 0, .values = "0 1" },
    { .name = "media_size", .place = 1, .check = xml_is_unsigned_long },
    { .name = "media_label", .place = 2, MAY_MISS },
    { LOGICAL_BLOCKS, .place = 3 },
    { N_BLOCKS, .place = 4 },
    { NULL },
};

#define STORAGE \
    { .name = "block", .place = 0, .check = is_path }, \
    { .name = "bus", .place = 1, MAY_MISS }, \
    { .name = "drive_type", .place = 2, MAY_MISS }, \
    { .name = "model", .place = 3, MAY_MISS }, \
    { .name = "vendor", .place = 4, MAY_MISS }, \
    { .name = "serial", .place = 5, MAY_MISS }
#define HOTPLUGGABLE CAPABILITY("hotpluggable"), MAY_MISS, .check = xml_is_empty

static const XmlSchemaElement removable_storage[] = {
    STORAGE,
    { CAPABILITY("removable"), .place = 6, .children = removable },
    { HOTPLUGGABLE, .place = 7 },
    { NULL },
};

static const XmlSchemaElement fixed_storage[] = {
    STORAGE,
    { .name = "size", .place = 6, .check = xml_is_unsigned_long },
    { LOGICAL_BLOCKS, .place = 7 },
    { N_BLOCKS, .place = 8 },
    { HOTPLUGGABLE, .place = 9 },
    { NULL },
};

static const XmlSchemaElement drm[] = {
    { .name = "type", .values = "primary control render" },
    { NULL },
};

static const XmlSchemaAttr attr_attrs[] = {
    { .name = "name", .is_required = true },
    { .name = "value", .is_required = true },
    { NULL },
};

/* In any order. */
static const XmlSchemaElement mdev[] = {
    { .name = "type", .attrs = typed, .check = xml_is_empty },
    { .name = "iommuGroup", MAY_MISS, .attrs = numbered, .check = xml_is_empty },
    { .name = "uuid", MAY_MISS, .check = xml_is_uuid },
    { .name = "parent_addr", MAY_MISS },
    { .name = "attr", MAY_REPEAT, .attrs = attr_attrs, .check = xml_is_empty },
    { NULL },
};

#define STATE .name = "state", MAY_MISS, .values = "online offline"
#define CCW_ADDRESS(PLACE) \
    { .name = "cssid", .place = (PLACE), .check = is_cssid }, \
    { .name = "ssid", .place = (PLACE), .check = is_ssid }, \
    { .name = "devno", .place = (PLACE), .check = is_devno }

static const XmlSchemaElement group_device[] = { { .name = "group_device" }, { NULL } };

static const XmlSchemaElement ccw[] = {
    { STATE, .place = 0 },
    CCW_ADDRESS(1),
    { CAPABILITY("ccwgroup_member"), .place = 2, MAY_MISS, .children = group_device },
    { NULL },
};

static const XmlSchemaAttr member_attrs[] = {
    { .name = "ref", .is_required = true },
    { NULL },
};

static const XmlSchemaElement members[] = {
    { .name = "ccw_device", SEVERAL, .attrs = member_attrs },
    { NULL },
};

static const XmlSchemaElement qeth[] = {
    { .name = "card_type" },
    { .name = "chpid" },
    { NULL },
};

static const XmlSchemaElement ccwgroup[] = {
    { STATE, .place = 0 },
    CCW_ADDRESS(1),
    { .name = "members", .place = 2, MAY_MISS, .children = members },
    { CAPABILITY("qeth_generic qeth_layer2 qeth_layer3"), .place = 3, .children = qeth },
    { NULL },
};

static const XmlSchemaElement channel_address[] = { CCW_ADDRESS(0), { NULL } };

static const XmlSchemaElement css[] = {
    CCW_ADDRESS(0),
    { .name = "channel_dev_addr", MAY_MISS, .children = channel_address },
    { MDEV_TYPES },
    { NULL },
};

static const XmlSchemaElement vdpa[] = { { .name = "chardev", .check = is_path }, { NULL } };
static const XmlSchemaElement ap_card[] = { { .name = "ap-adapter", .check = is_uint8 }, { NULL } };

static const XmlSchemaElement ap_queue[] = {
    { .name = "ap-adapter", .place = 0, .check = is_uint8 },
    { .name = "ap-domain", .place = 1, .check = is_ap_domain },
    { NULL },
};

static const XmlSchemaElement ap_matrix[] = { { MDEV_TYPES }, { NULL } };

static const XmlSchemaAttr devnode_attrs[] = {
    { .name = "type", .is_required = true, .values = "dev link" },
    { NULL },
};

static const XmlSchemaAttr parent_by_names[] = {
    { .name = "wwnn", .is_required = true, .check = xml_is_wwn },
    { .name = "wwpn", .is_required = true, .check = xml_is_wwn },
    { NULL },
};

static const XmlSchemaAttr parent_by_fabric[] = {
    { .name = "fabric_wwn", .is_required = true, .check = xml_is_wwn },
    { NULL },
};

static const XmlSchemaElement driver[] = { { .name = "name" }, { NULL } };

#define PARENT .name = "parent", MAY_MISS
#define OF_TYPE(TYPE) CAPABILITY(TYPE), MAY_REPEAT

/* In any order. */
static const XmlSchemaElement device[] = {
    { .name = "name" },
    { .name = "path", MAY_MISS },
    { .name = "devnode", MAY_REPEAT, .attrs = devnode_attrs },
    { PARENT },
    { PARENT, .attrs = parent_by_fabric, .check = xml_is_empty },
    { PARENT, .attrs = parent_by_names, .check = xml_is_empty },
    { .name = "driver", MAY_MISS, .children = driver },
    { OF_TYPE("system"), .children = computer },
    { OF_TYPE("pci"), .children = pci },
    { OF_TYPE("usb_device"), .children = usb_device },
    { OF_TYPE("usb"), .children = usb_interface },
    { OF_TYPE("net"), .children = net },
    { OF_TYPE("scsi_generic"), .children = scsi_generic },
    { OF_TYPE("scsi_host"), .children = scsi_host },
    { OF_TYPE("scsi_target"), .children = scsi_target },
    { OF_TYPE("scsi"), .children = scsi },
    { OF_TYPE("storage"), .children = removable_storage },
    { OF_TYPE("storage"), .children = fixed_storage },
    { OF_TYPE("drm"), .children = drm },
    { OF_TYPE("mdev"), .children = mdev },
    { OF_TYPE("ccw"), .children = ccw },
    { OF_TYPE("ccwgroup"), .children = ccwgroup },
    { OF_TYPE("css"), .children = css },
    { OF_TYPE("vdpa"), .children = vdpa },
    { OF_TYPE("ap_card"), .children = ap_card },
    { OF_TYPE("ap_queue"), .children = ap_queue },
    { OF_TYPE("ap_matrix"), .children = ap_matrix },
    { NULL },
};

const XmlSchemaElement device_schema = { .name = "device", .children = device };
