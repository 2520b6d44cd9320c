/* Disks. Each image is two nodes: "libvirt-N-storage" reads and writes the file, and
 * "libvirt-N-format" above it understands the format. */
#include "virtqemud/qemu/device_disk.h"

#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/command.h"
#include "virtqemud/qemu/device_controller.h"

/* ---- images ---- */

void disk_nodes_assign(DomainDef *def, unsigned *ret_next)
{
    unsigned next = 1;
    guint i;

    /* From the last disk to the first: all tops, with a number for empty drives too, then all
     * that is below them. */
    for (i = def->disks->len; i > 0; i--) {
        DiskSource *top = ((DiskDef *)def->disks->pdata[i - 1])->source;
        unsigned number = next++;

        if (top->path && !top->index)
            top->index = number;
    }
    for (i = def->disks->len; i > 0; i--) {
        DiskSource *top = ((DiskDef *)def->disks->pdata[i - 1])->source;

        for (DiskSource *source = top; top->path && source; source = source->backing) {
            if (!source->index)
                source->index = next++;
            if (!source->node_name)
                source->node_name = g_strdup_printf("libvirt-%u-format", source->index);
        }
    }
    *ret_next = next;
}

char *disk_storage_node_name(const DiskSource *source)
{
    return g_strdup_printf("libvirt-%u-storage", source->index);
}

static char *format_node_name(const DiskSource *source)
{
    return source->node_name ? g_strdup(source->node_name)
                             : g_strdup_printf("libvirt-%u-format", source->index);
}

char *disk_top_node_name(const DiskDef *disk)
{
    if (!disk->source->path)
        return NULL;
    if (disk->copy_on_read == XML_TRISTATE_YES)
        return g_strconcat("libvirt-CoR-", disk->target, NULL);
    return format_node_name(disk->source);
}

/* A disk that several guests write must not be cached by their hosts. */
static DiskCache effective_cache(const DiskDef *disk)
{
    return disk->cache == DISK_CACHE_DEFAULT && disk->is_shareable && !disk->is_readonly
               ? DISK_CACHE_NONE
               : disk->cache;
}

void disk_fill_live(DiskDef *disk)
{
    DiskSource *source = disk->source;

    disk->cache = effective_cache(disk);
    if (source->path)
        return;
    source->format = DISK_FORMAT_NONE;
    disk->startup_policy = STARTUP_DEFAULT;
}

/* QEMU's two switches behind the names of cache modes; the third, whether the guest's device
 * says that it has a write cache, is the device's. */
static void put_cache(JsonValue *node, DiskCache mode)
{
    JsonValue *cache;

    if (mode == DISK_CACHE_DEFAULT)
        return;
    cache = json_object();
    json_object_put_bool(cache, "direct",
                         mode == DISK_CACHE_NONE || mode == DISK_CACHE_DIRECTSYNC);
    json_object_put_bool(cache, "no-flush", mode == DISK_CACHE_UNSAFE);
    json_object_put(node, "cache", cache);
}

/* The node of the file or block device. */
static JsonValue *storage_node(const DiskDef *disk, const DiskSource *source)
{
    JsonValue *node = json_object();
    g_autofree char *name = disk_storage_node_name(source);

    json_object_put_string(node, "driver",
                           source->type == DISK_SOURCE_BLOCK ? "host_device" : "file");
    json_object_put_string(node, "filename", source->path);
    json_object_put_string(node, "aio", disk_io_names[disk->io]);
    json_object_put_string(node, "node-name", name);
    put_cache(node, effective_cache(disk));
    /* A file that cannot be written still serves a disk that is only read. */
    json_object_put_bool(node, "auto-read-only", true);
    /* What is above decides whether there are discards to pass on. */
    json_object_put_string(node, "discard", "unmap");
    return node;
}

static const char *detect_zeroes(const DiskDef *disk)
{
    /* Zeroes cannot become holes where discarding is off. */
    if (disk->detect_zeroes == DISK_ZEROES_UNMAP && disk->discard != DISK_DISCARD_UNMAP)
        return "on";
    return disk_detect_zeroes_names[disk->detect_zeroes];
}

/* The node that knows the format. What lies below the top is never written by the guest. */
static JsonValue *format_node(const DiskDef *disk, const DiskSource *source)
{
    JsonValue *node = json_object();
    bool is_top = source == disk->source;
    g_autofree char *name = format_node_name(source);
    g_autofree char *storage = disk_storage_node_name(source);

    json_object_put_string(node, "node-name", name);
    json_object_put_bool(node, "read-only",
                         !is_top || disk->is_readonly || disk->device == DISK_CDROM);
    json_object_put_string(node, "discard", disk_discard_names[disk->discard]);
    if (is_top)
        json_object_put_string(node, "detect-zeroes", detect_zeroes(disk));
    put_cache(node, effective_cache(disk));
    json_object_put_string(node, "driver", disk_format_names[source->format]);
    json_object_put_string(node, "file", storage);
    if (source->backing) {
        g_autofree char *backing = format_node_name(source->backing);

        json_object_put_string(node, "backing", backing);
    } else if (source->format != DISK_FORMAT_RAW) {
        /* Without it QEMU would open what the image's header names, unasked. */
        json_object_put(node, "backing", json_null());
    }
    return node;
}

