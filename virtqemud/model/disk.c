/* <disk>: its attributes, driver, target and little elements. What lies in images is in
 * disk_source.c, the rules are in disk_validate.c. */
#include "virtqemud/model/disk.h"

#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/disk_source.h"
#include "virtqemud/model/fields.h"

const char *const disk_device_names[N_DISK_DEVICES] = { "disk", "cdrom", "floppy", "lun" };
const char *const disk_bus_names[N_DISK_BUSES] = {
    NULL, "ide", "fdc", "scsi", "virtio", "usb", "sata",
};
const char *const disk_cache_names[N_DISK_CACHES] = {
    NULL, "none", "writethrough", "writeback", "directsync", "unsafe",
};
const char *const disk_io_names[N_DISK_IOS] = { NULL, "native", "threads", "io_uring" };
const char *const disk_discard_names[N_DISK_DISCARDS] = { NULL, "unmap", "ignore" };
const char *const disk_detect_zeroes_names[N_DISK_DETECT_ZEROES] = { NULL, "off", "on", "unmap" };
const char *const disk_error_policy_names[N_DISK_ERROR_POLICIES] = {
    NULL, "stop", "report", "ignore", "enospace",
};
static const char *const startup_names[N_DISK_STARTUPS] = {
    NULL,
    "mandatory",
    "requisite",
    "optional",
};
/* Of other hypervisors. */
static const char *const other_buses[] = { "xen", "uml", "sd", "none" };

static const char *const model_names[] = {
    NULL,
    "virtio",
    "virtio-transitional",
    "virtio-non-transitional",
};
static const char *const snapshot_names[] = { NULL, "no", "internal", "external", "manual" };
static const char *const sgio_names[] = { NULL, "filtered", "unfiltered" };

/* Attributes of <disk>, after its type, which is the source's. */
static const Field disk_fields[] = {
    FIELD_NAMED("device", DiskDef, device, disk_device_names),
    FIELD_NAMED("model", DiskDef, model, model_names),
    FIELD("rawio", FIELD_YES_NO, DiskDef, raw_io),
    FIELD_NAMED("sgio", DiskDef, sgio, sgio_names),
    FIELD_NAMED("snapshot", DiskDef, snapshot, snapshot_names),
};

/* Attributes of <driver>, after name and type. */
static const Field driver_fields[] = {
    FIELD_NAMED("cache", DiskDef, cache, disk_cache_names),
    FIELD_NAMED("error_policy", DiskDef, error_policy, disk_error_policy_names),
    FIELD_NAMED("rerror_policy", DiskDef, rerror_policy, disk_error_policy_names),
    FIELD_NAMED("io", DiskDef, io, disk_io_names),
    FIELD("ioeventfd", FIELD_ON_OFF, DiskDef, io_event_fd),
    FIELD("event_idx", FIELD_ON_OFF, DiskDef, event_idx),
    FIELD("copy_on_read", FIELD_ON_OFF, DiskDef, copy_on_read),
    FIELD_NAMED("discard", DiskDef, discard, disk_discard_names),
    FIELD_NAMED("detect_zeroes", DiskDef, detect_zeroes, disk_detect_zeroes_names),
    FIELD("queues", FIELD_UINT, DiskDef, queues),
    FIELD("queue_size", FIELD_UINT, DiskDef, queue_size),
    VIRTIO_FIELDS(DiskDef, virtio),
};

static const Field block_fields[] = {
    FIELD("logical_block_size", FIELD_UINT, DiskDef, logical_block_size),
    FIELD("physical_block_size", FIELD_UINT, DiskDef, physical_block_size),
};

void disk_def_free(DiskDef *disk)
{
    if (!disk)
        return;
    device_info_clear(&disk->info);
    disk_source_free(disk->source);
    g_free(disk->target);
    g_free(disk->driver_name);
    g_free(disk->serial);
    g_free(disk->wwn);
    g_free(disk->vendor);
    g_free(disk->product);
    g_free(disk);
}

static bool bus_parse(const XmlNode *target, DiskDef *disk, GError **error)
{
    const char *bus = xml_node_attr(target, "bus");
    int place = 0;

    if (bus && ENUM_FROM_NAME(other_buses, bus, &place))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported disk bus '%s'", bus);
    return FIELD_PARSE_ENUM(target, "bus", XML_OPTIONAL, disk_bus_names, &disk->bus, error);
}

