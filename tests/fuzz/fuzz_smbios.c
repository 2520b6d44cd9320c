/* The firmware's table: the first 32 bytes are the entry point, the rest the structures. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "virtqemud/host/sysinfo.h"

#define ENTRY_SIZE 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Sysinfo) sysinfo = NULL;
    g_autofree char *text = NULL;
    SmbiosTable table;

    if (size < ENTRY_SIZE ||
        !smbios_table_init(&table, data, ENTRY_SIZE, data + ENTRY_SIZE, size - ENTRY_SIZE, NULL))
        return 0;
    sysinfo = sysinfo_from_table(&table);
    text = sysinfo_format(sysinfo);
    if (!g_str_has_prefix(text, "<sysinfo type='smbios'"))
        abort();
    return 0;
}
