#include "virtqemud/guest/block_sizes.h"

#include <string.h>

#include "json/get.h"

#define HOLD_US (30 * G_USEC_PER_SEC)

struct BlockSizes {
    GHashTable *images; /* node name → ImageSize */
    GString *writes;    /* all that QEMU has counted of writes, as text */
    unsigned n_raw_commands;
    uint64_t asked_us;
};

/* What moves with every change of an image. A format's own blocks move the highest offset of the
 * file below it. */
static const char *const counters[] = {
    "wr_operations", "wr_bytes", "unmap_operations", "flush_operations", "wr_highest_offset",
};

/* Each node, its file, and what it is based on: QEMU's answer nests them. */
static void append_writes(GString *writes, const JsonValue *item)
{
    const JsonValue *stats, *below;
    const char *name;
    uint64_t value;

    if (json_type(item) != JSON_OBJECT)
        return;
    if (json_object_get_string(item, "node-name", &name, NULL))
        g_string_append(writes, name);
    if (json_object_get_object(item, "stats", &stats, NULL)) {
        for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
            if (json_object_get_uint64(stats, counters[i], &value, NULL))
                g_string_append_printf(writes, " %" G_GUINT64_FORMAT, value);
        }
    }
    g_string_append_c(writes, '(');
    if (json_object_get_object(item, "parent", &below, NULL))
        append_writes(writes, below);
    if (json_object_get_object(item, "backing", &below, NULL))
        append_writes(writes, below);
    g_string_append_c(writes, ')');
}

static GString *writes_of(const JsonValue *stats)
{
    GString *writes = g_string_new(NULL);

    for (guint i = 0; stats && json_type(stats) == JSON_ARRAY && i < json_length(stats); i++)
        append_writes(writes, json_at(stats, i));
    return writes;
}

static void take_image(BlockSizes *sizes, const JsonValue *node)
{
    const JsonValue *image;
    const char *name;
    ImageSize size = { 0 };

    if (json_type(node) != JSON_OBJECT || !json_object_get_string(node, "node-name", &name, NULL) ||
        !json_object_get_object(node, "image", &image, NULL) ||
        !json_object_get_uint64(image, "virtual-size", &size.virtual_bytes, NULL))
        return;
    size.has_actual = json_object_get_uint64(image, "actual-size", &size.actual_bytes, NULL);
    g_hash_table_insert(sizes->images, g_strdup(name), g_memdup2(&size, sizeof(size)));
}

BlockSizes *block_sizes_new(const JsonValue *nodes, const JsonValue *stats,
                            unsigned n_raw_commands, uint64_t now_us)
{
    BlockSizes *sizes = g_new0(BlockSizes, 1);

    sizes->images = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    sizes->writes = writes_of(stats);
    sizes->n_raw_commands = n_raw_commands;
    sizes->asked_us = now_us;
    for (guint i = 0; nodes && json_type(nodes) == JSON_ARRAY && i < json_length(nodes); i++)
        take_image(sizes, json_at(nodes, i));
    return sizes;
}

void block_sizes_free(BlockSizes *sizes)
{
    if (!sizes)
        return;
    g_hash_table_unref(sizes->images);
    g_string_free(sizes->writes, TRUE);
    g_free(sizes);
}

bool block_sizes_hold(const BlockSizes *sizes, const JsonValue *stats, unsigned n_raw_commands,
                      uint64_t now_us)
{
    g_autoptr(GString) writes = NULL;

    if (sizes->n_raw_commands != n_raw_commands || now_us - sizes->asked_us > HOLD_US)
        return false;
    writes = writes_of(stats);
    return g_string_equal(writes, sizes->writes);
}

bool block_sizes_same_writes(const BlockSizes *sizes, const BlockSizes *before)
{
    return g_string_equal(sizes->writes, before->writes);
}

bool block_sizes_find(const BlockSizes *sizes, const char *node_name, ImageSize *ret_size)
{
    const ImageSize *size = g_hash_table_lookup(sizes->images, node_name);

    if (size)
        *ret_size = *size;
    return size != NULL;
}
