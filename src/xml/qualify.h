/* Elements with and without the prefix of one namespace: applications hand in metadata without,
 * and get it back without. */
#pragma once

#include "xml/doc.h"

/* Whether @prefix is a name that a namespace can be declared with (Namespaces in XML 1.0). */
bool xml_prefix_is_valid(const char *prefix);

/* As xml_node_serialize(), with all elements that have no namespace, and those of @uri, in @uri
 * under @prefix. Errors: INVALID_ARG when @node itself is of another namespace. */
char *xml_node_serialize_qualified(const XmlNode *node, const char *prefix, const char *uri,
                                   GError **error);

/* As xml_node_serialize(), with elements and attributes of @uri in no namespace. */
char *xml_node_serialize_unqualified(const XmlNode *node, const char *uri);
