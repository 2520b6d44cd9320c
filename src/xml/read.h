/* Typed attributes and texts of XML elements. What is wrong is an XML_ERROR that names
 * the element, the attribute and the value in the words that existing clients know.
 * What nobody asks for is ignored. */
#pragma once

#include <stdint.h>

#include "xml/doc.h"

typedef enum XmlRule {
    XML_OPTIONAL = 0,
    XML_REQUIRED = 1 << 0,
    XML_NONZERO = 1 << 1,  /* zero is an error */
    XML_ANY_BASE = 1 << 2, /* hexadecimal after 0x and octal after 0, too */
} XmlRule;

/* A switch that may be left to its default. */
typedef enum XmlTristate {
    XML_TRISTATE_ABSENT = 0,
    XML_TRISTATE_YES,
    XML_TRISTATE_NO,
} XmlTristate;

/* All of these read the attribute @name of @node. An attribute that is missing is an error
 * when @rules has XML_REQUIRED, else @fallback (NULL for strings) stands for it.
 * Numbers are decimal, with white space or '+' before them at most. */
bool xml_attr_string(const XmlNode *node, const char *name, XmlRule rules, char **ret,
                     GError **error);
bool xml_attr_int(const XmlNode *node, const char *name, XmlRule rules, int fallback, int *ret,
                  GError **error);
bool xml_attr_uint(const XmlNode *node, const char *name, XmlRule rules, unsigned fallback,
                   unsigned *ret, GError **error);
bool xml_attr_int64(const XmlNode *node, const char *name, XmlRule rules, int64_t fallback,
                    int64_t *ret, GError **error);
bool xml_attr_uint64(const XmlNode *node, const char *name, XmlRule rules, uint64_t fallback,
                     uint64_t *ret, GError **error);
bool xml_attr_yes_no(const XmlNode *node, const char *name, XmlRule rules, XmlTristate *ret,
                     GError **error);
bool xml_attr_on_off(const XmlNode *node, const char *name, XmlRule rules, XmlTristate *ret,
                     GError **error);

/* The place of the value in a table of names (see base/enum_names.h; NULL for places
 * without a name). With XML_NONZERO the name at place 0 is not accepted. */
bool xml_attr_enum(const XmlNode *node, const char *name, XmlRule rules, const char *const *names,
                   size_t n_names, int fallback, int *ret, GError **error);

/* The error for a value that a caller has found wrong itself. @expected may be NULL, or a
 * sentence without full stop ("Expected a multiple of 8"). Returns false. */
bool xml_attr_invalid(const XmlNode *node, const char *name, const char *expected,
                      GError **error);

/* The text of the first child element @name. */
bool xml_child_string(const XmlNode *node, const char *name, XmlRule rules, char **ret,
                      GError **error);
bool xml_child_uint64(const XmlNode *node, const char *name, XmlRule rules, uint64_t fallback,
                      uint64_t *ret, GError **error);

/* A size: the text of the child @name scaled by its attribute "unit" (by @default_unit
 * bytes without one; see base/units.h). OVERFLOW above @max_bytes, INVALID_ARG for an
 * unknown unit. */
bool xml_child_bytes(const XmlNode *node, const char *name, XmlRule rules, uint64_t default_unit,
                     uint64_t max_bytes, uint64_t fallback_bytes, uint64_t *ret_bytes,
                     GError **error);
