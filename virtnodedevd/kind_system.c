/* The computer: what its firmware says of itself. The kernel shows root the firmware's SMBIOS tables
 * (Documentation/ABI/testing/sysfs-firmware-dmi-tables), and everybody some of their strings
 * (/sys/class/dmi/id), which have to do where the tables are out of reach. */
#include <string.h>

#include "base/file.h"
#include "base/smbios.h"
#include "virtnodedevd/kind.h"
#include "wire/api_nodedev.h"

#define TABLES "firmware/dmi/tables"
#define ENTRY_LIMIT 256

typedef struct Firmware {
    char *entry, *tables;
    SmbiosTable table; /* no bytes where the tables cannot be read */
} Firmware;

/* A string: the byte at @offset of the first structure of the type is its number. */
typedef struct Field {
    const char *element;
    SmbiosType type;
    gsize offset;
    const char *attribute; /* the kernel's, of the same */
} Field;

static const Field product = { "product", SMBIOS_SYSTEM, 0x05, "product_name" };

static const Field hardware[] = {
    { "vendor", SMBIOS_SYSTEM, 0x04, "sys_vendor" },
    { "version", SMBIOS_SYSTEM, 0x06, "product_version" },
    { "serial", SMBIOS_SYSTEM, 0x07, "product_serial" },
};

static const Field firmware_fields[] = {
    { "vendor", SMBIOS_BIOS, 0x04, "bios_vendor" },
    { "version", SMBIOS_BIOS, 0x05, "bios_version" },
    { "release_date", SMBIOS_BIOS, 0x08, "bios_date" },
};

static void firmware_read(const SysDevice *computer, Firmware *ret)
{
    g_autofree char *entry = g_build_filename(computer->dir, TABLES, "smbios_entry_point", NULL);
    g_autofree char *tables = g_build_filename(computer->dir, TABLES, "DMI", NULL);
    size_t entry_size = 0, size = 0;

    memset(ret, 0, sizeof(*ret));
    if (file_read_all(entry, ENTRY_LIMIT, &ret->entry, &entry_size, NULL) &&
        file_read_all(tables, SMBIOS_TABLE_LIMIT, &ret->tables, &size, NULL))
        smbios_table_init(&ret->table, (const guint8 *)ret->entry, entry_size,
                          (const guint8 *)ret->tables, size, NULL);
}

static void firmware_clear(Firmware *firmware)
{
    g_free(firmware->entry);
    g_free(firmware->tables);
}

static char *kernel_text(const SysDevice *computer, const char *attribute)
{
    g_autofree char *name = g_build_filename("class/dmi/id", attribute, NULL);

    return sys_attr(computer, name);
}

static void write_field(const SysDevice *computer, const Firmware *firmware, const Field *field,
                        XmlWriter *writer)
{
    g_autofree char *text = NULL;
    SmbiosStructure structure;

    if (smbios_find(&firmware->table, field->type, &structure))
        text = smbios_string(&structure, smbios_byte(&structure, field->offset));
    else
        text = kernel_text(computer, field->attribute);
    if (text && *g_strstrip(text))
        xml_writer_element_string(writer, field->element, text);
}

static bool kernel_uuid(const SysDevice *computer, Uuid *ret_uuid)
{
    g_autofree char *text = kernel_text(computer, "product_uuid");

    return text && uuid_parse(text, ret_uuid, NULL);
}

/* The schema wants a uuid in any case; a machine that has none has the one of zeros. */
static void write_uuid(const SysDevice *computer, const Firmware *firmware, XmlWriter *writer)
{
    char formatted[UUID_TEXT_SIZE];
    SmbiosStructure structure;
    Uuid uuid;
    bool is_known = smbios_find(&firmware->table, SMBIOS_SYSTEM, &structure)
                        ? smbios_uuid(&firmware->table, &structure, &uuid)
                        : kernel_uuid(computer, &uuid);

    if (!is_known || !uuid_is_valid(&uuid))
        memset(&uuid, 0, sizeof(uuid));
    xml_writer_element_string(writer, "uuid", uuid_format(&uuid, formatted));
}

static void system_format(const SysDevice *computer, XmlWriter *writer)
{
    Firmware firmware;

    firmware_read(computer, &firmware);
    write_field(computer, &firmware, &product, writer);
    xml_writer_open(writer, "hardware");
    for (size_t i = 0; i < G_N_ELEMENTS(hardware); i++)
        write_field(computer, &firmware, &hardware[i], writer);
    write_uuid(computer, &firmware, writer);
    xml_writer_close(writer);
    xml_writer_open(writer, "firmware");
    xml_writer_break(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(firmware_fields); i++)
        write_field(computer, &firmware, &firmware_fields[i], writer);
    xml_writer_close(writer);
    firmware_clear(&firmware);
}

const DeviceKind system_kind = {
    .prefix = SYSTEM_NAME,
    .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM,
    .format = system_format,
};
