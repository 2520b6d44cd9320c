/* Disks: the nodes of a chain of images, and the device that the guest sees. */
#pragma once

#include "virtqemud/qemu/device_json.h"

/* The arguments of blockdev-add for all images of @disk, the lowest first; an empty array when
 * there is no medium. To be freed with g_ptr_array_unref(). Never fails for a disk whose images
 * have numbers and formats. */
GPtrArray *disk_blockdevs_json(const DiskDef *disk, GError **error);
JsonValue *disk_device_json(const DeviceScope *scope, const DiskDef *disk, GError **error);
/* The property of the floppy controller that holds the boot index of a floppy; to be freed. */
char *disk_floppy_boot_property(const DiskDef *disk);
/* The node that the device reads and writes; NULL without medium. To be freed. */
char *disk_top_node_name(const DiskDef *disk);
