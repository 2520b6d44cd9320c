/* Works on a copy, so that the document stays what it was. */
#include "xml/qualify.h"

#include <string.h>

#include "base/error.h"
#include "xml/dump.h"
#include "xml/library.h"

bool xml_prefix_is_valid(const char *prefix)
{
    /* There may have been no document yet. */
    const XmlLibrary *library = xml_library(NULL);

    /* The specification reserves all that begins with "xml". */
    return library && library->xmlValidateNCName(BAD_CAST prefix, 0) == 0 &&
           g_ascii_strncasecmp(prefix, "xml", 3) != 0;
}

/* The element after @node in document order, inside @root. */
static xmlNode *next_element(const xmlNode *root, xmlNode *node)
{
    do {
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
        } else {
            while (node != root && !node->next)
                node = node->parent;
            node = node == root ? NULL : node->next;
        }
    } while (node && node->type != XML_ELEMENT_NODE);
    return node;
}

static bool is_of(const xmlNs *ns, const char *uri)
{
    return ns && ns->href && strcmp((const char *)ns->href, uri) == 0;
}

/* A prefix that was never declared stays part of the name. */
static bool has_bare_prefix(const xmlNode *node)
{
    return !node->ns && strchr((const char *)node->name, ':');
}

static bool check_root(const xmlNode *node, const char *uri, GError **error)
{
    if (has_bare_prefix(node)) {
        error_set(error, VIR_FROM_XML, VIR_ERR_INVALID_ARG,
                  "the prefix of element '%.128s' is not declared", (const char *)node->name);
        return false;
    }
    if (node->ns && !is_of(node->ns, uri)) {
        error_set(error, VIR_FROM_XML, VIR_ERR_INVALID_ARG,
                  "element '%.128s' is of the namespace '%.256s' and not of '%.256s'",
                  (const char *)node->name, (const char *)node->ns->href, uri);
        return false;
    }
    return true;
}

char *xml_node_serialize_qualified(const XmlNode *node, const char *prefix, const char *uri,
                                   GError **error)
{
    xmlNode *copy = NULL;
    xmlNs *ns = NULL;
    char *text = NULL;

    if (!check_root(node, uri, error))
        return NULL;
    copy = xml_loaded()->xmlDocCopyNode((XmlNode *)node, node->doc, 1);
    g_assert(copy);
    ns = xml_loaded()->xmlNewNs(copy, BAD_CAST uri, BAD_CAST prefix);
    /* The prefix may be there already, with another meaning or the same. */
    if (!ns)
        ns = xml_loaded()->xmlSearchNs(copy->doc, copy, BAD_CAST prefix);
    if (!is_of(ns, uri)) {
        error_set(error, VIR_FROM_XML, VIR_ERR_INVALID_ARG,
                  "the prefix '%.128s' is declared for another namespace in element '%.128s'",
                  prefix, (const char *)node->name);
        xml_loaded()->xmlFreeNode(copy);
        return NULL;
    }
    for (xmlNode *at = copy; at; at = next_element(copy, at)) {
        if (is_of(at->ns, uri) || (!at->ns && !has_bare_prefix(at)))
            at->ns = ns;
    }
    text = xml_dump(copy, 0);
    xml_loaded()->xmlFreeNode(copy);
    return text;
}

/* Takes the namespace from attributes, but not where two would have the same name then.
 * Returns whether none has it any more. */
static bool attributes_unqualify(xmlNode *node, const char *uri)
{
    bool is_done = true;

    for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!is_of(attr->ns, uri))
            continue;
        if (xml_node_attr(node, (const char *)attr->name))
            is_done = false;
        else
            attr->ns = NULL;
    }
    return is_done;
}

static void declarations_remove(xmlNode *node, const char *uri)
{
    xmlNs **at = &node->nsDef;

    while (*at) {
        xmlNs *ns = *at;

        if (!is_of(ns, uri)) {
            at = &ns->next;
            continue;
        }
        *at = ns->next;
        xml_loaded()->xmlFreeNs(ns);
    }
}

char *xml_node_serialize_unqualified(const XmlNode *node, const char *uri)
{
    xmlNode *copy = xml_loaded()->xmlDocCopyNode((XmlNode *)node, node->doc, 1);
    bool is_done = true;
    char *text = NULL;

    g_assert(copy);
    for (xmlNode *at = copy; at; at = next_element(copy, at)) {
        if (is_of(at->ns, uri))
            at->ns = NULL;
        is_done = attributes_unqualify(at, uri) && is_done;
    }
    for (xmlNode *at = copy; at && is_done; at = next_element(copy, at))
        declarations_remove(at, uri);
    text = xml_dump(copy, 0);
    xml_loaded()->xmlFreeNode(copy);
    return text;
}
