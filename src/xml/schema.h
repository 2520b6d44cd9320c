/* Holds a document against a schema that is data: which elements and attributes it may have, in which
 * order, and what may stand in them. For clients that ask to be told of mistakes. The manual's
 * schemas (RELAX NG) are written down as tables; a table has no way back into itself, so depth is
 * bounded by it. */
#pragma once

#include "xml/doc.h"

/* Of a table of children, alternatives included. */
#define XML_SCHEMA_CHILDREN_MAX 32

/* Whether @text is a value. */
typedef bool (*XmlSchemaCheck)(const char *text);

/* In tables, an entry without a name is behind the last. @values: names between blanks, of which
 * the value must be one; @check: what it must be; neither: any text. */
typedef struct XmlSchemaAttr {
    const char *name;
    bool is_required;
    const char *values;
    XmlSchemaCheck check;
} XmlSchemaAttr;

typedef enum XmlSchemaRule {
    XML_SCHEMA_ONE = 0,
    XML_SCHEMA_MAY_MISS = 1 << 0,
    XML_SCHEMA_MAY_REPEAT = 1 << 1,
    XML_SCHEMA_PAIRED = 1 << 2, /* is there exactly when the entry before it is */
} XmlSchemaRule;

typedef struct XmlSchemaElement {
    const char *name;
    /* The attribute by which entries of one name are told apart, and the values, between blanks, that
     * this one is for. NULL: there is none. Entries of the same name and values that follow each
     * other are alternatives, and the rules of the first count. */
    const char *key, *types;
    unsigned rules;  /* XmlSchemaRule */
    unsigned place;  /* children stand in this order; those of the same place in any */
    const XmlSchemaAttr *attrs;              /* besides @key; NULL: no other */
    const struct XmlSchemaElement *children; /* NULL: text */
    const char *values;
    XmlSchemaCheck check;
} XmlSchemaElement;

/* Errors: XML_INVALID_SCHEMA, with the line and what is wrong there. */
bool xml_schema_validate(const XmlNode *root, const XmlSchemaElement *schema, GError **error);

/* Whether @word is one of those between blanks. */
bool xml_schema_has_word(const char *words, const char *word);