/* The name is checked when the address is known: with one, nearly any name will do. */
static bool target_parse(const XmlNode *target, DiskDef *disk, GError **error)
{
    static const char *const tray_names[] = { NULL, "open", "closed" };
    const char *name = xml_node_attr(target, "dev");

    disk->target = g_strdup(name);
    return bus_parse(target, disk, error) &&
           FIELD_PARSE_ENUM(target, "tray", XML_OPTIONAL, tray_names, &disk->tray_open, error) &&
           xml_attr_on_off(target, "removable", XML_OPTIONAL, &disk->removable, error) &&
           xml_attr_uint(target, "rotation_rate", XML_OPTIONAL, 0, &disk->rotation_rate, error);
}

/* A word for what is not given, which the other attributes do not have. */
static bool cache_is_default(const XmlNode *driver)
{
    return g_strcmp0(xml_node_attr(driver, "cache"), "default") == 0;
}

/* The format is the image's, though it is said of the driver: it was there before images had
 * descriptions of their own. */
static bool driver_parse(const XmlNode *driver, DiskDef *disk, GError **error)
{
    const Field *fields = driver_fields;
    size_t n_fields = G_N_ELEMENTS(driver_fields);
    const char *name = xml_node_attr(driver, "name");
    const char *format = xml_node_attr(driver, "type");

    if (cache_is_default(driver)) {
        fields++;
        n_fields--;
    }
    if (!fields_parse(fields, n_fields, driver, disk, error))
        return false;
    if (disk->rerror_policy == DISK_ERROR_ENOSPACE)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "Invalid disk read error policy: 'enospace'");
    disk->driver_name = g_strdup(name);
    return !format || disk_format_parse(format, VIR_ERR_CONFIG_UNSUPPORTED, "driver format value",
                                        &disk->source->format, error);
}

/* Empty texts are as good as none: QEMU would show a guest an empty serial number. */
static bool texts_parse(const XmlNode *node, DiskDef *disk, GError **error)
{
    const struct {
        const char *name;
        char **text;
    } texts[] = {
        { "serial", &disk->serial },
        { "wwn", &disk->wwn },
        { "vendor", &disk->vendor },
        { "product", &disk->product },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (!xml_child_string(node, texts[i].name, XML_OPTIONAL, texts[i].text, error))
            return false;
        if (*texts[i].text && **texts[i].text == '\0')
            g_clear_pointer(texts[i].text, g_free);
    }
    return true;
}

/* What an element says that nothing but its place in the disk decides. */
static bool children_parse(const XmlNode *node, DomainParseFlags flags, DiskDef *disk,
                           GError **error)
{
    const XmlNode *source = xml_node_first(node, "source");
    const XmlNode *driver = xml_node_first(node, "driver");
    const XmlNode *target = xml_node_first(node, "target");
    const XmlNode *block = xml_node_first(node, "blockio");

    if (source) {
        disk_source_parse(source, flags, disk->source);
        if (!FIELD_PARSE_ENUM(source, "startupPolicy", XML_OPTIONAL, startup_names,
                              &disk->startup_policy, error))
            return false;
    }
    if ((target && !target_parse(target, disk, error)) ||
        (driver && !driver_parse(driver, disk, error)) ||
        (block && !fields_parse(block_fields, G_N_ELEMENTS(block_fields), block, disk, error)))
        return false;
    disk->is_readonly = xml_node_first(node, "readonly");
    disk->is_shareable = xml_node_first(node, "shareable");
    disk->is_transient = xml_node_first(node, "transient");
    return texts_parse(node, disk, error) &&
           disk_source_parse_chain(node, flags, disk->source, error) &&
           device_info_parse(node, flags, &disk->info, error);
}

/* Names tell the bus, as they did before there was an attribute for it. */
static DiskBus bus_of_target(const char *target)
{
    static const struct {
        const char *prefix;
        DiskBus bus;
    } buses[] = {
        { "hd", DISK_BUS_IDE },
        { "sd", DISK_BUS_SCSI },
        { "vd", DISK_BUS_VIRTIO },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(buses); i++)
        if (g_str_has_prefix(target, buses[i].prefix))
            return buses[i].bus;
    return DISK_BUS_NONE;
}

