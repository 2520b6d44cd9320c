#include "virtnodedevd/mdev_types.h"

#define TYPES "mdev_supported_types"

bool mdev_types_exist(const SysDevice *device)
{
    return sys_has(device, TYPES);
}

static char *type_attr(const SysDevice *device, const char *type, const char *name)
{
    g_autofree char *dir = g_build_filename(device->dir, TYPES, type, NULL);

    return sys_read(dir, name);
}

void mdev_types_format(const SysDevice *device, XmlWriter *writer)
{
    g_autoptr(GPtrArray) types = sys_list(device, TYPES);

    if (types->len == 0)
        return;
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "mdev_types");
    for (guint i = 0; i < types->len; i++) {
        const char *type = types->pdata[i];
        g_autofree char *name = type_attr(device, type, "name");
        g_autofree char *api = type_attr(device, type, "device_api");
        g_autofree char *available = type_attr(device, type, "available_instances");

        xml_writer_open(writer, "type");
        xml_writer_attr_string(writer, "id", type);
        xml_writer_element_string(writer, "name", name);
        xml_writer_element_string(writer, "deviceAPI", api);
        xml_writer_element_string(writer, "availableInstances", available ? available : "0");
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}
