/* Reading the firmware's SMBIOS table (DMTF DSP0134): cutting it into structures and taking
 * values out of them. The bytes come from the firmware, or from a file that pretends to:
 * every access is bounded, and what is cut short just ends the table. A structure borrows
 * from the table. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "base/uuid.h"

/* A table is never larger than this here; real ones have a few KiB. */
#define SMBIOS_TABLE_LIMIT (1024u * 1024)

/* Structure types (DSP0134, section 7). */
typedef enum SmbiosType {
    SMBIOS_BIOS = 0,
    SMBIOS_SYSTEM = 1,
    SMBIOS_BASEBOARD = 2,
    SMBIOS_CHASSIS = 3,
    SMBIOS_PROCESSOR = 4,
    SMBIOS_OEM_STRINGS = 11,
    SMBIOS_MEMORY_DEVICE = 17,
    SMBIOS_END = 127,
} SmbiosType;

typedef struct SmbiosTable {
    const guint8 *data;
    gsize size;
    guint version; /* 0x0306 is 3.6 */
} SmbiosTable;

typedef struct SmbiosStructure {
    guint8 type;
    guint8 length;      /* of the formatted part, header included */
    const guint8 *data; /* the formatted part */
    const char *strings;
    gsize strings_size; /* each string with its NUL */
} SmbiosStructure;

/* Takes the version from the entry point (32 or 64 bit) and the table as given.
 * Errors: INTERNAL_ERROR when @entry is no entry point. */
bool smbios_table_init(SmbiosTable *ret_table, const guint8 *entry, gsize entry_size,
                       const guint8 *data, gsize size, GError **error);

/* Sets @ret_structure to the structure at *@offset (0 for the first) and moves on. Returns
 * false at the end. */
bool smbios_next(const SmbiosTable *table, gsize *offset, SmbiosStructure *ret_structure);

/* Integers at @offset of the formatted part, little endian; 0 when it is shorter. */
guint8 smbios_byte(const SmbiosStructure *structure, gsize offset);
guint16 smbios_word(const SmbiosStructure *structure, gsize offset);
guint32 smbios_dword(const SmbiosStructure *structure, gsize offset);

/* String number @number (from 1) as plain ASCII: white space at its end cut off, a dot for
 * every other byte. NULL when there is none or it is empty. */
char *smbios_string(const SmbiosStructure *structure, guint number);

/* The first structure of @type; false when there is none. */
bool smbios_find(const SmbiosTable *table, SmbiosType type, SmbiosStructure *ret_structure);

/* The UUID in a structure of type SMBIOS_SYSTEM: all bytes 0xff, it has none; all 0, none has been
 * set. False when there is no room for one. */
bool smbios_uuid(const SmbiosTable *table, const SmbiosStructure *structure, Uuid *ret_uuid);
