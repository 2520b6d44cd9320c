/* What the firmware says about the host, as the system information call answers it
 * (manual: virConnectGetSysinfo; formatdomain, "SMBIOS System Information"), and as guests get
 * it that ask for the host's. Beyond the blocks that domains know, processors and memory
 * devices are told too. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/smbios.h"
#include "virtqemud/host/roots.h"

typedef struct SysinfoEntry {
    const char *name; /* NULL for OEM strings */
    char *value;
} SysinfoEntry;

/* One element inside <sysinfo>. */
typedef struct SysinfoBlock {
    const char *element; /* "bios", "system", "baseBoard", "chassis", … */
    GArray *entries;     /* SysinfoEntry, at least one */
} SysinfoBlock;

typedef struct Sysinfo {
    GPtrArray *blocks; /* SysinfoBlock, in the order of the document */
} Sysinfo;

/* Reads the table that the kernel shows. Errors: CONFIG_UNSUPPORTED when there is none (or it
 * cannot be read: it takes root), INTERNAL_ERROR when it is none. */
bool sysinfo_read(const HostRoots *roots, Sysinfo **ret_sysinfo, GError **error);

/* The same from a table in memory. Not more than a few times its size. */
Sysinfo *sysinfo_from_table(const SmbiosTable *table);

/* The value of an entry of the first block of @element, or NULL. */
const char *sysinfo_find(const Sysinfo *sysinfo, const char *element, const char *name);

/* The <sysinfo type='smbios'> document. */
char *sysinfo_format(const Sysinfo *sysinfo);

void sysinfo_free(Sysinfo *sysinfo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sysinfo, sysinfo_free)
