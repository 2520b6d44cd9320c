#include "virtqemud/host/cpu_stats.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Kernel, user, idle, iowait. */
#define N_STATS 4
#define NANOSECONDS G_GUINT64_CONSTANT(1000000000)

/* The columns of a "cpu" line (proc(5)), in ticks. */
typedef struct CpuTicks {
    guint64 user;
    guint64 nice;
    guint64 system;
    guint64 idle;
    guint64 iowait;
    guint64 irq;
    guint64 softirq;
} CpuTicks;

/* The line of /proc/stat that begins with the word @name. */
static const char *find_line(const char *text, const char *name)
{
    gsize length = strlen(name);
    const char *line = text;

    while (line != NULL) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return line + length;
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return NULL;
}

/* Columns behind these are left alone: guest time is part of user time already. */
static bool parse_ticks(const char *columns, CpuTicks *ret_ticks)
{
    guint64 values[7] = { 0 };
    const char *at = columns;

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        char *end;

        at += strspn(at, " ");
        if (!g_ascii_isdigit(*at))
            return false;
        values[i] = g_ascii_strtoull(at, &end, 10);
        at = end;
    }
    *ret_ticks = (CpuTicks) { values[0], values[1], values[2], values[3],
                              values[4], values[5], values[6] };
    return true;
}

/* Interrupts count as work of the kernel, low-priority processes as work of users. */
static void fill_stats(HostStats *stats, const CpuTicks *ticks)
{
    guint64 tick_ns = NANOSECONDS / (guint64) sysconf(_SC_CLK_TCK);

    stats->items[0] = (HostStat) { "kernel",
                                   (ticks->system + ticks->irq + ticks->softirq) * tick_ns };
    stats->items[1] = (HostStat) { "user", (ticks->user + ticks->nice) * tick_ns };
    stats->items[2] = (HostStat) { "idle", ticks->idle * tick_ns };
    stats->items[3] = (HostStat) { "iowait", ticks->iowait * tick_ns };
    stats->n_items = N_STATS;
}

/* Room is checked before the number of the processor, so that asking for the count works for any
 * number, as clients expect. */
bool cpu_stats_read(const HostRoots *roots, int cpu, int nparams, HostStats *ret_stats,
                    GError **error)
{
    HostStats stats = { .count = N_STATS };
    g_autofree char *name = cpu == CPU_STATS_ALL_CPUS ? g_strdup("cpu")
                                                      : g_strdup_printf("cpu%d", cpu);
    g_autofree char *text = NULL;
    const char *columns;
    CpuTicks ticks;

    if (nparams == 0) {
        *ret_stats = stats;
        return true;
    }
    if (nparams != N_STATS) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "CPU statistics have %d items, not %d", N_STATS, nparams);
        return false;
    }
    if (!host_file_read(roots->proc, HOST_FILE_LIMIT, &text, NULL, error, "stat"))
        return false;
    columns = find_line(text, name);
    if (columns == NULL || !parse_ticks(columns, &ticks)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "host CPU %d is not online", cpu);
        return false;
    }
    fill_stats(&stats, &ticks);
    *ret_stats = stats;
    return true;
}