/* What follows from the element alone; what depends on the machine is not for here. */
static void disk_def_fill(DiskDef *disk, DomainParseFlags flags)
{
    if (disk->device == DISK_CDROM)
        disk->is_readonly = true;
    /* Of what does not change there is nothing to keep. */
    if (disk->is_readonly && disk->snapshot == DISK_SNAPSHOT_NO)
        disk->snapshot = DISK_SNAPSHOT_DEFAULT;
    if (disk->bus == DISK_BUS_NONE)
        disk->bus = disk->device == DISK_FLOPPY ? DISK_BUS_FDC : bus_of_target(disk->target);
    /* A floppy controller has no place for one. */
    if (disk->bus == DISK_BUS_NONE && disk->device == DISK_CDROM)
        disk->bus = DISK_BUS_IDE;
    /* What a running guest has is as it is: an empty drive has no format. */
    if (!(flags & DOMAIN_PARSE_INACTIVE))
        return;
    if (!disk->driver_name)
        disk->driver_name = g_strdup("qemu");
    if (disk->source->format == DISK_FORMAT_NONE)
        disk->source->format = DISK_FORMAT_RAW;
}

/* Without a name or an image nothing else about a disk makes sense. */
static bool is_complete(const DiskDef *disk, GError **error)
{
    const char *path = disk->source->path;

    if (!disk->target && path)
        return model_fail(error, VIR_ERR_NO_TARGET, "%.1024s", path);
    /* Later there is an address, but it comes from the name. */
    if (disk->target && disk_target_index(disk->target) < 0 &&
        disk->info.address.type == ADDRESS_NONE)
        return model_fail(error, VIR_ERR_XML_ERROR,
                          "Unknown disk name '%.64s' and no address specified", disk->target);
    if (!disk->target)
        return model_fail(error, VIR_ERR_NO_TARGET, NULL);
    return path || disk->device == DISK_CDROM || disk->device == DISK_FLOPPY ||
           model_fail(error, VIR_ERR_NO_SOURCE, "%.256s", disk->target);
}

bool disk_def_parse(const XmlNode *node, DomainParseFlags flags, DiskDef **ret_disk, GError **error)
{
    g_autoptr(DiskDef) disk = g_new0(DiskDef, 1);

    disk->source = disk_source_new();
    if (!disk_source_type_parse(node, &disk->source->type, error) ||
        !fields_parse(disk_fields, G_N_ELEMENTS(disk_fields), node, disk, error) ||
        !children_parse(node, flags, disk, error) || !is_complete(disk, error))
        return false;
    disk_def_fill(disk, flags);
    *ret_disk = g_steal_pointer(&disk);
    return true;
}

static void driver_format(const DiskDef *disk, XmlWriter *writer)
{
    bool has_fields = fields_are_set(driver_fields, G_N_ELEMENTS(driver_fields), disk);

    if (!disk->driver_name && disk->source->format == DISK_FORMAT_NONE && !has_fields)
        return;
    xml_writer_open(writer, "driver");
    xml_writer_attr_string(writer, "name", disk->driver_name);
    xml_writer_attr_string(writer, "type", disk_format_names[disk->source->format]);
    fields_format(driver_fields, G_N_ELEMENTS(driver_fields), disk, writer);
    xml_writer_close(writer);
}

static void target_format(const DiskDef *disk, XmlWriter *writer)
{
    static const char *const on_off[] = { NULL, "on", "off" };

    xml_writer_open(writer, "target");
    xml_writer_attr_string(writer, "dev", disk->target);
    xml_writer_attr_string(writer, "bus", disk_bus_names[disk->bus]);
    if (disk->tray_open == XML_TRISTATE_YES)
        xml_writer_attr_string(writer, "tray", "open");
    xml_writer_attr_string(writer, "removable", on_off[disk->removable]);
    if (disk->rotation_rate != 0)
        xml_writer_attr(writer, "rotation_rate", "%u", disk->rotation_rate);
    xml_writer_close(writer);
}

void disk_def_format(const DiskDef *disk, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "disk");
    xml_writer_attr_string(writer, "type", disk_source_type_name(disk->source->type));
    fields_format(disk_fields, G_N_ELEMENTS(disk_fields), disk, writer);
    driver_format(disk, writer);
    disk_source_format(disk->source, startup_names[disk->startup_policy], true, writer, flags);
    disk_source_format_chain(disk->source, writer, flags);
    fields_format_element("blockio", block_fields, G_N_ELEMENTS(block_fields), disk, writer);
    target_format(disk, writer);
    field_format_empty("readonly", disk->is_readonly, writer);
    field_format_empty("shareable", disk->is_shareable, writer);
    field_format_empty("transient", disk->is_transient, writer);
    xml_writer_element_string(writer, "serial", disk->serial);
    xml_writer_element_string(writer, "wwn", disk->wwn);
    xml_writer_element_string(writer, "vendor", disk->vendor);
    xml_writer_element_string(writer, "product", disk->product);
    device_info_format_boot(&disk->info, writer);
    device_info_format(&disk->info, writer, flags);
    xml_writer_close(writer);
}
