/* The processors of the host and where they sit: cell, socket, die, cluster, core. A
 * snapshot; processors come and go, so callers read it when they need it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/bitmap.h"
#include "virtqemud/host/cells.h"
#include "virtqemud/host/roots.h"

/* A processor that is online. Numbers that the kernel does not know are 0. */
typedef struct HostCpu {
    guint id;
    guint cell_id;
    guint socket_id;
    guint die_id;
    guint cluster_id;
    guint core_id;
} HostCpu;

typedef struct HostTopology {
    HostCells *cells;
    Bitmap *present; /* processors that exist, online or not */
    GArray *cpus;    /* HostCpu, ascending: those that are online */
} HostTopology;

/* Reads it from the kernel (Documentation/admin-guide/cputopology.rst). A processor that goes
 * offline meanwhile is left out. Errors: SYSTEM_ERROR, INTERNAL_ERROR. */
bool host_topology_read(const HostRoots *roots, HostTopology **ret_topology, GError **error);

void host_topology_free(HostTopology *topology);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostTopology, host_topology_free)

/* The processors of one core, @cpu among them. */
Bitmap *host_topology_siblings(const HostTopology *topology, const HostCpu *cpu);

/* Which processors are online (manual: virNodeGetCPUMap). @ret_count is the highest number of a
 * processor that exists + 1: the map travels as (@ret_count + 7) / 8 bytes. */
bool host_cpu_map_read(const HostRoots *roots, Bitmap **ret_online, guint *ret_count,
                       GError **error);
