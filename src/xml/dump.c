#include "xml/dump.h"
#include "xml/library.h"

static void ignore_error(void *data, xmlError *error)
{
}

/* The element after @node in document order, inside @root. Does not recurse. */
static xmlNode *next_node(const xmlNode *root, xmlNode *node)
{
    if (node->type == XML_ELEMENT_NODE && node->children)
        return node->children;
    while (node != root && !node->next)
        node = node->parent;
    return node == root ? NULL : node->next;
}

/* libxml2 prints the names of namespaces as they are: an '&' or '<' in one would make a
 * document that cannot be read again. */
static void escape_namespaces(xmlNode *root)
{
    for (xmlNode *node = root; node; node = next_node(root, node)) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        for (xmlNs *ns = node->nsDef; ns; ns = ns->next) {
            xmlChar *escaped = xml_loaded()->xmlEncodeSpecialChars(node->doc, ns->href);

            (*xml_loaded()->xmlFree)((xmlChar *)ns->href);
            ns->href = escaped;
        }
    }
}

char *xml_dump(const XmlNode *node, int level)
{
    xmlStructuredErrorFunc handler = *xml_loaded()->__xmlStructuredError();
    void *handler_data = *xml_loaded()->__xmlStructuredErrorContext();
    /* A copy that has no parents declares the namespaces that they declared. */
    xmlNode *copy = NULL;
    xmlBuffer *buffer = xml_loaded()->xmlBufferCreate();
    char *text = NULL;

    /* libxml2's default prints to stderr. */
    xml_loaded()->xmlSetStructuredErrorFunc(NULL, ignore_error);
    copy = xml_loaded()->xmlDocCopyNode((XmlNode *)node, node->doc, 1);
    g_assert(copy && buffer);
    escape_namespaces(copy);
    xml_loaded()->xmlNodeDump(buffer, node->doc, copy, level, 1);
    xml_loaded()->xmlSetStructuredErrorFunc(handler_data, handler);
    text = g_strdup((const char *)xml_loaded()->xmlBufferContent(buffer));
    xml_loaded()->xmlBufferFree(buffer);
    xml_loaded()->xmlFreeNode(copy);
    return text;
}
