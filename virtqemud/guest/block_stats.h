/* The block group of a domain's statistics, from what QEMU says of its block devices. */
#pragma once

#include "json/value.h"
#include "virtqemud/guest/block_sizes.h"
#include "virtqemud/model/domain_def.h"
#include "wire/typed_params.h"

/* Appends "block.count" and what is known of each disk. @sizes are those of the images,
 * @stats answers query-blockstats; NULL when QEMU has not answered, or there is none. */
void block_stats_add(const DomainDef *def, const BlockSizes *sizes, const JsonValue *stats,
                     bool with_backing, TypedParams *params);