/* A filter above all that copies what is read from below the top into it. */
static JsonValue *copy_on_read_node(const DiskDef *disk)
{
    JsonValue *node = json_object();
    g_autofree char *name = disk_top_node_name(disk);
    g_autofree char *file = format_node_name(disk->source);

    json_object_put_string(node, "driver", "copy-on-read");
    json_object_put_string(node, "node-name", name);
    json_object_put_string(node, "file", file);
    json_object_put_string(node, "discard", "unmap");
    return node;
}

/* What a start must have found out before. */
static bool source_is_ready(const DiskDef *disk, const DiskSource *source, GError **error)
{
    if (source->path && source->index && source->format != DISK_FORMAT_NONE)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "an image of disk '%s' has no %s", disk->target,
              !source->path    ? "path"
              : !source->index ? "number"
                               : "format");
    return false;
}

GPtrArray *disk_blockdevs_json(const DiskDef *disk, GError **error)
{
    g_autoptr(GPtrArray) nodes = g_ptr_array_new_with_free_func((GDestroyNotify)json_free);

    if (!disk->source->path)
        return g_steal_pointer(&nodes);
    for (const DiskSource *source = disk->source; source; source = source->backing) {
        if (!source_is_ready(disk, source, error))
            return NULL;
        g_ptr_array_insert(nodes, 0, format_node(disk, source));
        g_ptr_array_insert(nodes, 0, storage_node(disk, source));
    }
    if (disk->copy_on_read == XML_TRISTATE_YES)
        g_ptr_array_add(nodes, copy_on_read_node(disk));
    return g_steal_pointer(&nodes);
}

/* ---- devices ---- */

/* The device's id is its alias; QMP has no other name for a drive made of nodes. */
const char *disk_qdev_id(const DiskDef *disk)
{
    return disk->info.alias;
}

static const char *const virtio_drivers[] = {
    [DISK_MODEL_DEFAULT] = "virtio-blk-pci",
    [DISK_MODEL_VIRTIO] = "virtio-blk-pci",
    [DISK_MODEL_TRANSITIONAL] = "virtio-blk-pci-transitional",
    [DISK_MODEL_NON_TRANSITIONAL] = "virtio-blk-pci-non-transitional",
};

static const char *disk_driver(const DiskDef *disk)
{
    bool is_cdrom = disk->device == DISK_CDROM;

    switch (disk->bus) {
    case DISK_BUS_VIRTIO:
        return virtio_drivers[disk->model];
    case DISK_BUS_SCSI:
        return is_cdrom ? "scsi-cd" : disk->device == DISK_LUN ? "scsi-block" : "scsi-hd";
    case DISK_BUS_IDE:
    case DISK_BUS_SATA:
        return is_cdrom ? "ide-cd" : "ide-hd";
    case DISK_BUS_USB:
        return "usb-storage";
    case DISK_BUS_FDC:
        return "floppy";
    default:
        return NULL;
    }
}

/* Drive addresses mean something else on every bus. IDE: two units on each of two buses. SATA: a bus per unit. */
static bool put_ide_address(const DeviceScope *scope, JsonValue *device, const DiskDef *disk,
                            GError **error)
{
    bool is_ide = disk->bus == DISK_BUS_IDE;
    const DeviceAddress *address = &disk->info.address;
    const ControllerDef *controller =
        device_find_controller(scope, is_ide ? CONTROLLER_IDE : CONTROLLER_SATA,
                               address->drive.controller, error);
    g_autofree char *bus = NULL;

    if (!controller)
        return false;
    bus = g_strdup_printf("%s.%u", controller->info.alias,
                          is_ide ? address->drive.bus : address->drive.unit);
    json_object_put_string(device, "bus", bus);
    if (is_ide)
        json_object_put_uint64(device, "unit", address->drive.unit);
    return true;
}

/* SCSI: channel, target and unit, or the target alone on old cards. Guests make names of
 * device_id (page 0x83 of SPC-5), so it must not depend on the image. */
static bool put_scsi_address(const DeviceScope *scope, JsonValue *device, const DiskDef *disk,
                             GError **error)
{
    const DeviceAddress *address = &disk->info.address;
    const ControllerDef *controller =
        device_find_controller(scope, CONTROLLER_SCSI, address->drive.controller, error);
    g_autofree char *bus = NULL;
    g_autofree char *id = g_strconcat("drive-", disk->info.alias, NULL);

    if (!controller)
        return false;
    bus = g_strconcat(controller->info.alias, ".0", NULL);
    json_object_put_string(device, "bus", bus);
    if (controller_is_narrow_scsi(controller)) {
        json_object_put_uint64(device, "scsi-id", address->drive.unit);
    } else {
        json_object_put_uint64(device, "channel", address->drive.bus);
        json_object_put_uint64(device, "scsi-id", address->drive.target);
        json_object_put_uint64(device, "lun", address->drive.unit);
    }
    if (disk->device != DISK_LUN)
        json_object_put_string(device, "device_id", disk->serial ? disk->serial : id);
    return true;
}

