/* The rules as data. */
#pragma once

#include <stddef.h>

/* What the element @path may have. @path is "PARENT/ELEMENT", or the element alone where its
 * parent makes no difference. @attributes and @children are names between blanks. A child with
 * '*' behind it may hold anything; one without a rule of its own holds text alone. */
typedef struct SchemaRule {
    const char *path;
    const char *attributes;
    const char *children;
} SchemaRule;

/* Sorted by path, as strcmp() does. */
extern const SchemaRule schema_rules[];
extern const size_t n_schema_rules;
