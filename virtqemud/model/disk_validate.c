/* Rules of one disk, and the numbers in the names of targets. */
#include <string.h>

#include "virtqemud/model/disk.h"
#include "virtqemud/model/fields.h"

#define LETTERS 26
/* What inquiry data has room for. */
#define VENDOR_MAX 8
#define PRODUCT_MAX 16
#define WWN_DIGITS 16
#define SERIAL_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_. +/\\:"

static const char *const target_prefixes[] = { "fd", "hd", "vd", "sd", "xvd", "ubd" };

int disk_target_index(const char *target)
{
    const char *letters = NULL;
    int number = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(target_prefixes) && !letters; i++)
        if (g_str_has_prefix(target, target_prefixes[i]))
            letters = target + strlen(target_prefixes[i]);
    if (!letters || !g_ascii_islower(*letters))
        return -1;
    for (; g_ascii_islower(*letters); letters++) {
        if (number > (G_MAXINT - LETTERS) / LETTERS)
            return -1;
        number = number * LETTERS + (*letters - 'a') + 1;
    }
    /* A partition may follow, which is for others to refuse. */
    return letters[strspn(letters, G_CSET_DIGITS)] == '\0' ? number - 1 : -1;
}

/* Like the columns of a spreadsheet: a number in base 26 without a zero. */
char *disk_target_name(const char *prefix, unsigned index)
{
    char letters[8];
    size_t place = sizeof(letters) - 1;

    letters[place] = '\0';
    for (uint64_t rest = (uint64_t)index + 1; rest > 0; rest = (rest - 1) / LETTERS)
        letters[--place] = (char)('a' + (rest - 1) % LETTERS);
    return g_strconcat(prefix, letters + place, NULL);
}

static bool unsupported(GError **error, const char *text)
{
    return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

/* "vda01": a number that no partition has. */
static bool has_leading_zero(const char *target)
{
    size_t n_letters = strcspn(target, G_CSET_DIGITS);

    return target[n_letters] == '0' && target[n_letters + 1] != '\0';
}

/* LUNs hand the guest's commands on to a real device, so nothing can be made up for them. */
static bool lun_validate(const DiskDef *disk, GError **error)
{
    if (disk->source->type != DISK_SOURCE_BLOCK)
        return unsupported(error, "disk device='lun' is only valid for block type disk source");
    if (disk->bus != DISK_BUS_SCSI && disk->bus != DISK_BUS_VIRTIO)
        return model_fail_qemu(error, "disk device='lun' is not supported for bus='%s'",
                               disk_bus_names[disk->bus]);
    if (disk->sgio == DISK_SGIO_UNFILTERED)
        return unsupported(error, "unfiltered sgio is no longer supported");
    if (disk->source->format > DISK_FORMAT_RAW)
        return unsupported(error, "disk device 'lun' must use 'raw' format");
    if (disk->serial)
        return model_fail_qemu(error,
                               "scsi-block 'lun' devices do not support the serial property");
    if (disk->wwn)
        return model_fail_qemu(error, "Setting wwn is not supported for lun device");
    if (disk->copy_on_read == XML_TRISTATE_YES)
        return model_fail_qemu(error, "copy_on_read is not compatible with 'lun' disk '%s'",
                               disk->target);
    return true;
}

/* What is ejected, and what is not. */
static bool bus_validate(const DiskDef *disk, GError **error)
{
    if (disk->bus == DISK_BUS_NONE)
        return model_fail(error, VIR_ERR_XML_ERROR,
                          "Unknown disk name '%.64s' and no address specified", disk->target);
    if (disk->device == DISK_CDROM && disk->bus == DISK_BUS_VIRTIO)
        return model_fail_qemu(error, "disk type of '%.64s' does not support ejectable media",
                               disk->target);
    if (disk->device == DISK_LUN)
        return lun_validate(disk, error);
    if (disk->raw_io)
        return unsupported(error, "rawio can be used only with device='lun'");
    return !disk->sgio || unsupported(error, "sgio can be used only with device='lun'");
}

/* Floppies are on floppy controllers and nothing else is. Names of a kind begin alike; those of
 * CD-ROMs have always been left alone. */
static bool kind_validate(const DiskDef *disk, GError **error)
{
    bool is_floppy = disk->device == DISK_FLOPPY;
    bool fits = disk->device == DISK_CDROM;

    if (is_floppy != (disk->bus == DISK_BUS_FDC))
        return model_fail(error, VIR_ERR_INTERNAL_ERROR, "Invalid bus type '%s' for %sdisk",
                          disk_bus_names[disk->bus], is_floppy ? "floppy " : "");
    for (size_t i = 0; i < G_N_ELEMENTS(target_prefixes) && !fits; i++)
        fits = is_floppy == (i == 0) && g_str_has_prefix(disk->target, target_prefixes[i]);
    return fits || model_fail(error, VIR_ERR_INTERNAL_ERROR, "Invalid %s device name: %.64s",
                              is_floppy ? "floppy" : "harddisk", disk->target);
}

static bool target_validate(const DiskDef *disk, GError **error)
{
    bool has_medium = disk->device == DISK_CDROM || disk->device == DISK_FLOPPY;
    size_t length = strlen(disk->target);

    if (!kind_validate(disk, error))
        return false;
    if (has_leading_zero(disk->target) || disk_target_index(disk->target) < 0)
        return model_fail_qemu(error, "invalid disk target '%.64s'", disk->target);
    if (g_ascii_isdigit(disk->target[length - 1]))
        return model_fail_qemu(
            error, "invalid disk target '%.64s', partitions can't appear in disk targets",
            disk->target);
    if (disk->tray_open && !has_medium)
        return unsupported(error, "tray is only valid for cdrom and floppy");
    if (disk->removable && disk->bus != DISK_BUS_USB)
        return model_fail(error, VIR_ERR_XML_ERROR, "removable is only valid for usb disks");
    if (disk->rotation_rate != 0 && disk->device != DISK_DISK)
        return model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                               "rotation rate is only valid for disk device");
    if (disk->rotation_rate != 0 && disk->bus != DISK_BUS_SCSI && disk->bus != DISK_BUS_IDE &&
        disk->bus != DISK_BUS_SATA)
        return model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                               "rotation rate is only valid for SCSI/IDE/SATA bus");
    if (disk->startup_policy == STARTUP_REQUISITE && !has_medium)
        return model_fail(error, VIR_ERR_XML_ERROR,
                          "disk startupPolicy 'requisite' is allowed only for cdrom or floppy");
    return true;
}

