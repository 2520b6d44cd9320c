/* Images and their backing chains: <source> and <backingStore>. A chain is walked in a loop, and
 * its length is limited: what one points at is read from files that guests can write. */
#include "virtqemud/model/disk_source.h"

#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/fields.h"

/* As long as the depth that documents may have allows nearly everything; QEMU opens each. */
#define CHAIN_MAX 200

static const char *const type_names[N_DISK_SOURCE_TYPES] = { "file", "block" };
/* The attribute of <source> that has the path, by type. */
static const char *const path_attributes[N_DISK_SOURCE_TYPES] = { "file", "dev" };
static const char *const other_types[] = {
    "dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa",
};
static const char *const other_formats[] = {
    "bochs", "cloop", "dmg",  "iso", "vpc",  "vdi",  "fat", "vhd",
    "ploop", "cow",   "qcow", "qed", "vmdk", "none", "dir", "auto",
};

const char *const disk_format_names[N_DISK_FORMATS] = { NULL, "raw", "qcow2" };

DiskSource *disk_source_new(void)
{
    return g_new0(DiskSource, 1);
}

void disk_source_free(DiskSource *source)
{
    while (source) {
        DiskSource *backing = source->backing;

        g_free(source->path);
        g_free(source->node_name);
        g_free(source);
        source = backing;
    }
}

DiskSource *disk_source_copy(const DiskSource *source)
{
    DiskSource *top = NULL;

    for (DiskSource **place = &top; source; source = source->backing) {
        DiskSource *copy = g_memdup2(source, sizeof(*source));

        copy->path = g_strdup(source->path);
        copy->node_name = g_strdup(source->node_name);
        copy->backing = NULL;
        *place = copy;
        place = &copy->backing;
    }
    return top;
}

static bool is_one_of(const char *name, const char *const *names, size_t n_names)
{
    int place = 0;

    return enum_from_name(names, n_names, name, &place);
}

bool disk_source_type_parse(const XmlNode *node, DiskSourceType *ret_type, GError **error)
{
    const char *type = xml_node_attr(node, "type");
    bool is_disk = strcmp(xml_node_name(node), "disk") == 0;
    int value = DISK_SOURCE_FILE;

    if (type && is_one_of(type, other_types, G_N_ELEMENTS(other_types)))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "storage source type '%s' is not supported", type);
    if (type && !ENUM_FROM_NAME(type_names, type, &value)) {
        return is_disk ? xml_attr_invalid(node, "type", NULL, error)
                       : model_fail(error, VIR_ERR_XML_ERROR, "unknown storage source type '%.64s'",
                                    type);
    }
    *ret_type = value;
    return true;
}

bool disk_format_parse(const char *name, ErrorCode code, const char *what, DiskFormat *ret_format,
                       GError **error)
{
    int value = DISK_FORMAT_NONE;

    if (is_one_of(name, other_formats, G_N_ELEMENTS(other_formats)))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "storage source format '%s' is not supported", name);
    /* Once the name of a way to read raw images. */
    if (strcmp(name, "aio") == 0)
        value = DISK_FORMAT_RAW;
    else if (!ENUM_FROM_NAME(disk_format_names, name, &value))
        return model_fail(error, code, "unknown %s '%.64s'", what, name);
    *ret_format = value;
    return true;
}

/* State files have it where existing daemons put it: inside of the source. */
static void node_name_parse(const XmlNode *node, DiskSource *source)
{
    const XmlNode *data = xml_node_first(node, "privateData");
    const XmlNode *names = data ? xml_node_first(data, "nodenames") : NULL;

    for (const XmlNode *name = names ? xml_node_first(names, "nodename") : NULL; name;
         name = xml_node_next(name, "nodename")) {
        if (g_strcmp0(xml_node_attr(name, "type"), "format") == 0 && !source->node_name)
            source->node_name = g_strdup(xml_node_attr(name, "name"));
    }
}

void disk_source_parse(const XmlNode *node, DomainParseFlags flags, DiskSource *source)
{
    const char *path = xml_node_attr(node, path_attributes[source->type]);
    unsigned index = 0;

    if (path && *path != '\0')
        source->path = g_strdup(path);
    if (flags & DOMAIN_PARSE_INACTIVE)
        return;
    if (xml_attr_uint(node, "index", XML_OPTIONAL, 0, &index, NULL))
        source->index = index;
    if (flags & DOMAIN_PARSE_STATUS)
        node_name_parse(node, source);
}