/* There is one floppy controller, so drives do not name it. */
static bool put_address(const DeviceScope *scope, JsonValue *device, const DiskDef *disk,
                        GError **error)
{
    if (disk->bus == DISK_BUS_FDC) {
        json_object_put_uint64(device, "unit", disk->info.address.drive.unit);
        return true;
    }
    if (disk->info.address.type != ADDRESS_DRIVE)
        return device_json_put_address(scope, device, &disk->info, error);
    if (disk->bus == DISK_BUS_SCSI)
        return put_scsi_address(scope, device, disk, error);
    return put_ide_address(scope, device, disk, error);
}

static const char *error_policy_name(DiskErrorPolicy policy)
{
    return policy == DISK_ERROR_ENOSPACE ? "enospc" : disk_error_policy_names[policy];
}

/* One policy stands for both directions, except that reading cannot run out of space. */
static void put_error_policies(JsonValue *device, const DiskDef *disk)
{
    DiskErrorPolicy read = disk->rerror_policy;

    if (read == DISK_ERROR_DEFAULT && disk->error_policy != DISK_ERROR_ENOSPACE)
        read = disk->error_policy;
    if (disk->error_policy != DISK_ERROR_DEFAULT)
        json_object_put_string(device, "werror", error_policy_name(disk->error_policy));
    if (read != DISK_ERROR_DEFAULT)
        json_object_put_string(device, "rerror", error_policy_name(read));
}

/* Names that the guest sees. A WWN is 64 bits, in hexadecimal digits in XML. */
static bool put_names(JsonValue *device, const DiskDef *disk, GError **error)
{
    if (disk->wwn) {
        char *end;
        guint64 wwn = g_ascii_strtoull(disk->wwn, &end, 16);

        if (*end || end == disk->wwn) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                      "disk '%s' has the wwn '%s', which is no hexadecimal number", disk->target,
                      disk->wwn);
            return false;
        }
        json_object_put_uint64(device, "wwn", wwn);
    }
    json_object_put_string(device, "vendor", disk->vendor);
    json_object_put_string(device, "product", disk->product);
    json_object_put_string(device, "serial", disk->serial);
    return true;
}

static void put_driver_options(JsonValue *device, const DiskDef *disk)
{
    DiskCache cache = effective_cache(disk);

    if (disk->bus == DISK_BUS_VIRTIO) {
        device_json_put_switch(device, "ioeventfd", disk->io_event_fd);
        device_json_put_switch(device, "event_idx", disk->event_idx);
        device_json_put_size(device, "num-queues", disk->queues);
        device_json_put_size(device, "queue-size", disk->queue_size);
        device_json_put_virtio(device, &disk->virtio);
    }
    if (disk->is_shareable && (disk->bus == DISK_BUS_VIRTIO || disk->bus == DISK_BUS_SCSI))
        json_object_put_bool(device, "share-rw", true);
    if (disk->bus == DISK_BUS_USB)
        json_object_put_bool(device, "removable", disk->removable == XML_TRISTATE_YES);
    /* Whether the guest has to flush. */
    if (cache != DISK_CACHE_DEFAULT && disk->source->path && disk->device != DISK_LUN)
        json_object_put_string(device, "write-cache",
                               cache == DISK_CACHE_WRITETHROUGH || cache == DISK_CACHE_DIRECTSYNC
                                   ? "off"
                                   : "on");
    device_json_put_size(device, "rotation_rate", disk->rotation_rate);
    device_json_put_size(device, "logical_block_size", disk->logical_block_size);
    device_json_put_size(device, "physical_block_size", disk->physical_block_size);
}

/* Which floppy is booted from is the controller's to know. */
static bool put_info(const DeviceScope *scope, JsonValue *device, const DiskDef *disk,
                     GError **error)
{
    if (disk->bus != DISK_BUS_FDC || !disk->info.alias)
        return device_json_put_info(scope, device, &disk->info, error);
    json_object_put_string(device, "id", disk->info.alias);
    return true;
}

char *disk_floppy_boot_property(const DiskDef *disk)
{
    return g_strdup_printf("bootindex%c", disk->info.address.drive.unit ? 'B' : 'A');
}

JsonValue *disk_device_json(const DeviceScope *scope, const DiskDef *disk, GError **error)
{
    const char *driver = disk_driver(disk);
    g_autofree char *node = disk_top_node_name(disk);
    g_autoptr(JsonValue) device = NULL;

    if (!driver) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "disk '%s' is on the bus '%s', which is not supported", disk->target,
                  disk_bus_names[disk->bus] ? disk_bus_names[disk->bus] : "");
        return NULL;
    }
    device = device_json_new(scope, driver, error);
    if (!device || !put_address(scope, device, disk, error))
        return NULL;
    json_object_put_string(device, "drive", node);
    if (!put_info(scope, device, disk, error) ||
        !put_names(device, disk, error))
        return NULL;
    put_driver_options(device, disk);
    put_error_policies(device, disk);
    return g_steal_pointer(&device);
}
