/* The parts of <sysinfo> that take more than copying strings: processors and memory modules,
 * whose fields have units, bits and later extensions. Offsets are those of DSP0134; a field
 * that lies behind the end of a structure is not there. */
#include "virtqemud/host/sysinfo_device.h"

#include "virtqemud/host/smbios_names.h"

static void clear_entry(void *data)
{
    SysinfoEntry *entry = data;

    g_free(entry->value);
}

/* @element is a static string, as names of entries are. */
SysinfoBlock *sysinfo_block_new(const char *element)
{
    SysinfoBlock *block = g_new0(SysinfoBlock, 1);

    block->element = element;
    block->entries = g_array_new(FALSE, FALSE, sizeof(SysinfoEntry));
    g_array_set_clear_func(block->entries, clear_entry);
    return block;
}

void sysinfo_block_free(SysinfoBlock *block)
{
    if (block == NULL)
        return;
    g_array_unref(block->entries);
    g_free(block);
}

/* Takes @value; NULL adds nothing. */
void sysinfo_block_add(SysinfoBlock *block, const char *name, char *value)
{
    SysinfoEntry entry = { .name = name, .value = value };

    if (value != NULL)
        g_array_append_val(block->entries, entry);
}

void sysinfo_block_add_string(SysinfoBlock *block, const SmbiosStructure *structure,
                              const char *name, gsize offset)
{
    guint8 number = smbios_byte(structure, offset);

    if (offset >= structure->length)
        return;
    sysinfo_block_add(block, name, number == 0 ? g_strdup("Not Specified")
                                               : smbios_string(structure, number));
}

/* The CPUID signature, decoded the way that the maker of the processor documents it. */
static char *format_signature(SmbiosProcessorKind kind, guint32 eax)
{
    guint family = eax >> 8 & 0xf;
    guint model = eax >> 4 & 0xf;
    guint stepping = eax & 0xf;

    switch (kind) {
    case SMBIOS_PROCESSOR_INTEL:
        return g_strdup_printf("Type %u, Family %u, Model %u, Stepping %u", eax >> 12 & 0x3,
                               family + (eax >> 20 & 0xff), model + (eax >> 12 & 0xf0), stepping);
    case SMBIOS_PROCESSOR_AMD:
        if (family == 0xf) {
            family += eax >> 20 & 0xff;
            model |= eax >> 12 & 0xf0;
        }
        return g_strdup_printf("Family %u, Model %u, Stepping %u", family, model, stepping);
    case SMBIOS_PROCESSOR_OTHER:
        break;
    }
    return NULL;
}

/* Bit 6 says whether there is something in the socket. */
static char *format_status(guint8 status)
{
    const char *name = smbios_processor_status(status & 0x07);

    if ((status & 0x40) == 0)
        return g_strdup("Unpopulated");
    return name != NULL ? g_strdup_printf("Populated, %s", name) : g_strdup("Populated");
}

/* The firmware says 0 when it does not know. */
static char *format_number(guint number, const char *unit)
{
    return number == 0 ? g_strdup("Unknown") : g_strdup_printf("%u %s", number, unit);
}

void sysinfo_block_add_processor(SysinfoBlock *block, const SmbiosTable *table,
                                 const SmbiosStructure *structure)
{
    SmbiosProcessorKind kind;
    guint family = smbios_byte(structure, 0x06);

    /* 254 says that the number is in the wider field of later versions. */
    if (family == 0xfe && structure->length >= 0x2a)
        family = smbios_word(structure, 0x28);
    if (structure->length < 0x1a)
        return;
    sysinfo_block_add_string(block, structure, "socket_destination", 0x04);
    sysinfo_block_add(block, "type",
                      g_strdup(smbios_processor_type(smbios_byte(structure, 0x05))));
    sysinfo_block_add(block, "family", g_strdup(smbios_processor_family(family, &kind)));
    sysinfo_block_add_string(block, structure, "manufacturer", 0x07);
    sysinfo_block_add(block, "signature", format_signature(kind, smbios_dword(structure, 0x08)));
    sysinfo_block_add_string(block, structure, "version", 0x10);
    sysinfo_block_add(block, "external_clock", format_number(smbios_word(structure, 0x12), "MHz"));
    sysinfo_block_add(block, "max_speed", format_number(smbios_word(structure, 0x14), "MHz"));
    sysinfo_block_add(block, "status", format_status(smbios_byte(structure, 0x18)));
    sysinfo_block_add_string(block, structure, "serial_number", 0x20);
    sysinfo_block_add_string(block, structure, "part_number", 0x22);
}

/* In the largest unit that holds it as a whole number. */
static char *format_size(guint64 size_kib)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    gsize unit = 0;

    while (unit + 1 < G_N_ELEMENTS(units) && size_kib % 1024 == 0) {
        size_kib /= 1024;
        unit++;
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s", size_kib, units[unit]);
}

/* The three ways to say a size (DSP0134, 7.18.4 and 7.18.5). */
static char *format_memory_size(const SmbiosStructure *structure)
{
    guint16 size = smbios_word(structure, 0x0c);

    if (size == 0xffff)
        return g_strdup("Unknown");
    if (size == 0x7fff && structure->length >= 0x20)
        return format_size((guint64) (smbios_dword(structure, 0x1c) & 0x7fffffff) * 1024);
    if (size & 0x8000)
        return format_size(size & 0x7fff);
    return format_size((guint64) size * 1024);
}

/* The wider field of later versions counts when this one is full. */
static char *format_memory_speed(const SmbiosStructure *structure)
{
    guint speed = smbios_word(structure, 0x15);

    if (speed == 0xffff)
        speed = smbios_dword(structure, 0x54) & 0x7fffffff;
    return format_number(speed, "MT/s");
}

/* A set of bits, as one text. */
static char *format_memory_detail(guint16 detail)
{
    GString *text = g_string_new(NULL);

    for (guint bit = 1; bit < 16; bit++) {
        if (detail & 1u << bit)
            g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
                                   smbios_memory_detail(bit));
    }
    if (text->len == 0)
        g_string_append(text, "None");
    return g_string_free(text, FALSE);
}

/* An empty slot, whose size is 0, is left out. */
void sysinfo_block_add_memory_device(SysinfoBlock *block, const SmbiosTable *table,
                                     const SmbiosStructure *structure)
{
    if (structure->length < 0x15 || smbios_word(structure, 0x0c) == 0)
        return;
    sysinfo_block_add(block, "size", format_memory_size(structure));
    sysinfo_block_add(block, "form_factor",
                      g_strdup(smbios_memory_form_factor(smbios_byte(structure, 0x0e))));
    sysinfo_block_add_string(block, structure, "locator", 0x10);
    sysinfo_block_add_string(block, structure, "bank_locator", 0x11);
    sysinfo_block_add(block, "type",
                      g_strdup(smbios_memory_type(smbios_byte(structure, 0x12))));
    sysinfo_block_add(block, "type_detail", format_memory_detail(smbios_word(structure, 0x13)));
    if (structure->length < 0x17)
        return;
    sysinfo_block_add(block, "speed", format_memory_speed(structure));
    sysinfo_block_add_string(block, structure, "manufacturer", 0x17);
    sysinfo_block_add_string(block, structure, "serial_number", 0x18);
    sysinfo_block_add_string(block, structure, "part_number", 0x1a);
}
