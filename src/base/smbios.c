#include "base/smbios.h"

#include <string.h>

#include "base/error.h"

#define HEADER_SIZE 4
/* Of a system structure. */
#define SYSTEM_UUID 0x08

/* Offsets of the version in the two kinds of entry point (DSP0134, section 5.2). */
#define ENTRY64_ANCHOR "_SM3_"
#define ENTRY64_SIZE 0x18
#define ENTRY64_MAJOR 7
#define ENTRY32_ANCHOR "_SM_"
#define ENTRY32_SIZE 0x1f
#define ENTRY32_MAJOR 6

/* Checksums are left alone: the kernel has checked them, and nothing depends on them here. */
static bool has_anchor(const guint8 *entry, gsize entry_size, const char *anchor, gsize size)
{
    return entry_size >= size && memcmp(entry, anchor, strlen(anchor)) == 0;
}

bool smbios_table_init(SmbiosTable *ret_table, const guint8 *entry, gsize entry_size,
                       const guint8 *data, gsize size, GError **error)
{
    gsize major;

    if (has_anchor(entry, entry_size, ENTRY64_ANCHOR, ENTRY64_SIZE)) {
        major = ENTRY64_MAJOR;
    } else if (has_anchor(entry, entry_size, ENTRY32_ANCHOR, ENTRY32_SIZE)) {
        major = ENTRY32_MAJOR;
    } else {
        error_set(error, VIR_FROM_SYSINFO, VIR_ERR_INTERNAL_ERROR,
                  "the SMBIOS entry point is of an unknown kind");
        return false;
    }
    ret_table->data = data;
    ret_table->size = MIN(size, SMBIOS_TABLE_LIMIT);
    ret_table->version = (guint) entry[major] << 8 | entry[major + 1];
    return true;
}

bool smbios_next(const SmbiosTable *table, gsize *offset, SmbiosStructure *ret_structure)
{
    const guint8 *data;
    gsize left;
    gsize end;

    if (*offset > table->size || table->size - *offset < HEADER_SIZE)
        return false;
    data = table->data + *offset;
    left = table->size - *offset;
    if (data[1] < HEADER_SIZE || data[1] > left || data[0] == SMBIOS_END)
        return false;
    /* Strings follow, each with a NUL, and one more NUL; with no string there are two. */
    for (end = data[1]; end + 1 < left; end++) {
        if (data[end] == 0 && data[end + 1] == 0)
            break;
    }
    if (end + 1 >= left)
        return false;
    ret_structure->type = data[0];
    ret_structure->length = data[1];
    ret_structure->data = data;
    ret_structure->strings = (const char *) data + data[1];
    ret_structure->strings_size = end + 1 - data[1];
    *offset += end + 2;
    return true;
}

guint8 smbios_byte(const SmbiosStructure *structure, gsize offset)
{
    return offset < structure->length ? structure->data[offset] : 0;
}

/* Assembled from bytes, since structures are not aligned. */
guint16 smbios_word(const SmbiosStructure *structure, gsize offset)
{
    if (offset + 2 > structure->length)
        return 0;
    return (guint16) (structure->data[offset] | structure->data[offset + 1] << 8);
}

guint32 smbios_dword(const SmbiosStructure *structure, gsize offset)
{
    if (offset + 4 > structure->length)
        return 0;
    return smbios_word(structure, offset) |
           (guint32) smbios_word(structure, offset + 2) << 16;
}

/* Walks from the first string each time: structures have a handful. */
char *smbios_string(const SmbiosStructure *structure, guint number)
{
    const char *at = structure->strings;
    const char *end = at + structure->strings_size;
    g_autofree char *text = NULL;

    for (guint i = 1; i < number && at < end; i++)
        at += strnlen(at, (gsize) (end - at)) + 1;
    if (number == 0 || at >= end)
        return NULL;
    text = g_strndup(at, (gsize) (end - at));
    for (char *byte = text; *byte != '\0'; byte++) {
        if (!g_ascii_isprint(*byte))
            *byte = '.';
    }
    g_strchomp(text);
    return *text != '\0' ? g_steal_pointer(&text) : NULL;
}

bool smbios_find(const SmbiosTable *table, SmbiosType type, SmbiosStructure *ret_structure)
{
    gsize offset = 0;

    while (smbios_next(table, &offset, ret_structure)) {
        if (ret_structure->type == type)
            return true;
    }
    return false;
}

/* From version 2.6 on the first three fields are little endian (DSP0134, 7.2.1). */
bool smbios_uuid(const SmbiosTable *table, const SmbiosStructure *structure, Uuid *ret_uuid)
{
    static const guint8 little[UUID_LENGTH] = { 3, 2, 1, 0, 5, 4, 7, 6,
                                                8, 9, 10, 11, 12, 13, 14, 15 };

    if (structure->length < SYSTEM_UUID + UUID_LENGTH)
        return false;
    for (gsize i = 0; i < UUID_LENGTH; i++)
        ret_uuid->bytes[i] =
            structure->data[SYSTEM_UUID + (table->version >= 0x0206 ? little[i] : i)];
    return true;
}
