/* The last-level caches of the host's processors, as the capabilities show them (kernel:
 * Documentation/ABI/testing/sysfs-devices-system-cpu, cache). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/bitmap.h"
#include "virtqemud/host/roots.h"
#include "virtqemud/host/topology.h"

typedef struct CacheBank {
    guint id;
    guint level;
    const char *type; /* "both", "code" or "data" */
    guint64 size_kib;
    Bitmap *cpus;
} CacheBank;

/* The caches of level 3, by their first processor: an array of CacheBank, empty on machines
 * that have none or do not tell. */
GArray *cache_banks_read(const HostRoots *roots, const HostTopology *topology);
