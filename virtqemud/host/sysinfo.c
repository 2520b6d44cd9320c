/* The SMBIOS tables as the <sysinfo> document that clients get. Which structure becomes which
 * element, and which of its bytes are strings, is data; smbios.c walks the table and checks
 * its bounds. */
#include "virtqemud/host/sysinfo.h"

#include <string.h>

#include "base/error.h"
#include "xml/writer.h"
#include "virtqemud/host/sysinfo_device.h"

#define TABLES_FOLDER "firmware/dmi/tables/"
/* The larger kind has 31 bytes. */
#define ENTRY_LIMIT 256

/* A string of a structure: the byte at @offset is its number. */
typedef struct StringField {
    const char *name;
    gsize offset;
} StringField;

static const StringField bios_fields[] = {
    { "vendor", 0x04 }, { "version", 0x05 }, { "date", 0x08 },
};

static const StringField system_fields[] = {
    { "manufacturer", 0x04 }, { "product", 0x05 }, { "version", 0x06 }, { "serial", 0x07 },
};

/* Behind the UUID. */
static const StringField system_more_fields[] = {
    { "sku", 0x19 }, { "family", 0x1a },
};

static const StringField baseboard_fields[] = {
    { "manufacturer", 0x04 }, { "product", 0x05 }, { "version", 0x06 },
    { "serial", 0x07 },       { "asset", 0x08 },   { "location", 0x0a },
};

static const StringField chassis_fields[] = {
    { "manufacturer", 0x04 }, { "version", 0x06 }, { "serial", 0x07 }, { "asset", 0x08 },
};

/* A field behind the end of a structure, which older firmware makes shorter, is left out. */
static void add_strings(SysinfoBlock *block, const SmbiosStructure *structure,
                        const StringField *fields, gsize n_fields)
{
    for (gsize i = 0; i < n_fields; i++)
        sysinfo_block_add_string(block, structure, fields[i].name, fields[i].offset);
}

static void add_bios(SysinfoBlock *block, const SmbiosTable *table,
                     const SmbiosStructure *structure)
{
    guint8 major = smbios_byte(structure, 0x14);
    guint8 minor = smbios_byte(structure, 0x15);

    add_strings(block, structure, bios_fields, G_N_ELEMENTS(bios_fields));
    /* Both are 255 where the firmware has no such numbers. */
    if (structure->length > 0x15 && major != 0xff && minor != 0xff)
        sysinfo_block_add(block, "release", g_strdup_printf("%u.%u", major, minor));
}

/* Both kinds of none are told, as what they are. */
static char *format_uuid(const Uuid *uuid)
{
    char text[UUID_TEXT_SIZE];

    if (uuid_is_valid(uuid))
        return g_strdup(uuid_format(uuid, text));
    return g_strdup(uuid->bytes[0] == 0 ? "Not Settable" : "Not Present");
}

static void add_system(SysinfoBlock *block, const SmbiosTable *table,
                       const SmbiosStructure *structure)
{
    Uuid uuid;

    add_strings(block, structure, system_fields, G_N_ELEMENTS(system_fields));
    if (smbios_uuid(table, structure, &uuid))
        sysinfo_block_add(block, "uuid", format_uuid(&uuid));
    add_strings(block, structure, system_more_fields, G_N_ELEMENTS(system_more_fields));
}

static void add_baseboard(SysinfoBlock *block, const SmbiosTable *table,
                          const SmbiosStructure *structure)
{
    add_strings(block, structure, baseboard_fields, G_N_ELEMENTS(baseboard_fields));
}

/* The SKU number stands behind a list whose size is in the structure (DSP0134, 7.4). */
static void add_chassis(SysinfoBlock *block, const SmbiosTable *table,
                        const SmbiosStructure *structure)
{
    gsize elements = (gsize) smbios_byte(structure, 0x13) * smbios_byte(structure, 0x14);

    add_strings(block, structure, chassis_fields, G_N_ELEMENTS(chassis_fields));
    sysinfo_block_add_string(block, structure, "sku", 0x15 + elements);
}

/* These entries have no names. */
static void add_oem_strings(SysinfoBlock *block, const SmbiosTable *table,
                            const SmbiosStructure *structure)
{
    guint count = smbios_byte(structure, 0x04);

    for (guint i = 1; i <= count; i++)
        sysinfo_block_add(block, NULL, smbios_string(structure, i));
}

