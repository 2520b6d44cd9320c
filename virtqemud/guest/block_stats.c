/* QEMU names nodes, devices and QOM paths; the numbers belong to a disk by its node's name. */
#include "virtqemud/guest/block_stats.h"

#include <string.h>

#include "json/get.h"
#include "virtqemud/qemu/command.h"
#include "wire/api_domain_fields.h"

/* What is added for one image of one disk. */
typedef struct BlockEntry {
    const BlockSizes *sizes;
    const JsonValue *stats;
    guint number; /* of the entry */
    TypedParams *params;
} BlockEntry;

static void add_ullong(const BlockEntry *entry, const char *suffix, uint64_t value)
{
    g_autofree char *name = g_strdup_printf(VIR_DOMAIN_STATS_BLOCK_PREFIX "%u%s", entry->number, suffix);

    typed_params_add_ullong(entry->params, name, value);
}

static void add_string(const BlockEntry *entry, const char *suffix, const char *value)
{
    g_autofree char *name = g_strdup_printf(VIR_DOMAIN_STATS_BLOCK_PREFIX "%u%s", entry->number, suffix);

    typed_params_add_string(entry->params, name, value);
}

/* "/machine/peripheral/virtio-disk0/virtio-backend" and "virtio-disk0" are the same device. */
static bool qdev_is(const char *qdev, const char *alias)
{
    const char *found = strstr(qdev, alias);

    return found && (found == qdev || found[-1] == '/') &&
           (found[strlen(alias)] == 0 || found[strlen(alias)] == '/' ||
            found[strlen(alias)] == '[');
}

/* A device's numbers; a drive without medium has no node but has these. */
static const JsonValue *find_device(const JsonValue *stats, const char *alias)
{
    for (guint i = 0; stats && json_type(stats) == JSON_ARRAY && i < json_length(stats); i++) {
        const JsonValue *item = json_at(stats, i);
        const char *qdev;

        if (json_type(item) == JSON_OBJECT && json_object_get_string(item, "qdev", &qdev, NULL) &&
            qdev_is(qdev, alias))
            return item;
    }
    return NULL;
}

static const struct {
    const char *qemu, *suffix;
} counters[] = {
    { "rd_operations", VIR_DOMAIN_STATS_BLOCK_SUFFIX_RD_REQS },
    { "rd_bytes", VIR_DOMAIN_STATS_BLOCK_SUFFIX_RD_BYTES },
    { "rd_total_time_ns", VIR_DOMAIN_STATS_BLOCK_SUFFIX_RD_TIMES },
    { "wr_operations", VIR_DOMAIN_STATS_BLOCK_SUFFIX_WR_REQS },
    { "wr_bytes", VIR_DOMAIN_STATS_BLOCK_SUFFIX_WR_BYTES },
    { "wr_total_time_ns", VIR_DOMAIN_STATS_BLOCK_SUFFIX_WR_TIMES },
    { "flush_operations", VIR_DOMAIN_STATS_BLOCK_SUFFIX_FL_REQS },
    { "flush_total_time_ns", VIR_DOMAIN_STATS_BLOCK_SUFFIX_FL_TIMES },
};

static void add_counters(const BlockEntry *entry, const JsonValue *device)
{
    const JsonValue *values;
    uint64_t value;

    if (!device || !json_object_get_object(device, "stats", &values, NULL))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
        if (json_object_get_uint64(values, counters[i].qemu, &value, NULL))
            add_ullong(entry, counters[i].suffix, value);
    }
}

/* How far the file below the format has been written. */
static void add_allocation(const BlockEntry *entry, const JsonValue *device)
{
    const JsonValue *parent, *values;
    uint64_t value;

    if (device && json_object_get_object(device, "parent", &parent, NULL) &&
        json_object_get_object(parent, "stats", &values, NULL) &&
        json_object_get_uint64(values, "wr_highest_offset", &value, NULL))
        add_ullong(entry, VIR_DOMAIN_STATS_BLOCK_SUFFIX_ALLOCATION, value);
}

/* A raw image is as large as its disk, however much of it is allocated: clients know it so. */
static void add_sizes(const BlockEntry *entry, const DiskSource *source)
{
    bool is_raw = source->format == DISK_FORMAT_RAW;
    ImageSize size;

    if (!entry->sizes || !source->node_name ||
        !block_sizes_find(entry->sizes, source->node_name, &size))
        return;
    add_ullong(entry, VIR_DOMAIN_STATS_BLOCK_SUFFIX_CAPACITY, size.virtual_bytes);
    if (is_raw || size.has_actual)
        add_ullong(entry, VIR_DOMAIN_STATS_BLOCK_SUFFIX_PHYSICAL,
                   is_raw ? size.virtual_bytes : size.actual_bytes);
}

/* @device: what QEMU counts of it, or NULL. Requests are the guest's: those below it are not told. */
static void add_image(const BlockEntry *entry, const DiskDef *disk, const DiskSource *source,
                      const JsonValue *device)
{
    add_string(entry, VIR_DOMAIN_STATS_BLOCK_SUFFIX_NAME, disk->target);
    if (source->path)
        add_string(entry, VIR_DOMAIN_STATS_BLOCK_SUFFIX_PATH, source->path);
    if (source->index) {
        g_autofree char *name = g_strdup_printf(
            VIR_DOMAIN_STATS_BLOCK_PREFIX "%u" VIR_DOMAIN_STATS_BLOCK_SUFFIX_BACKINGINDEX, entry->number);

        typed_params_add_uint(entry->params, name, source->index);
    }
    if (source == disk->source)
        add_counters(entry, device);
    if (source->path) {
        add_allocation(entry, device);
        add_sizes(entry, source);
    }
}

static guint count_images(const DomainDef *def, bool with_backing)
{
    guint n = 0;

    for (guint i = 0; i < def->disks->len; i++) {
        const DiskDef *disk = def->disks->pdata[i];

        n++;
        for (const DiskSource *source = disk->source->backing; with_backing && source && source->path;
             source = source->backing)
            n++;
    }
    return n;
}

void block_stats_add(const DomainDef *def, const BlockSizes *sizes, const JsonValue *stats,
                     bool with_backing, TypedParams *params)
{
    BlockEntry entry = { sizes, stats, 0, params };

    typed_params_add_uint(params, VIR_DOMAIN_STATS_BLOCK_COUNT, count_images(def, with_backing));
    for (guint i = 0; i < def->disks->len; i++) {
        const DiskDef *disk = def->disks->pdata[i];
        const JsonValue *device = find_device(stats, disk->info.alias ? disk->info.alias : "");

        for (const DiskSource *source = disk->source;
             source && (source == disk->source || (with_backing && source->path));
             source = source->backing) {
            add_image(&entry, disk, source, device);
            entry.number++;
            if (device && !json_object_get_object(device, "backing", &device, NULL))
                device = NULL;
        }
    }
}
