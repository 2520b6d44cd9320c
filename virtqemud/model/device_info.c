/* What devices have in common. Elements that a device cannot have are passed over, as they always
 * have been: a <boot> below <rng> means nothing. */
#include "virtqemud/model/device_info.h"

#include <string.h>

#include "base/error.h"
#include "virtqemud/model/device_address.h"
#include "virtqemud/model/tristate.h"

/* The manual's "Device aliases": what users may name their devices. */
#define USER_ALIAS_PREFIX "ua-"
#define USER_ALIAS_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-"
/* "Per-device boot elements": eight characters of what s390 has. */
#define LOAD_PARM_MAX 8
#define LOAD_PARM_CHARS G_CSET_A_2_Z G_CSET_DIGITS ". "

static bool is_user_alias(const char *alias)
{
    return alias && g_str_has_prefix(alias, USER_ALIAS_PREFIX) &&
           alias[strspn(alias, USER_ALIAS_CHARS)] == '\0';
}

bool device_info_has_user_alias(const DeviceInfo *info)
{
    return is_user_alias(info->alias);
}

/* Of several the first counts. What the daemon has named itself is named anew at each start, so a
 * definition does not keep it. */
static void alias_parse(const XmlNode *node, DomainParseFlags flags, DeviceInfo *info)
{
    const char *alias = xml_node_attr(node, "name");

    if (info->alias || !alias || *alias == '\0')
        return;
    if (!(flags & DOMAIN_PARSE_INACTIVE) || is_user_alias(alias))
        info->alias = g_strdup(alias);
}

/* The machine's own boot parameter is upper case, whatever was typed. */
static bool boot_parse(const XmlNode *node, DeviceInfo *info, GError **error)
{
    const char *load_parm = xml_node_attr(node, "loadparm");

    if (info->boot_index != 0)
        return true;
    if (!xml_attr_uint(node, "order", XML_REQUIRED | XML_NONZERO, 0, &info->boot_index, error))
        return false;
    if (!load_parm)
        return true;
    info->load_parm = g_ascii_strup(load_parm, -1);
    if (*load_parm == '\0' || strlen(load_parm) > LOAD_PARM_MAX) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                  "loadparm value '%.1024s' must be between 1 and %d characters", load_parm,
                  LOAD_PARM_MAX);
        return false;
    }
    if (info->load_parm[strspn(info->load_parm, LOAD_PARM_CHARS)] != '\0') {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                  "invalid loadparm value '%s', expecting chars in set of [a-zA-Z0-9.] and "
                  "blank spaces", info->load_parm);
        return false;
    }
    return true;
}

/* A ROM that is switched off cannot be tuned at the same time. */
static bool rom_parse(const XmlNode *node, DeviceInfo *info, GError **error)
{
    if (info->rom_file || info->rom_bar || info->rom_enabled)
        return true;
    if (!xml_attr_yes_no(node, "enabled", XML_OPTIONAL, &info->rom_enabled, error) ||
        !xml_attr_on_off(node, "bar", XML_OPTIONAL, &info->rom_bar, error) ||
        !xml_attr_string(node, "file", XML_OPTIONAL, &info->rom_file, error))
        return false;
    if (info->rom_enabled == XML_TRISTATE_NO && (info->rom_bar || info->rom_file)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "ROM tuning is not supported when ROM is disabled");
        return false;
    }
    return true;
}

/* Without an index it says nothing. */
static bool acpi_parse(const XmlNode *node, DeviceInfo *info, GError **error)
{
    return xml_attr_uint(node, "index", XML_NONZERO, 0, &info->acpi_index, error);
}

/* Cards are what has firmware of its own; those and disks can be booted from. */
static bool child_parse(const XmlNode *child, const char *device, DomainParseFlags flags,
                        DeviceInfo *info, GError **error)
{
    const char *name = xml_node_name(child);
    bool is_card = strcmp(device, "interface") == 0 || strcmp(device, "hostdev") == 0;

    if (strcmp(name, "alias") == 0) {
        alias_parse(child, flags, info);
    } else if (strcmp(name, "address") == 0) {
        if (info->address.type == ADDRESS_NONE)
            return device_address_parse(child, &info->address, error);
    } else if (strcmp(name, "boot") == 0) {
        if (is_card || strcmp(device, "disk") == 0 || strcmp(device, "redirdev") == 0)
            return boot_parse(child, info, error);
    } else if (strcmp(name, "rom") == 0) {
        if (is_card)
            return rom_parse(child, info, error);
    } else if (strcmp(name, "acpi") == 0) {
        return acpi_parse(child, info, error);
    }
    return true;
}

/* One walk over the children: all devices come through here, most have few. */
bool device_info_parse(const XmlNode *device, DomainParseFlags flags, DeviceInfo *ret_info,
                       GError **error)
{
    DeviceInfo info = { 0 };

    for (const XmlNode *child = xml_node_first(device, NULL); child;
         child = xml_node_next(child, NULL)) {
        if (!child_parse(child, xml_node_name(device), flags, &info, error)) {
            device_info_clear(&info);
            return false;
        }
    }
    *ret_info = info;
    return true;
}

void device_info_format_boot(const DeviceInfo *info, XmlWriter *writer)
{
    if (info->boot_index == 0)
        return;
    xml_writer_open(writer, "boot");
    xml_writer_attr(writer, "order", "%u", info->boot_index);
    xml_writer_attr_string(writer, "loadparm", info->load_parm);
    xml_writer_close(writer);
}

/* In this order, which is not that of the manual's examples. */
static void rom_format(const DeviceInfo *info, XmlWriter *writer)
{
    if (!info->rom_enabled && !info->rom_bar && !info->rom_file)
        return;
    xml_writer_open(writer, "rom");
    xml_writer_attr_string(writer, "enabled", tristate_yes_no(info->rom_enabled));
    xml_writer_attr_string(writer, "bar", tristate_on_off(info->rom_bar));
    xml_writer_attr_string(writer, "file", info->rom_file);
    xml_writer_close(writer);
}

void device_info_format_alias(const DeviceInfo *info, XmlWriter *writer, DomainFormatFlags flags)
{
    if (info->alias && (!(flags & DOMAIN_FORMAT_INACTIVE) || is_user_alias(info->alias))) {
        xml_writer_open(writer, "alias");
        xml_writer_attr_string(writer, "name", info->alias);
        xml_writer_close(writer);
    }
}

void device_info_format_rest(const DeviceInfo *info, XmlWriter *writer)
{
    rom_format(info, writer);
    if (info->acpi_index != 0) {
        xml_writer_open(writer, "acpi");
        xml_writer_attr(writer, "index", "%u", info->acpi_index);
        xml_writer_close(writer);
    }
    device_address_format(&info->address, writer);
}

void device_info_format(const DeviceInfo *info, XmlWriter *writer, DomainFormatFlags flags)
{
    device_info_format_alias(info, writer, flags);
    device_info_format_rest(info, writer);
}

void device_info_clear(DeviceInfo *info)
{
    g_clear_pointer(&info->alias, g_free);
    g_clear_pointer(&info->load_parm, g_free);
    g_clear_pointer(&info->rom_file, g_free);
}
