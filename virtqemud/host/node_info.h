/* What the node information call answers (manual: libvirt-host, virNodeInfo). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/roots.h"
#include "virtqemud/host/topology.h"

typedef struct NodeInfo {
    char model[32]; /* the architecture, as uname says it */
    guint64 memory_kib;
    guint cpus; /* online */
    guint mhz;  /* of the first processor now; 0 when unknown */
    guint nodes;
    guint sockets; /* per node */
    guint cores;   /* per socket */
    guint threads; /* per core */
} NodeInfo;

/* Sets nodes, sockets, cores, threads and cpus of @ret_info. Their product is the number of
 * processors. Where no four numbers can say how the machine is built (nodes that differ, more
 * than one die, a core that is offline), they are 1, 1, all processors, 1. */
void node_info_set_topology(NodeInfo *ret_info, const HostTopology *topology);

/* Sets all of @ret_info. Errors: SYSTEM_ERROR, INTERNAL_ERROR. */
bool node_info_read(const HostRoots *roots, NodeInfo *ret_info, GError **error);

/* The same for a caller who knows the topology. */
bool node_info_read_rest(const HostRoots *roots, const HostTopology *topology, NodeInfo *ret_info,
                         GError **error);
