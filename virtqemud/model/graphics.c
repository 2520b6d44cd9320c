/* <graphics>: VNC so far. The attributes port, autoport, websocket, listen and socket repeat what
 * the <listen> element says, for clients that are older than it. */
#include "virtqemud/model/graphics.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "virtqemud/model/fields.h"

static const char *const type_names[N_GRAPHICS_TYPES] = { "vnc" };
static const char *const listen_names[N_LISTEN_TYPES] = { "none", "address", "socket" };
static const char *const share_names[N_VNC_SHARES] = {
    NULL,
    "allow-exclusive",
    "force-shared",
    "ignore",
};
static const char *const connected_names[] = { NULL, "fail", "disconnect", "keep" };
/* Of graphics that no machine here can have. */
static const char *const other_types[] = {
    "sdl", "rdp", "desktop", "spice", "egl-headless", "dbus",
};

static const Field display_fields[] = {
    FIELD("keymap", FIELD_STRING, GraphicsDef, keymap),
    FIELD_NAMED("sharePolicy", GraphicsDef, share_policy, share_names),
    FIELD("powerControl", FIELD_YES_NO, GraphicsDef, power_control),
};

void graphics_def_free(GraphicsDef *graphics)
{
    if (!graphics)
        return;
    g_free(graphics->keymap);
    g_free(graphics->password);
    g_free(graphics->password_valid_to);
    g_free(graphics->listen_address);
    g_free(graphics->socket);
    g_free(graphics);
}

/* Other types than VNC are known, but nothing here could show them. */
static bool type_parse(const XmlNode *node, GError **error)
{
    const char *type = xml_node_attr(node, "type");
    int value = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(other_types); i++)
        if (g_strcmp0(type, other_types[i]) == 0)
            return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                              "graphics type '%s' is not supported", type);
    return xml_attr_enum(node, "type", XML_REQUIRED, type_names, N_GRAPHICS_TYPES, 0, &value,
                         error);
}

/* An empty text is as good as none. */
static char *attr_text(const XmlNode *node, const char *name)
{
    const char *value = xml_node_attr(node, name);

    return value && *value != '\0' ? g_strdup(value) : NULL;
}

/* A mark in state files, "1" or absent. */
static bool is_marked(const XmlNode *node, const char *name)
{
    const char *value = xml_node_attr(node, name);

    return value && *value != '\0' && strcmp(value, "0") != 0;
}

/* The <listen> element, and the attribute that it replaced, must not contradict. */
static bool address_parse(const XmlNode *listen, const XmlNode *node, GraphicsDef *graphics,
                          GError **error)
{
    g_autofree char *old = attr_text(node, "listen");

    graphics->listen_address = attr_text(listen, "address");
    if (old && graphics->listen_address && strcmp(old, graphics->listen_address) != 0) {
        return model_fail(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "graphics 'listen' attribute '%.256s' must match 'address' attribute of first "
            "listen element (found '%.256s')",
            old, graphics->listen_address);
    }
    if (!graphics->listen_address)
        graphics->listen_address = g_steal_pointer(&old);
    return true;
}

static bool socket_parse(const XmlNode *listen, const XmlNode *node, GraphicsDef *graphics,
                         GError **error)
{
    g_autofree char *old = attr_text(node, "socket");

    graphics->socket = attr_text(listen, "socket");
    if (old && graphics->socket && strcmp(old, graphics->socket) != 0) {
        return model_fail(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "graphics 'socket' attribute '%.256s' must match 'socket' attribute of first "
            "listen element (found '%.256s')",
            old, graphics->socket);
    }
    if (!graphics->socket)
        graphics->socket = g_steal_pointer(&old);
    return true;
}

