/* Elements of a document printed as they were given, by libxml2. Its layout is that of
 * <metadata> in the reference: double quotes, two spaces per level, text untouched. */
#pragma once

#include "xml/doc.h"

/* @node with all inside it and the namespaces it needs. All lines but the first are
 * indented for an element @level levels deep. */
char *xml_dump(const XmlNode *node, int level);
