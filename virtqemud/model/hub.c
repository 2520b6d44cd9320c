/* <hub>: more ports for USB. Nothing but its place can be said of it. */
#include <string.h>

#include "virtqemud/model/fields.h"
#include "virtqemud/model/hub.h"

HubDef *hub_def_new(void)
{
    return g_new0(HubDef, 1);
}

void hub_def_free(HubDef *hub)
{
    if (!hub)
        return;
    device_info_clear(&hub->info);
    g_free(hub);
}

bool hub_def_parse(const XmlNode *node, DomainParseFlags flags, HubDef **ret_hub, GError **error)
{
    g_autoptr(HubDef) hub = hub_def_new();
    const char *type = xml_node_attr(node, "type");

    if (!type)
        return model_fail(error, VIR_ERR_INTERNAL_ERROR, "missing hub device type");
    if (strcmp(type, "usb") != 0)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown hub device type '%.64s'",
                          type);
    if (!device_info_parse(node, flags, &hub->info, error))
        return false;
    *ret_hub = g_steal_pointer(&hub);
    return true;
}

void hub_def_format(const HubDef *hub, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "hub");
    xml_writer_attr_string(writer, "type", "usb");
    device_info_format(&hub->info, writer, flags);
    xml_writer_close(writer);
}

bool hub_def_validate(const HubDef *hub, GError **error)
{
    AddressType type = hub->info.address.type;

    return type == ADDRESS_NONE || type == ADDRESS_USB ||
           model_fail_qemu(error, "a USB hub cannot have an address of type '%s'",
                           address_type_names[type]);
}
