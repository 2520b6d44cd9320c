/* The sizes of a guest's images, kept while they hold. To tell them is more work for QEMU than all
 * its other statistics together, and an image that nothing is written to keeps them: so they are
 * asked for again when QEMU has counted a write since, when a client has sent commands of its own,
 * and after half a minute, for what others may have done to the file. Nothing survives a restart. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "json/value.h"

typedef struct BlockSizes BlockSizes;

typedef struct ImageSize {
    uint64_t virtual_bytes; /* what the guest sees */
    bool has_actual;        /* not every protocol can tell: */
    uint64_t actual_bytes;  /* what the file takes on its disk */
} ImageSize;

/* @nodes: the answer to query-named-block-nodes; @stats: that to a query-blockstats that was asked
 * before it; @n_raw_commands: how many commands clients had sent then; @now_us: CLOCK_MONOTONIC. */
BlockSizes *block_sizes_new(const JsonValue *nodes, const JsonValue *stats,
                            unsigned n_raw_commands, uint64_t now_us);
void block_sizes_free(BlockSizes *sizes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BlockSizes, block_sizes_free)

/* Whether they still hold, @stats being QEMU's answer of now. */
bool block_sizes_hold(const BlockSizes *sizes, const JsonValue *stats, unsigned n_raw_commands,
                      uint64_t now_us);
/* Whether the writes of @sizes are those of @before: then the next look will find no others. */
bool block_sizes_same_writes(const BlockSizes *sizes, const BlockSizes *before);
/* The size of the image @node_name; false when QEMU has not told it. */
bool block_sizes_find(const BlockSizes *sizes, const char *node_name, ImageSize *ret_size);
