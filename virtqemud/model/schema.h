/* Which elements and attributes a domain document may have, for clients that ask to be told of
 * mistakes (VIR_DOMAIN_DEFINE_VALIDATE). Parts of the format that this suite does not serve are
 * accepted as they are. Values are the parser's to check. Source: the manual's "Domain XML
 * format". */
#pragma once

#include "xml/doc.h"

/* Errors: XML_INVALID_SCHEMA, naming the first element or attribute that nobody knows. */
bool schema_validate_domain(const XmlNode *domain, GError **error);
