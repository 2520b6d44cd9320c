/* Walks the document with the rules beside it. Depth is bounded: below elements that may hold
 * anything it does not go (a rule of theirs is for their attributes), and all others have
 * rules. */
#include "virtqemud/model/schema.h"

#include <string.h>

#include "base/error.h"
#include "virtqemud/model/schema_rules.h"

/* Namespaces whose elements may stand in a <domain>: settings for one hypervisor. */
static const char *const namespaces[] = {
    "http://libvirt.org/schemas/domain/qemu/1.0", "http://libvirt.org/schemas/domain/lxc/1.0",
    "http://libvirt.org/schemas/domain/xen/1.0", "http://libvirt.org/schemas/domain/bhyve/1.0",
};

typedef enum Listing { NOT_LISTED, LISTED, LISTED_OPEN } Listing;

/* A name counts only as a whole: "on" is not in "on_crash". */
static Listing list_find(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(list, name); at; at = strstr(at + 1, name)) {
        if (at > list && at[-1] != ' ')
            continue;
        if (at[length] == '*')
            return LISTED_OPEN;
        if (at[length] == ' ' || at[length] == '\0')
            return LISTED;
    }
    return NOT_LISTED;
}

static const SchemaRule *rule_find(const char *path)
{
    size_t from = 0;
    size_t to = n_schema_rules;

    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = strcmp(path, schema_rules[middle].path);

        if (order == 0)
            return &schema_rules[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* An element that has rules where it stands does not have those of its name alone. */
static const SchemaRule *rule_of(const char *parent, const char *name)
{
    char path[64];
    const SchemaRule *rule = NULL;

    g_snprintf(path, sizeof(path), "%s/%s", parent, name);
    rule = rule_find(path);
    return rule ? rule : rule_find(name);
}

static bool attributes_check(const XmlNode *node, const SchemaRule *rule, GError **error)
{
    const char *name = NULL;

    for (guint i = 0; (name = xml_node_attr_name(node, i)); i++) {
        if (list_find(rule->attributes, name) != LISTED) {
            error_set(error, VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA,
                      "line %u: attribute '%.128s' is not known in element '%s'",
                      xml_node_line(node), name, xml_node_name(node));
            return false;
        }
    }
    return true;
}

/* There are as many as hypervisors with settings of their own. */
static bool is_known_namespace(const XmlNode *node)
{
    for (size_t i = 0; i < G_N_ELEMENTS(namespaces); i++) {
        if (strcmp(xml_node_uri(node), namespaces[i]) == 0)
            return true;
    }
    return false;
}

static bool not_known(const XmlNode *child, const XmlNode *parent, GError **error)
{
    error_set(error, VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA,
              "line %u: element '%.128s' is not known in element '%s'", xml_node_line(child),
              xml_node_name(child), xml_node_name(parent));
    return false;
}

static bool node_check(const XmlNode *node, const SchemaRule *rule, GError **error);

static bool child_check(const XmlNode *child, const XmlNode *parent, const SchemaRule *rule,
                        GError **error)
{
    static const SchemaRule text_only = { "", "", "" };
    const char *name = xml_node_name(child);
    Listing listing = list_find(rule->children, name);
    const SchemaRule *child_rule = rule_of(xml_node_name(parent), name);

    if (xml_node_uri(child)) {
        return (strcmp(rule->path, "domain") == 0 && is_known_namespace(child)) ||
               not_known(child, parent, error);
    }
    if (listing == LISTED_OPEN)
        return !child_rule || attributes_check(child, child_rule, error);
    return (listing == LISTED || not_known(child, parent, error)) &&
           node_check(child, child_rule ? child_rule : &text_only, error);
}

static bool node_check(const XmlNode *node, const SchemaRule *rule, GError **error)
{
    if (!attributes_check(node, rule, error))
        return false;
    if (*rule->children && xml_node_has_text(node)) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_INVALID_SCHEMA,
                  "line %u: there is text in element '%s', which has elements only",
                  xml_node_line(node), xml_node_name(node));
        return false;
    }
    for (const XmlNode *child = xml_node_first_any(node); child;
         child = xml_node_next_any(child)) {
        if (!child_check(child, node, rule, error))
            return false;
    }
    return true;
}

bool schema_validate_domain(const XmlNode *domain, GError **error)
{
    return node_check(domain, rule_find("domain"), error);
}
