/* Walking through elements. Comments, processing instructions, text and foreign
 * namespaces between them are passed over. */
#include <string.h>

#include "base/error.h"
#include "xml/doc.h"
#include "xml/library.h"

const char *xml_node_name(const XmlNode *node)
{
    return (const char *)node->name;
}

guint xml_node_line(const XmlNode *node)
{
    long line = xml_loaded()->xmlGetLineNo(node);

    return line > 0 ? (guint)line : 0;
}

/* Most names that are compared differ, and most of those at once. */
static bool is_same(const xmlChar *a, const char *b)
{
    return *a == (xmlChar)*b && strcmp((const char *)a, b) == 0;
}

/* Whether @node is an element of that namespace (NULL: none) and name (NULL: any). */
static bool is_element(const XmlNode *node, const char *uri, const char *name)
{
    const char *ns = node->ns ? (const char *)node->ns->href : NULL;

    return node->type == XML_ELEMENT_NODE && (ns == uri || g_strcmp0(ns, uri) == 0) &&
           (!name || is_same(node->name, name));
}

static const XmlNode *seek(const XmlNode *node, const char *uri, const char *name)
{
    while (node && !is_element(node, uri, name))
        node = node->next;
    return node;
}

const XmlNode *xml_node_first(const XmlNode *node, const char *name)
{
    return seek(node->children, NULL, name);
}

const XmlNode *xml_node_next(const XmlNode *node, const char *name)
{
    return seek(node->next, NULL, name);
}

const XmlNode *xml_node_first_ns(const XmlNode *node, const char *uri, const char *name)
{
    return seek(node->children, uri, name);
}

const XmlNode *xml_node_next_ns(const XmlNode *node, const char *uri, const char *name)
{
    return seek(node->next, uri, name);
}

static const XmlNode *seek_any(const XmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

const XmlNode *xml_node_first_any(const XmlNode *node)
{
    return seek_any(node->children);
}

const XmlNode *xml_node_next_any(const XmlNode *node)
{
    return seek_any(node->next);
}

const char *xml_node_uri(const XmlNode *node)
{
    return node->ns ? (const char *)node->ns->href : NULL;
}

guint xml_node_count(const XmlNode *node, const char *name)
{
    guint count = 0;

    for (const XmlNode *child = xml_node_first(node, name); child;
         child = xml_node_next(child, name))
        count++;
    return count;
}

bool xml_node_single(const XmlNode *node, const char *name, const XmlNode **ret_child,
                     GError **error)
{
    const XmlNode *child = xml_node_first(node, name);

    if (child && xml_node_next(child, name)) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                  "Element '%s' in element '%.128s' is given more than once", name,
                  xml_node_name(node));
        return false;
    }
    *ret_child = child;
    return true;
}

bool xml_node_required(const XmlNode *node, const char *name, const XmlNode **ret_child,
                       GError **error)
{
    const XmlNode *child = xml_node_first(node, name);

    if (!child) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                  "Missing required element '%s' in element '%.128s'", name,
                  xml_node_name(node));
        return false;
    }
    *ret_child = child;
    return true;
}

char *xml_node_text(const XmlNode *node)
{
    xmlChar *content = xml_loaded()->xmlNodeGetContent(node);
    char *text = g_strdup(content ? (const char *)content : "");

    (*xml_loaded()->xmlFree)(content);
    return text;
}

bool xml_node_has_text(const XmlNode *node)
{
    for (const XmlNode *child = node->children; child; child = child->next) {
        if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) &&
            child->content[strspn((const char *)child->content, " \t\r\n")] != '\0')
            return true;
    }
    return false;
}

const char *xml_node_attr(const XmlNode *node, const char *name)
{
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (attr->ns || !is_same(attr->name, name))
            continue;
        /* One text node, or none for "": entities do not survive parsing. */
        return attr->children ? (const char *)attr->children->content : "";
    }
    return NULL;
}

const char *xml_node_attr_name(const XmlNode *node, guint index)
{
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!attr->ns && index-- == 0)
            return (const char *)attr->name;
    }
    return NULL;
}
