/* What the schema of secrets (secret.rng of the manual) allows, for clients that ask to be told
 * of mistakes. Small enough to be code: three elements in any order, each at most once. */
#include <string.h>

#include "base/error.h"
#include "virtsecretd/secret_def.h"
#include "virtsecretd/usage.h"
#include "wire/api_secret.h"
#include "xml/doc.h"

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

/* @known: the names of the attributes that @node may have, NULL-terminated. */
static bool attributes_check(const XmlNode *node, const char *const *known, GError **error)
{
    const char *name;

    for (guint i = 0; (name = xml_node_attr_name(node, i)); i++) {
        if (!g_strv_contains(known, name))
            return refuse(node, error, "attribute '%.128s' is not known in element '%s'", name,
                          xml_node_name(node));
    }
    return true;
}

/* All children are among @known, each at most once, and there is no text between them. */
static bool children_check(const XmlNode *node, const char *const *known, GError **error)
{
    for (const XmlNode *child = xml_node_first_any(node); child; child = xml_node_next_any(child)) {
        const char *name = xml_node_name(child);

        if (xml_node_uri(child) || !g_strv_contains(known, name))
            return refuse(child, error, "element '%.128s' is not known in element '%s'", name,
                          xml_node_name(node));
        if (xml_node_count(node, name) > 1)
            return refuse(child, error, "there is more than one element '%s'", name);
    }
    if (xml_node_has_text(node))
        return refuse(node, error, "element '%s' has text in it", xml_node_name(node));
    return true;
}

/* An element with nothing but text in it. */
static bool text_check(const XmlNode *node, bool (*is_valid)(const char *text), GError **error)
{
    static const char *const none[] = { NULL };
    g_autofree char *text = xml_node_text(node);

    if (!attributes_check(node, none, error))
        return false;
    if (xml_node_first_any(node))
        return refuse(node, error, "element '%s' has elements in it", xml_node_name(node));
    if (is_valid && !is_valid(text))
        return refuse(node, error, "'%.128s' is no value of element '%s'", text,
                      xml_node_name(node));
    return true;
}

/* The schema is stricter than the parser: all dashes or none, no blanks. */
static bool is_uuid(const char *text)
{
    size_t n_digits = 0;

    for (const char *p = text; *p; p++)
        n_digits += g_ascii_isxdigit(*p) != 0;
    if (n_digits != 32)
        return false;
    return strlen(text) == 32 || (strlen(text) == 36 && text[8] == '-' && text[13] == '-' &&
                                  text[18] == '-' && text[23] == '-');
}

/* Drive letters too, as the schema has it. */
static bool is_absolute_path(const char *text)
{
    if (strchr(text, '\n'))
        return false;
    return (text[0] == '/' && text[1]) ||
           (g_ascii_isalpha(text[0]) && text[1] == ':' && text[2] == '\\' && text[3]);
}

static bool is_object_name(const char *text)
{
    return *text && !strpbrk(text, "/\n");
}

/* "none", which the parser knows, is not in the schema. */
static bool usage_check(const XmlNode *usage, GError **error)
{
    static const char *const attributes[] = { "type", NULL };
    const char *name = xml_node_attr(usage, "type");
    const char *elements[] = { NULL, NULL };
    const XmlNode *child;
    int type;

    if (!attributes_check(usage, attributes, error))
        return false;
    if (!name || !secret_usage_from_name(name, &type) || type == VIR_SECRET_USAGE_TYPE_NONE)
        return refuse(usage, error, "'%.128s' is no type of usage", name ? name : "");
    elements[0] = secret_usages[type].element;
    if (!children_check(usage, elements, error))
        return false;
    child = xml_node_first(usage, elements[0]);
    if (!child)
        return refuse(usage, error, "element '%s' is missing in element 'usage'", elements[0]);
    return text_check(child,
                      type == VIR_SECRET_USAGE_TYPE_VOLUME ? is_absolute_path : is_object_name,
                      error);
}

/* An empty one is good enough for the parser alone. */
static bool flag_check(const XmlNode *node, const char *name, GError **error)
{
    const char *value = xml_node_attr(node, name);

    if (!value || strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        return true;
    return refuse(node, error, "attribute '%s' is 'yes' or 'no', not '%.128s'", name, value);
}

bool secret_schema_validate(const XmlDoc *doc, GError **error)
{
    static const char *const attributes[] = { "ephemeral", "private", NULL };
    static const char *const elements[] = { "uuid", "description", "usage", NULL };
    const XmlNode *root = xml_doc_root(doc);
    const XmlNode *uuid = xml_node_first(root, "uuid");
    const XmlNode *description = xml_node_first(root, "description");
    const XmlNode *usage = xml_node_first(root, "usage");

    return attributes_check(root, attributes, error) && flag_check(root, "ephemeral", error) &&
           flag_check(root, "private", error) && children_check(root, elements, error) &&
           (!uuid || text_check(uuid, is_uuid, error)) &&
           (!description || text_check(description, NULL, error)) &&
           (!usage || usage_check(usage, error));
}