typedef struct BlockKind {
    SmbiosType type;
    const char *element;
    bool is_repeated; /* else the first structure of the type counts */
    void (*add)(SysinfoBlock *block, const SmbiosTable *table, const SmbiosStructure *structure);
} BlockKind;

/* In the order of the document. */
static const BlockKind kinds[] = {
    { SMBIOS_BIOS, "bios", false, add_bios },
    { SMBIOS_SYSTEM, "system", false, add_system },
    { SMBIOS_BASEBOARD, "baseBoard", true, add_baseboard },
    { SMBIOS_CHASSIS, "chassis", false, add_chassis },
    { SMBIOS_PROCESSOR, "processor", true, sysinfo_block_add_processor },
    { SMBIOS_MEMORY_DEVICE, "memory_device", true, sysinfo_block_add_memory_device },
    { SMBIOS_OEM_STRINGS, "oemStrings", false, add_oem_strings },
};

/* Adds the structures of one kind; the table is walked once for each kind, which sorts them. */
static void add_blocks(Sysinfo *sysinfo, const SmbiosTable *table, const BlockKind *kind)
{
    SmbiosStructure structure;
    gsize offset = 0;

    while (smbios_next(table, &offset, &structure)) {
        SysinfoBlock *block;

        if (structure.type != kind->type)
            continue;
        block = sysinfo_block_new(kind->element);
        kind->add(block, table, &structure);
        if (block->entries->len > 0)
            g_ptr_array_add(sysinfo->blocks, block);
        else
            sysinfo_block_free(block);
        if (!kind->is_repeated)
            return;
    }
}

Sysinfo *sysinfo_from_table(const SmbiosTable *table)
{
    Sysinfo *sysinfo = g_new0(Sysinfo, 1);

    sysinfo->blocks = g_ptr_array_new_with_free_func((GDestroyNotify) sysinfo_block_free);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        add_blocks(sysinfo, table, &kinds[i]);
    return sysinfo;
}

/* Whatever keeps the files from being read, the client is told that there is nothing to see. */
bool sysinfo_read(const HostRoots *roots, Sysinfo **ret_sysinfo, GError **error)
{
    g_autofree char *entry = NULL;
    g_autofree char *data = NULL;
    gsize entry_size;
    gsize size;
    SmbiosTable table;

    if (!host_file_read(roots->sys, ENTRY_LIMIT, &entry, &entry_size, NULL,
                        TABLES_FOLDER "smbios_entry_point") ||
        !host_file_read(roots->sys, SMBIOS_TABLE_LIMIT, &data, &size, NULL,
                        TABLES_FOLDER "DMI")) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Host SMBIOS information is not available");
        return false;
    }
    if (!smbios_table_init(&table, (const guint8 *) entry, entry_size, (const guint8 *) data, size,
                           error))
        return false;
    *ret_sysinfo = sysinfo_from_table(&table);
    return true;
}

/* In the first block of that element. */
const char *sysinfo_find(const Sysinfo *sysinfo, const char *element, const char *name)
{
    for (guint i = 0; i < sysinfo->blocks->len; i++) {
        const SysinfoBlock *block = g_ptr_array_index(sysinfo->blocks, i);

        if (!g_str_equal(block->element, element))
            continue;
        for (guint j = 0; j < block->entries->len; j++) {
            const SysinfoEntry *entry = &g_array_index(block->entries, SysinfoEntry, j);

            if (g_strcmp0(entry->name, name) == 0)
                return entry->value;
        }
        return NULL;
    }
    return NULL;
}

char *sysinfo_format(const Sysinfo *sysinfo)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_open(writer, "sysinfo");
    xml_writer_attr_string(writer, "type", "smbios");
    for (guint i = 0; i < sysinfo->blocks->len; i++) {
        const SysinfoBlock *block = g_ptr_array_index(sysinfo->blocks, i);

        xml_writer_open(writer, block->element);
        for (guint j = 0; j < block->entries->len; j++) {
            const SysinfoEntry *entry = &g_array_index(block->entries, SysinfoEntry, j);

            xml_writer_open(writer, "entry");
            xml_writer_attr_string(writer, "name", entry->name);
            xml_writer_text(writer, entry->value);
            xml_writer_close(writer);
        }
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
    return xml_writer_finish(writer);
}

void sysinfo_free(Sysinfo *sysinfo)
{
    if (sysinfo == NULL)
        return;
    g_ptr_array_unref(sysinfo->blocks);
    g_free(sysinfo);
}