/* One <backingStore>; NULL in @ret_source for an empty one, which ends the chain. */
static bool backing_parse_one(const XmlNode *node, DomainParseFlags flags, DiskSource **ret_source,
                              GError **error)
{
    g_autoptr(DiskSource) source = NULL;
    const XmlNode *format = xml_node_first(node, "format");
    const XmlNode *inner = xml_node_first(node, "source");
    const char *format_name = format ? xml_node_attr(format, "type") : NULL;
    unsigned index = 0;

    if (!xml_node_attr(node, "type")) {
        *ret_source = NULL;
        return true;
    }
    source = disk_source_new();
    if (!disk_source_type_parse(node, &source->type, error))
        return false;
    if (!format_name)
        return model_fail(error, VIR_ERR_XML_ERROR, "missing disk backing store format");
    if (!disk_format_parse(format_name, VIR_ERR_XML_ERROR, "storage source format", &source->format,
                           error))
        return false;
    if (!inner)
        return model_fail(error, VIR_ERR_XML_ERROR, "missing disk backing store source");
    disk_source_parse(inner, flags, source);
    if (!source->path)
        return model_fail(error, VIR_ERR_XML_ERROR, "missing disk backing store source");
    if (!(flags & DOMAIN_PARSE_INACTIVE) &&
        xml_attr_uint(node, "index", XML_OPTIONAL, 0, &index, NULL))
        source->index = index;
    *ret_source = g_steal_pointer(&source);
    return true;
}

bool disk_source_parse_chain(const XmlNode *node, DomainParseFlags flags, DiskSource *top,
                             GError **error)
{
    DiskSource *source = top;
    const XmlNode *store = xml_node_first(node, "backingStore");

    for (unsigned depth = 0; store; depth++) {
        DiskSource *backing = NULL;

        if (depth == CHAIN_MAX)
            return model_fail(error, VIR_ERR_XML_ERROR,
                              "backing chains of more than %d images are not supported", CHAIN_MAX);
        if (!backing_parse_one(store, flags, &backing, error))
            return false;
        if (!backing) {
            source->is_chain_end = true;
            return true;
        }
        source->backing = backing;
        source = backing;
        store = xml_node_first(store, "backingStore");
    }
    return true;
}

void disk_source_format(const DiskSource *source, const char *startup_policy, bool is_top,
                        XmlWriter *writer, DomainFormatFlags flags)
{
    bool has_index = is_top && source->index != 0 && !(flags & DOMAIN_FORMAT_INACTIVE);
    bool has_names = source->node_name && (flags & DOMAIN_FORMAT_STATUS);

    if (!source->path && !startup_policy && !has_names)
        return;
    xml_writer_open(writer, "source");
    xml_writer_attr_string(writer, path_attributes[source->type], source->path);
    xml_writer_attr_string(writer, "startupPolicy", startup_policy);
    if (has_index)
        xml_writer_attr(writer, "index", "%u", source->index);
    if (has_names) {
        xml_writer_open(writer, "privateData");
        xml_writer_open(writer, "nodenames");
        xml_writer_open(writer, "nodename");
        xml_writer_attr_string(writer, "type", "format");
        xml_writer_attr_string(writer, "name", source->node_name);
        xml_writer_close(writer);
        xml_writer_close(writer);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

void disk_source_format_chain(const DiskSource *top, XmlWriter *writer, DomainFormatFlags flags)
{
    const DiskSource *source = top;
    unsigned depth = 0;

    for (; source->backing; source = source->backing, depth++) {
        const DiskSource *backing = source->backing;

        xml_writer_open(writer, "backingStore");
        xml_writer_attr_string(writer, "type", type_names[backing->type]);
        if (backing->index != 0 && !(flags & DOMAIN_FORMAT_INACTIVE))
            xml_writer_attr(writer, "index", "%u", backing->index);
        xml_writer_open(writer, "format");
        xml_writer_attr_string(writer, "type", disk_format_names[backing->format]);
        xml_writer_close(writer);
        disk_source_format(backing, NULL, false, writer, flags);
    }
    field_format_empty("backingStore", source->is_chain_end, writer);
    while (depth-- > 0)
        xml_writer_close(writer);
}

const char *disk_source_type_name(DiskSourceType type)
{
    return type_names[type];
}
