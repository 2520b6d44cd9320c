/* Processor time of the host since it booted (manual: virNodeGetCPUStats). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/host_stats.h"
#include "virtqemud/host/roots.h"

#define CPU_STATS_ALL_CPUS (-1)

/* Kernel, user, idle and iowait time of processor @cpu, or of all, in nanoseconds. @nparams is
 * the caller's room: 0 asks for the number of items only.
 * Errors: INVALID_ARG when @cpu is not online or @nparams is neither 0 nor the number of
 * items; SYSTEM_ERROR. */
bool cpu_stats_read(const HostRoots *roots, int cpu, int nparams, HostStats *ret_stats,
                    GError **error);
