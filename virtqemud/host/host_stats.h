/* A few named numbers, as the calls for processor and memory statistics answer them. These
 * calls have a protocol of their own (manual: virNodeGetCPUStats, virNodeGetMemoryStats): a
 * caller asks with room for 0 to learn how many there are, and then with exactly that. */
#pragma once

#include <glib.h>

#define HOST_STATS_MAX 4

typedef struct HostStat {
    const char *field; /* static */
    guint64 value;
} HostStat;

typedef struct HostStats {
    guint count;   /* how many there are */
    guint n_items; /* how many are in items: count, or 0 when only their number was asked for */
    HostStat items[HOST_STATS_MAX];
} HostStats;
