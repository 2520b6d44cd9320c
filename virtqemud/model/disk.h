/* Disks and their sources: <disk>. */
#pragma once

#include "virtqemud/model/device_info.h"
#include "virtqemud/model/disk_source.h"
#include "virtqemud/model/virtio.h"

typedef enum DiskDevice { DISK_DISK, DISK_CDROM, DISK_FLOPPY, DISK_LUN, N_DISK_DEVICES } DiskDevice;
typedef enum DiskBus {
    DISK_BUS_NONE, DISK_BUS_IDE, DISK_BUS_FDC, DISK_BUS_SCSI, DISK_BUS_VIRTIO, DISK_BUS_USB,
    DISK_BUS_SATA, N_DISK_BUSES
} DiskBus;
typedef enum DiskCache {
    DISK_CACHE_DEFAULT, DISK_CACHE_NONE, DISK_CACHE_WRITETHROUGH, DISK_CACHE_WRITEBACK,
    DISK_CACHE_DIRECTSYNC, DISK_CACHE_UNSAFE, N_DISK_CACHES
} DiskCache;
typedef enum DiskIo { DISK_IO_DEFAULT, DISK_IO_NATIVE, DISK_IO_THREADS, DISK_IO_URING, N_DISK_IOS } DiskIo;
typedef enum DiskDiscard { DISK_DISCARD_DEFAULT, DISK_DISCARD_UNMAP, DISK_DISCARD_IGNORE, N_DISK_DISCARDS } DiskDiscard;
typedef enum DiskDetectZeroes { DISK_ZEROES_DEFAULT, DISK_ZEROES_OFF, DISK_ZEROES_ON, DISK_ZEROES_UNMAP, N_DISK_DETECT_ZEROES } DiskDetectZeroes;
typedef enum DiskErrorPolicy {
    DISK_ERROR_DEFAULT, DISK_ERROR_STOP, DISK_ERROR_REPORT, DISK_ERROR_IGNORE, DISK_ERROR_ENOSPACE,
    N_DISK_ERROR_POLICIES
} DiskErrorPolicy;
typedef enum DiskStartup { STARTUP_DEFAULT, STARTUP_MANDATORY, STARTUP_REQUISITE, STARTUP_OPTIONAL, N_DISK_STARTUPS } DiskStartup;
extern const char *const disk_device_names[N_DISK_DEVICES];
extern const char *const disk_bus_names[N_DISK_BUSES];
extern const char *const disk_cache_names[N_DISK_CACHES];
extern const char *const disk_io_names[N_DISK_IOS];
extern const char *const disk_discard_names[N_DISK_DISCARDS];
extern const char *const disk_detect_zeroes_names[N_DISK_DETECT_ZEROES];
extern const char *const disk_error_policy_names[N_DISK_ERROR_POLICIES];

typedef struct DiskDef {
    DeviceInfo info;
    DiskDevice device;
    DiskBus bus;
    DiskSource *source;   /* never NULL; its path may be */
    char *target;         /* "vda" */
    XmlTristate removable; /* <target removable=''>, of usb */
    XmlTristate tray_open; /* <target tray='open'> */
    /* The model attribute, of virtio disks: the VirtioModel of the same name, plus one. */
    enum { DISK_MODEL_DEFAULT, DISK_MODEL_VIRTIO, DISK_MODEL_TRANSITIONAL, DISK_MODEL_NON_TRANSITIONAL } model;
    enum { DISK_SNAPSHOT_DEFAULT, DISK_SNAPSHOT_NO, DISK_SNAPSHOT_INTERNAL, DISK_SNAPSHOT_EXTERNAL, DISK_SNAPSHOT_MANUAL } snapshot;
    XmlTristate raw_io;   /* yes/no, of LUNs */
    enum { DISK_SGIO_DEFAULT, DISK_SGIO_FILTERED, DISK_SGIO_UNFILTERED } sgio; /* of LUNs */
    unsigned rotation_rate; /* <target rotation_rate=''>: 1 is an SSD; 0: none given */
    char *driver_name;    /* "qemu"; NULL */
    DiskCache cache;
    DiskIo io;
    DiskDiscard discard;
    DiskDetectZeroes detect_zeroes;
    DiskErrorPolicy error_policy, rerror_policy;
    XmlTristate copy_on_read, io_event_fd, event_idx;
    unsigned queues, queue_size; /* 0: default */
    VirtioOptions virtio;
    DiskStartup startup_policy;
    bool is_readonly, is_shareable, is_transient;
    char *serial, *wwn, *vendor, *product;
    unsigned logical_block_size, physical_block_size; /* <blockio>; 0: default */
} DiskDef;

bool disk_def_parse(const XmlNode *disk, DomainParseFlags flags, DiskDef **ret_disk, GError **error);
void disk_def_format(const DiskDef *disk, XmlWriter *writer, DomainFormatFlags flags);
void disk_def_free(DiskDef *disk);
/* What a disk alone can have wrong. Errors: XML_ERROR, CONFIG_UNSUPPORTED. */
bool disk_def_validate(const DiskDef *disk, GError **error);
/* The number that a target's letters stand for: "vda" 0, "sdab" 27; -1 for a name without. */
int disk_target_index(const char *target);
/* The target of number @index with @prefix; to be freed. */
char *disk_target_name(const char *prefix, unsigned index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DiskDef, disk_def_free)