/* The first element counts: QEMU listens in one place. */
static bool listen_parse(const XmlNode *listen, const XmlNode *node, DomainParseFlags flags,
                         GraphicsDef *graphics, GError **error)
{
    bool is_from_config = !(flags & DOMAIN_PARSE_INACTIVE) && is_marked(listen, "fromConfig");
    g_autofree char *socket = attr_text(listen, "socket");

    if (g_strcmp0(xml_node_attr(listen, "type"), "network") == 0)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "listen type 'network' is not supported");
    if (!FIELD_PARSE_ENUM(listen, "type", XML_REQUIRED, listen_names, &graphics->listen, error))
        return false;
    if (graphics->listen != LISTEN_SOCKET && socket)
        return model_fail(error, VIR_ERR_XML_ERROR,
                          "'socket' attribute is valid only for listen type 'socket'");
    if (graphics->listen == LISTEN_ADDRESS) {
        graphics->is_listen_from_config = is_from_config;
        return address_parse(listen, node, graphics, error);
    }
    graphics->is_socket_from_config = is_from_config;
    return graphics->listen != LISTEN_SOCKET || socket_parse(listen, node, graphics, error);
}

static void listen_from_attributes(const XmlNode *node, GraphicsDef *graphics)
{
    graphics->socket = attr_text(node, "socket");
    if (graphics->socket) {
        graphics->listen = LISTEN_SOCKET;
    } else {
        graphics->listen = LISTEN_ADDRESS;
        graphics->listen_address = attr_text(node, "listen");
    }
}

/* Port 0 is none given: QEMU's first display then. Definitions do not keep a port that was
 * chosen for one run. */
static bool ports_parse(const XmlNode *node, DomainParseFlags flags, GraphicsDef *graphics,
                        GError **error)
{
    const char *autoport = xml_node_attr(node, "autoport");

    if (!xml_attr_int(node, "port", XML_OPTIONAL, -1, &graphics->port, NULL))
        return model_fail(error, VIR_ERR_INTERNAL_ERROR, "cannot parse vnc port %.64s",
                          xml_node_attr(node, "port"));
    if (!xml_attr_int(node, "websocket", XML_OPTIONAL, 0, &graphics->websocket, error))
        return false;
    graphics->is_autoport = autoport ? strcmp(autoport, "yes") == 0 : graphics->port == -1;
    /* Another word than yes and no has never been an error: it is as if it were not there. */
    if (autoport && strcmp(autoport, "yes") != 0 && strcmp(autoport, "no") != 0)
        graphics->is_autoport = graphics->port == -1;
    if (graphics->is_autoport && ((flags & DOMAIN_PARSE_INACTIVE) || graphics->port == 0))
        graphics->port = -1;
    if (!graphics->is_autoport && graphics->port == -1)
        graphics->port = 0;
    return true;
}

/* The form "2030-01-01T00:00:00", in UTC. */
static bool is_time(const char *text)
{
    struct tm time = { 0 }, real;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &time);

    if (!end || *end != '\0')
        return false;
    /* The thirty-first of February would be another day. */
    real = time;
    return timegm(&real) != -1 && real.tm_mday == time.tm_mday;
}

/* Without a password its validity and what happens to connections mean nothing. */
static bool password_parse(const XmlNode *node, GraphicsDef *graphics, GError **error)
{
    const char *valid_to = xml_node_attr(node, "passwdValidTo");
    const char *connected = xml_node_attr(node, "connected");
    GError *unknown = NULL;

    graphics->password = g_strdup(xml_node_attr(node, "passwd"));
    if (!graphics->password)
        return true;
    if (valid_to && !is_time(valid_to)) {
        g_autofree char *short_text = g_strndup(valid_to, 64);

        return model_fail(error, VIR_ERR_INTERNAL_ERROR,
                          "cannot parse password validity time '%s', expect YYYY-MM-DDTHH:MM:SS",
                          short_text);
    }
    graphics->password_valid_to = g_strdup(valid_to);
    if (!FIELD_PARSE_ENUM(node, "connected", XML_OPTIONAL, connected_names, &graphics->connected,
                          &unknown)) {
        g_clear_error(&unknown);
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown connected value %.64s",
                          connected);
    }
    if (graphics->connected && graphics->connected != GRAPHICS_CONNECTED_KEEP)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "VNC supports connected='keep' only");
    return true;
}

