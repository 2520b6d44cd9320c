/* Whole block devices (kernel: Documentation/ABI/stable/sysfs-block). Where udev runs its database
 * tells bus, type and serial number; else what the kernel shows has to do. */
#include <inttypes.h>
#include <string.h>

#include "virtnodedevd/kind.h"
#include "wire/api_nodedev.h"

/* The unit of the attribute "size", whatever the device's blocks are. */
#define SECTOR_BYTES 512

static uint64_t size_bytes(const SysDevice *device)
{
    uint64_t sectors = 0;

    sys_attr_number(device, "size", 10, &sectors);
    return sectors * SECTOR_BYTES;
}

/* Of these the kernel keeps a stock, most of which nobody uses: they are there while they have a
 * size. (Of others' first size the kernel tells nobody.) */
static bool is_unused(const SysDevice *device)
{
    static const char *const stocks[] = { "loop", "nbd" };

    for (size_t i = 0; i < G_N_ELEMENTS(stocks); i++) {
        if (g_str_has_prefix(device->name, stocks[i]))
            return size_bytes(device) == 0;
    }
    return false;
}

static bool storage_identify(const SysDevice *device, GString *suffix)
{
    const char *serial = sys_property(device, "ID_SERIAL");

    if (is_unused(device))
        return false;
    g_string_append(suffix, device->name);
    if (serial)
        g_string_append_printf(suffix, "_%s", serial);
    return true;
}

typedef struct DriveName {
    const char *prefix, *type;
} DriveName;

/* What its name says (kernel: Documentation/admin-guide/devices.txt). */
static const char *type_from_name(const SysDevice *device)
{
    static const DriveName names[] = {
        { "sr", "cdrom" }, { "fd", "floppy" }, { "dasd", "dasd" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_has_prefix(device->name, names[i].prefix))
            return names[i].type;
    }
    return "disk";
}

/* Of the cards that such a reader takes only these have a type of their own. */
static bool is_sd_card(const SysDevice *device)
{
    g_autofree char *type = sys_attr(device, "device/type");

    return sys_property(device, "ID_DRIVE_FLASH_SD") || g_strcmp0(type, "SD") == 0;
}

/* What udev calls a drive, else what can be told without it. */
static const char *drive_type(const SysDevice *device)
{
    const char *type = sys_property(device, "ID_TYPE");

    if (sys_property(device, "ID_CDROM") || g_strcmp0(type, "cd") == 0)
        return "cdrom";
    if (sys_property(device, "ID_DRIVE_FLOPPY"))
        return "floppy";
    if (type)
        return type;
    return is_sd_card(device) ? "sd" : type_from_name(device);
}

static void write_blocks(const SysDevice *device, XmlWriter *writer)
{
    uint64_t block = 0;

    if (!sys_attr_number(device, "queue/logical_block_size", 10, &block) || block == 0)
        return;
    xml_writer_element(writer, "logical_block_size", "%" PRIu64, block);
    xml_writer_element(writer, "num_blocks", "%" PRIu64, size_bytes(device) / block);
}

/* udev looks into a drive for compact disks; into one for floppies only who has read its label has
 * looked. Without udev a medium is taken to be there when the drive has a size. */
static bool has_medium(const SysDevice *device, const char *type)
{
    if (g_hash_table_size(device->properties) == 0)
        return size_bytes(device) > 0;
    return g_str_equal(type, "cdrom")
               ? g_strcmp0(sys_property(device, "ID_CDROM_MEDIA"), "1") == 0
               : sys_property(device, "ID_FS_LABEL") != NULL;
}

/* A drive that keeps its place while media come and go. */
static void write_removable(const SysDevice *device, const char *type, XmlWriter *writer)
{
    bool is_there = has_medium(device, type);

    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "removable");
    xml_writer_element(writer, "media_available", "%d", is_there);
    xml_writer_element(writer, "media_size", "%" PRIu64, is_there ? size_bytes(device) : 0);
    if (is_there) {
        xml_writer_element_string(writer, "media_label", sys_property(device, "ID_FS_LABEL"));
        write_blocks(device, writer);
    }
    xml_writer_close(writer);
}

/* Whether it, or what it is in, can be taken away by hand: what it hangs on says so (kernel:
 * Documentation/ABI/testing/sysfs-devices-removable). */
static bool is_hotpluggable(const SysDevice *device)
{
    g_autofree char *dir = g_strdup(device->dir);
    size_t root = strlen(dir) - strlen(device->path);

    for (char *slash = strrchr(dir, '/'); slash && (size_t)(slash - dir) > root;
         slash = strrchr(dir, '/')) {
        g_autofree char *text = NULL;

        *slash = '\0';
        text = sys_read(dir, "removable");
        if (g_strcmp0(text, "removable") == 0)
            return true;
    }
    return false;
}

static void write_hotpluggable(const SysDevice *device, XmlWriter *writer)
{
    if (!is_hotpluggable(device))
        return;
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "hotpluggable");
    xml_writer_close(writer);
}

static void write_attr(const SysDevice *device, XmlWriter *writer, const char *element,
                       const char *attribute)
{
    g_autofree char *text = sys_attr(device, attribute);

    if (text && *text)
        xml_writer_element_string(writer, element, text);
}

static void storage_format(const SysDevice *device, XmlWriter *writer)
{
    const char *type = drive_type(device);
    const char *name = device->devname ? device->devname : device->name;

    xml_writer_element(writer, "block", "/dev/%s", name);
    xml_writer_element_string(writer, "bus", sys_property(device, "ID_BUS"));
    xml_writer_element_string(writer, "drive_type", type);
    write_attr(device, writer, "model", "device/model");
    write_attr(device, writer, "vendor", "device/vendor");
    xml_writer_element_string(writer, "serial", sys_property(device, "ID_SERIAL"));
    if (g_str_equal(type, "cdrom") || g_str_equal(type, "floppy")) {
        write_removable(device, type, writer);
    } else {
        xml_writer_element(writer, "size", "%" PRIu64, size_bytes(device));
        write_blocks(device, writer);
    }
    write_hotpluggable(device, writer);
}

static const DeviceKind kinds[] = {
    {
        .subsystem = "block",
        .devtype = "disk",
        .prefix = "block",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_STORAGE,
        .identify = storage_identify,
        .format = storage_format,
    },
};

const KindTable storage_kinds = { kinds, G_N_ELEMENTS(kinds) };
