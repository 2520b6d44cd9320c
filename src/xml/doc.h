/* XML documents, read with libxml2. Their writers are not trusted: no network, no document
 * type and so no entities but XML's own five, UTF-8 only, limits on size, depth,
 * attributes and namespaces. Parsing fits a fiber's stack. Nodes belong to their
 * document and live as long as it does; elements and attributes of foreign namespaces
 * are never mistaken for those of the same name without one. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* Bytes of a document; the protocol carries strings of up to 4 MiB. */
#define XML_SIZE_MAX (8 * 1024 * 1024)
/* Attributes of one element (libxml2 needs quadratic time for them), and namespace
 * declarations of one document. */
#define XML_ATTRIBUTES_MAX 512
#define XML_NAMESPACES_MAX 1024

typedef struct XmlDoc XmlDoc;
typedef struct _xmlNode XmlNode;

/* Parses @text. @what names it in errors ("domain_definition", a file name).
 * Errors: XML_DETAIL, "(WHAT):LINE: REASON" and where it helps the line itself with a
 * mark below the place. */
XmlDoc *xml_parse(const char *text, const char *what, GError **error);

/* The same for a document whose root element must be @root: XML_ERROR when it is not. */
XmlDoc *xml_parse_root(const char *text, const char *what, const char *root, GError **error);
void xml_doc_free(XmlDoc *doc);

const XmlNode *xml_doc_root(const XmlDoc *doc);

/* XML_ERROR unless the root element is @name. */
bool xml_doc_expect_root(const XmlDoc *doc, const char *name, GError **error);

/* The name of an element without its prefix, and the line that it began on. */
const char *xml_node_name(const XmlNode *node);
guint xml_node_line(const XmlNode *node);

/* The first child element @name of @node and the next sibling element of that name; any
 * name when @name is NULL; NULL when there is none. */
const XmlNode *xml_node_first(const XmlNode *node, const char *name);
const XmlNode *xml_node_next(const XmlNode *node, const char *name);

/* The same for elements of the namespace @uri. */
const XmlNode *xml_node_first_ns(const XmlNode *node, const char *uri, const char *name);
const XmlNode *xml_node_next_ns(const XmlNode *node, const char *uri, const char *name);

/* The same for elements of any namespace and name; the name of an element's namespace, NULL
 * when it has none. */
const XmlNode *xml_node_first_any(const XmlNode *node);
const XmlNode *xml_node_next_any(const XmlNode *node);
const char *xml_node_uri(const XmlNode *node);

/* The number of child elements @name. */
guint xml_node_count(const XmlNode *node, const char *name);

/* Sets @ret_child to the only child @name, NULL when there is none. XML_ERROR when there
 * are several. */
bool xml_node_single(const XmlNode *node, const char *name, const XmlNode **ret_child,
                     GError **error);

/* Sets @ret_child to the first child @name. XML_ERROR when there is none. */
bool xml_node_required(const XmlNode *node, const char *name, const XmlNode **ret_child,
                       GError **error);

/* All text inside an element, "" when there is none. */
char *xml_node_text(const XmlNode *node);

/* Whether there is more than white space between its children. */
bool xml_node_has_text(const XmlNode *node);

/* The value of the attribute @name, borrowed, or NULL. */
const char *xml_node_attr(const XmlNode *node, const char *name);

/* The names of an element's attributes that have no namespace, by their number; NULL behind the
 * last. */
const char *xml_node_attr_name(const XmlNode *node, guint index);

/* The element as it was given, with the namespaces that it needs, laid out in lines at
 * the left margin, without a newline at the end. For <metadata> and its like. */
char *xml_node_serialize(const XmlNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlDoc, xml_doc_free)