bool graphics_def_parse(const XmlNode *node, DomainParseFlags flags, GraphicsDef **ret_graphics,
                        GError **error)
{
    g_autoptr(GraphicsDef) graphics = g_new0(GraphicsDef, 1);
    const XmlNode *listen = xml_node_first(node, "listen");
    const char *socket = xml_node_attr(node, "socket");
    bool is_socket = socket && *socket != '\0';

    if (!type_parse(node, error))
        return false;
    /* A socket is stronger than an address beside it. */
    if (!listen || (is_socket && g_strcmp0(xml_node_attr(listen, "type"), "socket") != 0))
        listen_from_attributes(node, graphics);
    else if (!listen_parse(listen, node, flags, graphics, error))
        return false;
    if (!ports_parse(node, flags, graphics, error) ||
        !fields_parse(display_fields, G_N_ELEMENTS(display_fields), node, graphics, error) ||
        !password_parse(node, graphics, error))
        return false;
    *ret_graphics = g_steal_pointer(&graphics);
    return true;
}

/* Of listening addresses only; sockets have no ports. */
static void ports_format(const GraphicsDef *graphics, XmlWriter *writer, bool is_inactive)
{
    int port = graphics->is_autoport && is_inactive ? -1 : graphics->port;

    if (port != 0)
        xml_writer_attr(writer, "port", "%d", port);
    xml_writer_attr_string(writer, "autoport", graphics->is_autoport ? "yes" : "no");
    if (graphics->websocket != 0)
        xml_writer_attr(writer, "websocket", "%d", graphics->websocket);
}

static void password_format(const GraphicsDef *graphics, XmlWriter *writer)
{
    if (!graphics->password)
        return;
    xml_writer_attr_string(writer, "passwd", graphics->password);
    xml_writer_attr_string(writer, "passwdValidTo", graphics->password_valid_to);
    xml_writer_attr_string(writer, "connected", connected_names[graphics->connected]);
}

void graphics_def_format(const GraphicsDef *graphics, XmlWriter *writer, DomainFormatFlags flags)
{
    bool is_inactive = flags & DOMAIN_FORMAT_INACTIVE;
    bool hides_address = is_inactive && graphics->is_listen_from_config;
    bool hides_socket = is_inactive && graphics->is_socket_from_config;
    const char *address = hides_address ? NULL : graphics->listen_address;
    const char *socket = hides_socket ? NULL : graphics->socket;

    xml_writer_open(writer, "graphics");
    xml_writer_attr_string(writer, "type", type_names[graphics->type]);
    if (graphics->listen == LISTEN_ADDRESS) {
        ports_format(graphics, writer, is_inactive);
        xml_writer_attr_string(writer, "listen", address);
    } else if (graphics->listen == LISTEN_SOCKET) {
        xml_writer_attr_string(writer, "socket", socket);
    }
    fields_format(display_fields, G_N_ELEMENTS(display_fields), graphics, writer);
    if (flags & (DOMAIN_FORMAT_SECURE | DOMAIN_FORMAT_STATUS))
        password_format(graphics, writer);
    /* Older peers know sockets by the attribute alone. */
    if ((flags & DOMAIN_FORMAT_MIGRATABLE) && graphics->listen == LISTEN_SOCKET && socket) {
        xml_writer_close(writer);
        return;
    }
    xml_writer_open(writer, "listen");
    xml_writer_attr_string(writer, "type", listen_names[graphics->listen]);
    if (graphics->listen == LISTEN_ADDRESS)
        xml_writer_attr_string(writer, "address", address);
    if (graphics->listen == LISTEN_SOCKET)
        xml_writer_attr_string(writer, "socket", socket);
    if ((flags & DOMAIN_FORMAT_STATUS) &&
        (graphics->is_listen_from_config || graphics->is_socket_from_config))
        xml_writer_attr_string(writer, "fromConfig", "1");
    xml_writer_close(writer);
    xml_writer_close(writer);
}

bool graphics_def_validate(const GraphicsDef *graphics, GError **error)
{
    size_t length = graphics->password ? strlen(graphics->password) : 0;

    /* All that VNC's authentication looks at. */
    if (length > 8) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "VNC password is %zu characters long, only 8 permitted", length);
        return false;
    }
    return true;
}
