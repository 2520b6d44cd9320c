#include "virtnodedevd/device_xml.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "virtnodedevd/device_schema.h"
#include "xml/read.h"

/* In errors: names of documents do not count, since the kernel decides them. */
#define NAME "new device"
#define WWN_DIGITS 16

/* Every type that a capability of a device can have; at their places those that can be made. */
static const char *const types[] = {
    [REQUEST_MDEV] = "mdev",
    [REQUEST_VPORT] = "scsi_host",
    "system",    "pci",       "usb_device", "usb",     "net",       "scsi",     "scsi_target",
    "storage",   "scsi_generic", "drm",     "ccw",     "ccwgroup",  "css",      "vdpa",
    "ap_card",   "ap_queue",  "ap_matrix",  "vport_ops", "fc_host",
};

#define FAIL(error, code, ...) error_fail((error), VIR_FROM_NODEDEV, (code), __VA_ARGS__)

static char *copy_attr(const XmlNode *node, const char *name)
{
    return node ? g_strdup(xml_node_attr(node, name)) : NULL;
}

/* NULL for a child that is missing or empty. */
static char *child_text(const XmlNode *node, const char *name)
{
    const XmlNode *child = xml_node_first(node, name);
    g_autofree char *text = child ? g_strstrip(xml_node_text(child)) : NULL;

    return text && *text ? g_steal_pointer(&text) : NULL;
}

static void parse_parent(const XmlNode *root, DeviceRequest *request)
{
    const XmlNode *parent = xml_node_first(root, "parent");

    request->parent = child_text(root, "parent");
    request->parent_wwnn = copy_attr(parent, "wwnn");
    request->parent_wwpn = copy_attr(parent, "wwpn");
    request->parent_fabric = copy_attr(parent, "fabric_wwn");
}

static bool parse_uuid(const XmlNode *capability, MdevConfig *config, GError **error)
{
    g_autofree char *text = child_text(capability, "uuid");
    char formatted[UUID_TEXT_SIZE];
    Uuid uuid;

    if (!text)
        return true;
    if (!uuid_parse(text, &uuid, NULL))
        return FAIL(error, VIR_ERR_INTERNAL_ERROR, "Invalid uuid '%s' for new mdev device", text);
    config->uuid = g_strdup(uuid_format(&uuid, formatted));
    return true;
}

static bool parse_attrs(const XmlNode *capability, MdevConfig *config, GError **error)
{
    for (const XmlNode *node = xml_node_first(capability, "attr"); node;
         node = xml_node_next(node, "attr")) {
        char *name = NULL, *value = NULL;

        if (!xml_attr_string(node, "name", XML_REQUIRED, &name, error))
            return false;
        if (!xml_attr_string(node, "value", XML_REQUIRED, &value, error)) {
            g_free(name);
            return false;
        }
        mdev_config_add_attr(config, name, value);
        /* The names are files' below the device's folder. */
        if (strchr(name, '/') || name[0] == '.' || !*name)
            return FAIL(error, VIR_ERR_XML_ERROR, "'%s' is no name of an attribute", name);
    }
    return true;
}

static bool parse_mdev(const XmlNode *capability, DeviceRequest *request, GError **error)
{
    const XmlNode *type = xml_node_first(capability, "type");
    const char *id = type ? xml_node_attr(type, "id") : NULL;

    request->mdev = mdev_config_new();
    if (!id || !*id)
        return FAIL(error, VIR_ERR_CONFIG_UNSUPPORTED, "missing type id attribute for '" NAME "'");
    request->mdev->type = g_strdup(id);
    return parse_uuid(capability, request->mdev, error) &&
           parse_attrs(capability, request->mdev, error);
}

static bool check_wwn(const char *wwn, GError **error)
{
    if (wwn && (strlen(wwn) != WWN_DIGITS || strspn(wwn, "0123456789abcdefABCDEF") != WWN_DIGITS))
        return FAIL(error, VIR_ERR_XML_ERROR, "'%s' is no world wide name", wwn);
    return true;
}

static bool parse_vport(const XmlNode *capability, DeviceRequest *request, GError **error)
{
    const XmlNode *port = xml_node_first(capability, "capability");

    if (!port || g_strcmp0(xml_node_attr(port, "type"), "fc_host") != 0) {
        request->kind = REQUEST_PLAIN_HOST;
        return true;
    }
    request->wwnn = child_text(port, "wwnn");
    request->wwpn = child_text(port, "wwpn");
    return check_wwn(request->wwnn, error) && check_wwn(request->wwpn, error);
}

DeviceRequest *device_request_parse(const char *xml, bool is_strict, GError **error)
{
    g_autoptr(DeviceRequest) request = g_new0(DeviceRequest, 1);
    g_autoptr(XmlDoc) doc = xml_parse_root(xml, "node_device_definition", "device", error);
    const XmlNode *root = doc ? xml_doc_root(doc) : NULL;
    const XmlNode *capability = doc ? xml_node_first(root, "capability") : NULL;
    int type;

    if (!doc || (is_strict && !xml_schema_validate(root, &device_schema, error)))
        return NULL;
    if (!capability) {
        FAIL(error, VIR_ERR_INTERNAL_ERROR, "no device capabilities for '" NAME "'");
        return NULL;
    }
    if (!xml_attr_enum(capability, "type", XML_REQUIRED, types, G_N_ELEMENTS(types), 0, &type,
                       error))
        return NULL;
    request->kind = type <= REQUEST_VPORT ? (DeviceRequestKind)type : REQUEST_OTHER;
    parse_parent(root, request);
    if (request->kind == REQUEST_MDEV && !parse_mdev(capability, request, error))
        return NULL;
    if (request->kind == REQUEST_VPORT && !parse_vport(capability, request, error))
        return NULL;
    return g_steal_pointer(&request);
}

void device_request_free(DeviceRequest *request)
{
    if (!request)
        return;
    g_free(request->parent);
    g_free(request->parent_wwnn);
    g_free(request->parent_wwpn);
    g_free(request->parent_fabric);
    mdev_config_free(request->mdev);
    g_free(request->wwnn);
    g_free(request->wwpn);
    g_free(request);
}
