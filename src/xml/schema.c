#include "xml/schema.h"

#include <string.h>

#include "base/error.h"

static bool refuse(const XmlNode *node, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool refuse(const XmlNode *node, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    error_set(error, VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA, "line %u: %s", xml_node_line(node),
              reason);
    return false;
}

bool xml_schema_has_word(const char *words, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = words; length > 0 && (at = strstr(at, word)); at++) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0') &&
            !strchr(word, ' '))
            return true;
    }
    return false;
}

/* White space around a name of a list does not count. */
static bool is_value(const char *text, const char *values, XmlSchemaCheck check)
{
    g_autofree char *name = NULL;

    if (!values)
        return !check || check(text);
    name = g_strstrip(g_strdup(text));
    return xml_schema_has_word(values, name);
}

static const XmlSchemaAttr *find_attr(const XmlSchemaElement *rule, const char *name)
{
    for (const XmlSchemaAttr *attr = rule->attrs; attr && attr->name; attr++) {
        if (strcmp(attr->name, name) == 0)
            return attr;
    }
    return NULL;
}

static bool check_attributes(const XmlNode *node, const XmlSchemaElement *rule, GError **error)
{
    const char *name;

    for (guint i = 0; (name = xml_node_attr_name(node, i)); i++) {
        if (!find_attr(rule, name) && g_strcmp0(name, rule->key) != 0)
            return refuse(node, error, "attribute '%.128s' is not known in element '%s'", name,
                          rule->name);
    }
    for (const XmlSchemaAttr *attr = rule->attrs; attr && attr->name; attr++) {
        const char *value = xml_node_attr(node, attr->name);

        if (!value && attr->is_required)
            return refuse(node, error, "attribute '%s' is missing in element '%s'", attr->name,
                          rule->name);
        if (value && !is_value(value, attr->values, attr->check))
            return refuse(node, error, "'%.128s' is no value of attribute '%s' in element '%s'",
                          value, attr->name, rule->name);
    }
    return true;
}

static bool check_text(const XmlNode *node, const XmlSchemaElement *rule, GError **error)
{
    g_autofree char *text = xml_node_text(node);

    if (xml_node_first_any(node))
        return refuse(node, error, "element '%s' has elements in it", rule->name);
    if (!is_value(text, rule->values, rule->check))
        return refuse(node, error, "'%.128s' is no value of element '%s'", text, rule->name);
    return true;
}

static bool fail_unknown(const XmlNode *child, const XmlNode *node, const char *key, GError **error)
{
    const char *name = xml_node_name(child), *type = key ? xml_node_attr(child, key) : NULL;

    if (!key)
        return refuse(child, error, "element '%.128s' is not known in element '%s'", name,
                      xml_node_name(node));
    if (!type)
        return refuse(child, error, "attribute '%s' is missing in element '%s'", key, name);
    return refuse(child, error, "'%.128s' is no %s of element '%s' in element '%s'", type, key, name,
                  xml_node_name(node));
}

/* The first entry for @child, which is in @node; NULL with an error when it has no business there. */
static const XmlSchemaElement *find_rule(const XmlNode *child, const XmlNode *node,
                                         const XmlSchemaElement *rules, GError **error)
{
    const char *key = NULL;

    for (const XmlSchemaElement *rule = rules; rule->name && !xml_node_uri(child); rule++) {
        const char *type = rule->key ? xml_node_attr(child, rule->key) : NULL;

        if (strcmp(rule->name, xml_node_name(child)) != 0)
            continue;
        if (!rule->key || (type && xml_schema_has_word(rule->types, type)))
            return rule;
        key = rule->key;
    }
    fail_unknown(child, node, key, error);
    return NULL;
}

static bool is_alternative(const XmlSchemaElement *rule, const XmlSchemaElement *first)
{
    return rule->name && strcmp(rule->name, first->name) == 0 &&
           g_strcmp0(rule->types, first->types) == 0;
}

static bool check_node(const XmlNode *node, const XmlSchemaElement *rule, GError **error);

/* What is wrong with the last of them is what is said. */
static bool check_alternatives(const XmlNode *node, const XmlSchemaElement *first, GError **error)
{
    const XmlSchemaElement *rule = first;

    for (; is_alternative(rule + 1, first); rule++) {
        if (check_node(node, rule, NULL))
            return true;
    }
    return check_node(node, rule, error);
}

static bool fail_missing(const XmlNode *node, const XmlSchemaElement *rule, GError **error)
{
    return refuse(node, error, "element '%s' is missing in element '%s'", rule->name,
                  xml_node_name(node));
}

/* @counts: how many there are of each entry. */
static bool check_counts(const XmlNode *node, const XmlSchemaElement *rules,
                         const unsigned *counts, GError **error)
{
    for (unsigned i = 0; rules[i].name; i++) {
        if (i > 0 && rules[i].rules & XML_SCHEMA_PAIRED) {
            if (counts[i] != counts[i - 1])
                return fail_missing(node, &rules[counts[i] ? i - 1 : i], error);
        } else if (counts[i] == 0 && !(rules[i].rules & XML_SCHEMA_MAY_MISS) &&
                   (i == 0 || !is_alternative(&rules[i], &rules[i - 1]))) {
            return fail_missing(node, &rules[i], error);
        }
    }
    return true;
}

static bool check_children(const XmlNode *node, const XmlSchemaElement *rules, GError **error)
{
    unsigned counts[XML_SCHEMA_CHILDREN_MAX] = { 0 };
    unsigned place = 0;

    if (xml_node_has_text(node))
        return refuse(node, error, "element '%s' has text in it", xml_node_name(node));
    for (const XmlNode *child = xml_node_first_any(node); child; child = xml_node_next_any(child)) {
        const XmlSchemaElement *rule = find_rule(child, node, rules, error);

        if (!rule)
            return false;
        if (rule->place < place)
            return refuse(child, error, "element '%s' stands too late in element '%s'", rule->name,
                          xml_node_name(node));
        place = rule->place;
        if (counts[rule - rules]++ > 0 && !(rule->rules & XML_SCHEMA_MAY_REPEAT))
            return refuse(child, error, "there is more than one element '%s' in element '%s'",
                          rule->name, xml_node_name(node));
        if (!check_alternatives(child, rule, error))
            return false;
    }
    return check_counts(node, rules, counts, error);
}

static bool check_node(const XmlNode *node, const XmlSchemaElement *rule, GError **error)
{
    return check_attributes(node, rule, error) &&
           (rule->children ? check_children(node, rule->children, error)
                           : check_text(node, rule, error));
}

bool xml_schema_validate(const XmlNode *root, const XmlSchemaElement *schema, GError **error)
{
    if (strcmp(xml_node_name(root), schema->name) != 0)
        return refuse(root, error, "the root is element '%.128s', not '%s'", xml_node_name(root),
                      schema->name);
    return check_node(root, schema, error);
}
