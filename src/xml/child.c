/* Texts and sizes of child elements. The first element of a name counts, as it always has
 * for clients; who wants to refuse a second one asks with xml_node_single(). */
#include "base/error.h"
#include "base/units.h"
#include "xml/number.h"
#include "xml/read.h"

/* Sets @ret_text to the text of the first child @name, NULL when there is none (and none
 * is required). */
bool xml_child_string(const XmlNode *node, const char *name, XmlRule rules, char **ret,
                      GError **error)
{
    const XmlNode *child = NULL;

    if (rules & XML_REQUIRED) {
        if (!xml_node_required(node, name, &child, error))
            return false;
    } else {
        child = xml_node_first(node, name);
    }
    *ret = child ? xml_node_text(child) : NULL;
    return true;
}

bool xml_child_uint64(const XmlNode *node, const char *name, XmlRule rules, uint64_t fallback,
                      uint64_t *ret, GError **error)
{
    g_autofree char *text = NULL;
    uint64_t number = fallback;

    if (!xml_child_string(node, name, rules, &text, error))
        return false;
    if (text && (!xml_number_uint(text, rules & XML_ANY_BASE, UINT64_MAX, &number) ||
                 (number == 0 && (rules & XML_NONZERO)))) {
        g_autofree char *value = g_strndup(text, 256);
        g_autofree char *valid = g_utf8_make_valid(value, -1);

        error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                  "Invalid value '%s' for element or attribute './%s[1]'", valid, name);
        return false;
    }
    *ret = number;
    return true;
}

bool xml_child_bytes(const XmlNode *node, const char *name, XmlRule rules, uint64_t default_unit,
                     uint64_t max_bytes, uint64_t fallback_bytes, uint64_t *ret_bytes,
                     GError **error)
{
    const XmlNode *child = xml_node_first(node, name);
    uint64_t value = 0;

    if (!child && !(rules & XML_REQUIRED)) {
        *ret_bytes = fallback_bytes;
        return true;
    }
    if (!xml_child_uint64(node, name, rules, 0, &value, error))
        return false;
    if (!scale_bytes(&value, xml_node_attr(child, "unit"), default_unit, max_bytes, error))
        return false;
    *ret_bytes = value;
    return true;
}