/* Combinations that QEMU would refuse at start, or take and ignore. */
static bool driver_validate(const DiskDef *disk, GError **error)
{
    if (disk->driver_name && strcmp(disk->driver_name, "qemu") != 0)
        return model_fail_qemu(error, "unsupported driver name '%.64s' for disk '%s'",
                               disk->driver_name, disk->target);
    if (disk->bus != DISK_BUS_VIRTIO) {
        if (disk->model)
            return model_fail(
                error, VIR_ERR_CONFIG_UNSUPPORTED, "disk model '%s' not supported for bus '%s'",
                virtio_model_names[disk->model - DISK_MODEL_VIRTIO], disk_bus_names[disk->bus]);
        if (!virtio_options_expect_none(&disk->virtio, error))
            return false;
        if (disk->io_event_fd)
            return unsupported(error, "disk ioeventfd mode supported only for virtio bus");
        if (disk->event_idx)
            return unsupported(error, "disk event_idx mode supported only for virtio bus");
        if (disk->queues)
            return unsupported(error, "queues attribute in disk driver element is only supported "
                                      "by virtio-blk");
    }
    if (disk->io == DISK_IO_NATIVE && disk->cache != DISK_CACHE_NONE &&
        disk->cache != DISK_CACHE_DIRECTSYNC)
        return model_fail_qemu(error, "io='native' needs either no disk cache or directsync cache "
                                      "mode");
    if (disk->copy_on_read == XML_TRISTATE_YES && disk->is_readonly)
        return model_fail_qemu(error, "copy_on_read is not compatible with read-only disk '%s'",
                               disk->target);
    return true;
}

/* What several guests, or none, may write. Formats other than raw keep metadata that a second
 * writer would break. */
