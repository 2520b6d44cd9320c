/* The topology as it was read last, for calls that come often: reading it takes four files for
 * each processor. Where a processor sits does not change while it is there, so the topology is
 * read again when the processors or the cells that are there are others. */
#pragma once

#include "virtqemud/host/topology.h"

typedef struct TopologyCache TopologyCache;

/* @roots must outlive it. */
TopologyCache *topology_cache_new(const HostRoots *roots);
void topology_cache_free(TopologyCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopologyCache, topology_cache_free)

/* The cache's own, valid until the next call of this. Errors: those of host_topology_read(). */
bool topology_cache_get(TopologyCache *cache, const HostTopology **ret_topology, GError **error);
