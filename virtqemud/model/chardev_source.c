#include "virtqemud/model/chardev_source.h"

#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/fields.h"

const char *const chardev_source_type_names[N_CHARDEV_SOURCE_TYPES] = {
    "null",
    "pty",
    "file",
    "unix",
};

/* Known, and not to be had here. */
static const char *const other_types[] = {
    "vc",       "dev",       "pipe", "stdio",        "udp",  "tcp",
    "spicevmc", "spiceport", "nmdm", "qemu-vdagent", "dbus",
};

static const Field reconnect_fields[] = {
    FIELD("enabled", FIELD_YES_NO, ChardevSource, reconnect),
    FIELD("timeout", FIELD_UINT, ChardevSource, reconnect_timeout_s),
};

static const Field log_fields[] = {
    FIELD("file", FIELD_STRING, ChardevSource, log_file),
    FIELD("append", FIELD_ON_OFF, ChardevSource, log_append),
};

void chardev_source_clear(ChardevSource *source)
{
    g_clear_pointer(&source->path, g_free);
    g_clear_pointer(&source->log_file, g_free);
}

void chardev_source_copy(const ChardevSource *source, ChardevSource *ret_copy)
{
    *ret_copy = *source;
    ret_copy->path = g_strdup(source->path);
    ret_copy->log_file = g_strdup(source->log_file);
}

bool chardev_source_equal(const ChardevSource *a, const ChardevSource *b)
{
    return a->type == b->type && g_strcmp0(a->path, b->path) == 0 &&
           (a->type != CHARDEV_UNIX || a->is_listening == b->is_listening);
}

/* Pseudo-terminals are what everything is that does not say. */
static bool type_parse(const XmlNode *node, ChardevSourceType *ret_type, GError **error)
{
    const char *type = xml_node_attr(node, "type");
    int value = CHARDEV_PTY;

    for (size_t i = 0; type && i < G_N_ELEMENTS(other_types); i++)
        if (strcmp(type, other_types[i]) == 0)
            return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                              "character device type '%s' is not supported", type);
    if (type && !ENUM_FROM_NAME(chardev_source_type_names, type, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "unknown type presented to host for character device: %.64s", type);
    *ret_type = value;
    return true;
}

/* Who waits for connections has nothing to try again. */
static bool reconnect_parse(const XmlNode *node, ChardevSource *source, GError **error)
{
    if (!xml_attr_yes_no(node, "enabled", XML_OPTIONAL, &source->reconnect, error))
        return false;
    if (source->reconnect == XML_TRISTATE_YES &&
        !xml_attr_uint(node, "timeout", XML_REQUIRED, 0, &source->reconnect_timeout_s, error))
        return false;
    if (source->reconnect == XML_TRISTATE_YES && source->reconnect_timeout_s == 0)
        return model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                               "chardev reconnect source timeout cannot be '0'");
    if (source->reconnect && source->is_listening)
        return model_fail(error, VIR_ERR_INTERNAL_ERROR,
                          "chardev reconnect is possible only for connect mode");
    return true;
}

static bool unix_parse(const XmlNode *node, ChardevSource *source, GError **error)
{
    static const char *const modes[] = { "connect", "bind" };
    const XmlNode *reconnect = xml_node_first(node, "reconnect");
    int mode = 0;

    if (!xml_attr_enum(node, "mode", XML_OPTIONAL, modes, G_N_ELEMENTS(modes), 0, &mode, error))
        return false;
    source->is_listening = mode == 1;
    if (!reconnect)
        return true;
    return reconnect_parse(reconnect, source, error);
}

static bool source_parse(const XmlNode *node, DomainParseFlags flags, ChardevSource *source,
                         GError **error)
{
    /* Where a pseudo-terminal is, QEMU decides anew at each start. */
    bool has_path = source->type == CHARDEV_PTY ? !(flags & DOMAIN_PARSE_INACTIVE)
                                                : source->type != CHARDEV_NULL;

    if (has_path) {
        const char *path = xml_node_attr(node, "path");

        source->path = path && *path != '\0' ? g_strdup(path) : NULL;
    }
    if (source->type == CHARDEV_FILE &&
        !xml_attr_on_off(node, "append", XML_OPTIONAL, &source->append, error))
        return false;
    return source->type != CHARDEV_UNIX || unix_parse(node, source, error);
}

static bool at_most_one(const XmlNode *node, const char *name, GError **error)
{
    return !node || !xml_node_next(node, name) ||
           model_fail(error, VIR_ERR_XML_ERROR,
                      "only one %s element is allowed for character device", name);
}

bool chardev_source_parse(const XmlNode *chardev, DomainParseFlags flags, ChardevSource *ret,
                          GError **error)
{
    const XmlNode *source = xml_node_first(chardev, "source");
    const XmlNode *log = xml_node_first(chardev, "log");
    ChardevSource parsed = { 0 };
    bool is_good =
        at_most_one(source, "source", error) && at_most_one(log, "log", error) &&
        type_parse(chardev, &parsed.type, error) &&
        (!source || source_parse(source, flags, &parsed, error)) &&
        (!log || fields_parse(log_fields, G_N_ELEMENTS(log_fields), log, &parsed, error));

    if (is_good)
        *ret = parsed;
    else
        chardev_source_clear(&parsed);
    return is_good;
}

/* The mode is always written, though it may have been left out. */
static void unix_format(const ChardevSource *source, XmlWriter *writer)
{
    xml_writer_open(writer, "source");
    xml_writer_attr_string(writer, "mode", source->is_listening ? "bind" : "connect");
    xml_writer_attr_string(writer, "path", source->path);
    fields_format_element("reconnect", reconnect_fields, G_N_ELEMENTS(reconnect_fields), source,
                          writer);
    xml_writer_close(writer);
}

static void file_format(const ChardevSource *source, XmlWriter *writer)
{
    static const char *const on_off[] = { NULL, "on", "off" };

    xml_writer_open(writer, "source");
    xml_writer_attr_string(writer, "path", source->path);
    if (source->type == CHARDEV_FILE)
        xml_writer_attr_string(writer, "append", on_off[source->append]);
    xml_writer_close(writer);
}

void chardev_source_format(const ChardevSource *source, XmlWriter *writer, DomainFormatFlags flags)
{
    if (source->path && source->type == CHARDEV_UNIX)
        unix_format(source, writer);
    else if (source->path && (source->type != CHARDEV_PTY || !(flags & DOMAIN_FORMAT_INACTIVE)))
        file_format(source, writer);
    if (source->log_file)
        fields_format_element("log", log_fields, G_N_ELEMENTS(log_fields), source, writer);
}

bool chardev_source_validate(const ChardevSource *source, bool may_lack_path, GError **error)
{
    if (source->type == CHARDEV_FILE || (source->type == CHARDEV_UNIX && !may_lack_path)) {
        if (!source->path)
            return model_fail(error, VIR_ERR_INTERNAL_ERROR,
                              "Missing source path attribute for char device");
    }
    return true;
}
