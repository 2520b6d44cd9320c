/* <lease>: reading and writing. */
#include "virtqemud/model/lease.h"

#include "virtqemud/model/fields.h"

void lease_def_free(LeaseDef *lease)
{
    if (!lease)
        return;
    g_free(lease->lockspace);
    g_free(lease->key);
    g_free(lease->path);
    g_free(lease);
}

/* Of several the first counts; an empty one is none. */
static bool child_parse(const XmlNode *node, const char *name, char **ret_text, GError **error)
{
    const XmlNode *child = xml_node_first(node, name);

    *ret_text = child ? xml_node_text(child) : NULL;
    if (*ret_text && **ret_text)
        return true;
    return model_fail(error, VIR_ERR_XML_ERROR, "Missing '%s' element for lease", name);
}

static bool target_parse(const XmlNode *node, LeaseDef *lease, GError **error)
{
    const XmlNode *target = xml_node_first(node, "target");

    if (!target)
        return model_fail(error, VIR_ERR_XML_ERROR, "Missing 'target' element for lease");
    lease->path = g_strdup(xml_node_attr(target, "path"));
    if (!lease->path || !*lease->path)
        return model_fail(error, VIR_ERR_XML_ERROR,
                          "Missing 'path' attribute to 'target' element for lease");
    return xml_attr_uint64(target, "offset", XML_OPTIONAL, 0, &lease->offset, error);
}

bool lease_def_parse(const XmlNode *node, LeaseDef **ret_lease, GError **error)
{
    g_autoptr(LeaseDef) lease = g_new0(LeaseDef, 1);

    if (!child_parse(node, "key", &lease->key, error) || !target_parse(node, lease, error) ||
        !child_parse(node, "lockspace", &lease->lockspace, error))
        return false;
    *ret_lease = g_steal_pointer(&lease);
    return true;
}

void lease_def_format(const LeaseDef *lease, XmlWriter *writer)
{
    xml_writer_open(writer, "lease");
    xml_writer_element_string(writer, "lockspace", lease->lockspace);
    xml_writer_element_string(writer, "key", lease->key);
    xml_writer_open(writer, "target");
    xml_writer_attr_string(writer, "path", lease->path);
    if (lease->offset)
        xml_writer_attr(writer, "offset", "%" G_GUINT64_FORMAT, lease->offset);
    xml_writer_close(writer);
    xml_writer_close(writer);
}
