/* The computer: what its firmware says of itself (kernel: Documentation/ABI/testing/sysfs-
 * firmware-dmi; /sys/class/dmi/id). */
#include <string.h>

#include "base/uuid.h"
#include "virtnodedevd/kind.h"
#include "wire/api_nodedev.h"

static void write_field(const SysDevice *device, XmlWriter *writer, const char *element,
                        const char *attribute)
{
    g_autofree char *text = sys_attr(device, attribute);

    if (text && *text)
        xml_writer_element_string(writer, element, text);
}

/* The schema wants a uuid in any case; a machine that has none has the one of zeros. */
static void write_uuid(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *text = sys_attr(device, "class/dmi/id/product_uuid");
    char formatted[UUID_TEXT_SIZE];
    Uuid uuid = { { 0 } };

    if (!text || !uuid_parse(text, &uuid, NULL))
        memset(&uuid, 0, sizeof(uuid));
    xml_writer_element_string(writer, "uuid", uuid_format(&uuid, formatted));
}

static void system_format(const SysDevice *device, XmlWriter *writer)
{
    write_field(device, writer, "product", "class/dmi/id/product_name");
    xml_writer_open(writer, "hardware");
    write_field(device, writer, "vendor", "class/dmi/id/sys_vendor");
    write_field(device, writer, "version", "class/dmi/id/product_version");
    write_field(device, writer, "serial", "class/dmi/id/product_serial");
    write_uuid(device, writer);
    xml_writer_close(writer);
    xml_writer_open(writer, "firmware");
    xml_writer_break(writer);
    write_field(device, writer, "vendor", "class/dmi/id/bios_vendor");
    write_field(device, writer, "version", "class/dmi/id/bios_version");
    write_field(device, writer, "release_date", "class/dmi/id/bios_date");
    xml_writer_close(writer);
}

const DeviceKind system_kind = {
    .prefix = SYSTEM_NAME,
    .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM,
    .format = system_format,
};