static bool access_validate(const DiskDef *disk, GError **error)
{
    bool is_disk = disk->device == DISK_DISK;

    if (disk->is_readonly && is_disk && (disk->bus == DISK_BUS_IDE || disk->bus == DISK_BUS_SATA))
        return model_fail_qemu(error, "readonly %s disks are not supported",
                               disk_bus_names[disk->bus]);
    if (disk->is_shareable && disk->source->path && disk->source->format != DISK_FORMAT_RAW)
        return model_fail_qemu(
            error, "shared access for disk '%s' requires use of supported storage format",
            disk->target);
    if (!disk->is_transient)
        return true;
    if (!disk->source->path)
        return model_fail_qemu(error, "transient disk '%s' must not be empty", disk->target);
    if (disk->is_readonly)
        return model_fail_qemu(error, "transient disk '%s' must not be read-only", disk->target);
    return true;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (!g_ascii_isprint(*text))
            return false;
    return true;
}

/* World Wide Names: 64 bits, in hexadecimal. */
static bool is_wwn(const char *text)
{
    const char *digits = g_str_has_prefix(text, "0x") ? text + 2 : text;
    size_t length = strspn(digits, G_CSET_DIGITS "abcdefABCDEF");

    return length == WWN_DIGITS && digits[length] == '\0';
}

/* Texts that end up in inquiry data and on QEMU's command line. */
static bool identity_validate(const DiskDef *disk, GError **error)
{
    bool is_scsi = disk->bus == DISK_BUS_SCSI;

    if (disk->serial && disk->serial[strspn(disk->serial, SERIAL_CHARS)] != '\0')
        return model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                               "driver serial '%.256s' contains unsafe characters", disk->serial);
    if (disk->wwn && !is_wwn(disk->wwn))
        return model_fail(error, VIR_ERR_INTERNAL_ERROR, "Malformed wwn: %.64s", disk->wwn);
    if (disk->wwn && !is_scsi && disk->bus != DISK_BUS_IDE)
        return model_fail_qemu(error, "Only ide and scsi disk support wwn");
    if (disk->vendor && strlen(disk->vendor) > VENDOR_MAX)
        return unsupported(error, "disk vendor is more than 8 characters");
    if (disk->product && strlen(disk->product) > PRODUCT_MAX)
        return unsupported(error, "disk product is more than 16 characters");
    if ((disk->vendor && !is_printable(disk->vendor)) ||
        (disk->product && !is_printable(disk->product)))
        return model_fail(error, VIR_ERR_XML_ERROR, "disk %s is not printable string",
                          disk->vendor && !is_printable(disk->vendor) ? "vendor" : "product");
    if ((disk->vendor || disk->product) && !is_scsi)
        return model_fail_qemu(error, "Only scsi disk supports vendor and product");
    return true;
}

/* Where on its controller a disk can be: what all models of a bus have in common. */
static bool drive_validate(const DiskDef *disk, GError **error)
{
    const char *bus = disk_bus_names[disk->bus];

    if (disk->bus == DISK_BUS_SCSI)
        return disk->info.address.drive.bus == 0 ||
               model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                               "SCSI controller only supports 1 bus");
    if (disk->info.address.drive.target != 0)
        return model_fail_qemu(error, "target must be 0 for %s controller", bus);
    if (disk->info.address.drive.bus != 0 && disk->bus != DISK_BUS_IDE)
        return model_fail_qemu(error, "bus must be 0 for %s controller", bus);
    return true;
}

/* Which kinds of address a bus has. */
static bool address_validate(const DiskDef *disk, GError **error)
{
    AddressType type = disk->info.address.type;

    if (type == ADDRESS_NONE)
        return true;
    switch (disk->bus) {
    case DISK_BUS_VIRTIO:
        if (type == ADDRESS_PCI || type == ADDRESS_VIRTIO_MMIO)
            return true;
        return model_fail_qemu(error, "virtio disk cannot have an address of type '%s'",
                               address_type_names[type]);
    case DISK_BUS_USB:
        return type == ADDRESS_USB || model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                                                      "unexpected address type for usb disk");
    default:
        if (type == ADDRESS_DRIVE)
            return drive_validate(disk, error);
        break;
    }
    return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "Invalid address type '%s' for the disk '%s' with the bus type '%s'",
                      address_type_names[type], disk->target, disk_bus_names[disk->bus]);
}

bool disk_def_validate(const DiskDef *disk, GError **error)
{
    return target_validate(disk, error) && bus_validate(disk, error) &&
           driver_validate(disk, error) && access_validate(disk, error) &&
           identity_validate(disk, error) && address_validate(disk, error);
}
