/* XML to SecretDef and back. Each type of usage has one child element that names what the secret
 * is for: the table below. */
#include "virtsecretd/secret_def.h"

#include <string.h>

#include "base/error.h"
#include "virtsecretd/usage.h"
#include "wire/api_secret.h"
#include "xml/read.h"
#include "xml/writer.h"

const SecretUsage secret_usages[] = {
    [VIR_SECRET_USAGE_TYPE_NONE] = { "none", NULL, NULL },
    [VIR_SECRET_USAGE_TYPE_VOLUME] = {
        "volume", "volume", "volume usage specified, but volume path is missing" },
    [VIR_SECRET_USAGE_TYPE_CEPH] = {
        "ceph", "name", "Ceph usage specified, but name is missing" },
    [VIR_SECRET_USAGE_TYPE_ISCSI] = {
        "iscsi", "target", "iSCSI usage specified, but target is missing" },
    [VIR_SECRET_USAGE_TYPE_TLS] = {
        "tls", "name", "TLS usage specified, but name is missing" },
    [VIR_SECRET_USAGE_TYPE_VTPM] = {
        "vtpm", "name", "vTPM usage specified, but name is missing" },
};
const size_t n_secret_usages = G_N_ELEMENTS(secret_usages);

void secret_def_free(SecretDef *def)
{
    if (!def)
        return;
    g_free(def->usage_id);
    g_free(def->description);
    g_free(def);
}

/* Six names: no table is worth it. */
bool secret_usage_from_name(const char *name, int *ret_type)
{
    for (size_t i = 0; i < n_secret_usages; i++) {
        if (strcmp(secret_usages[i].name, name) == 0) {
            *ret_type = (int)i;
            return true;
        }
    }
    return false;
}

/* An empty attribute counts as none. */
static bool flag_parse(const XmlNode *node, const char *name, bool *ret_flag, GError **error)
{
    const char *value = xml_node_attr(node, name);

    if (!value || !*value)
        return true;
    *ret_flag = strcmp(value, "yes") == 0;
    if (*ret_flag || strcmp(value, "no") == 0)
        return true;
    error_set(error, VIR_FROM_SECRET, VIR_ERR_XML_ERROR, "invalid value of '%s'", name);
    return false;
}

/* NULL for a child that is missing or empty. */
static char *child_text(const XmlNode *node, const char *name)
{
    const XmlNode *child = xml_node_first(node, name);
    g_autofree char *text = child ? xml_node_text(child) : NULL;

    return text && *text ? g_steal_pointer(&text) : NULL;
}

/* White space around it, and any case, are as good as on the command line. */
static bool uuid_element_parse(const XmlNode *node, Uuid *ret_uuid, GError **error)
{
    g_autofree char *text = child_text(node, "uuid");

    if (!text) {
        uuid_generate(ret_uuid);
        return true;
    }
    if (uuid_parse(text, ret_uuid, NULL))
        return true;
    error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "malformed uuid element");
    return false;
}

/* Without a usage the secret is for nothing in particular, and is found by its uuid alone. */
static bool usage_parse(const XmlNode *usage, SecretDef *def, GError **error)
{
    const char *name = usage ? xml_node_attr(usage, "type") : NULL;
    const SecretUsage *kind;

    if (!usage)
        return true;
    if (!name || !*name) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_XML_ERROR, "unknown secret usage type");
        return false;
    }
    if (!secret_usage_from_name(name, &def->usage_type)) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_CONFIG_UNSUPPORTED,
                  "unknown secret usage type %.128s", name);
        return false;
    }
    kind = &secret_usages[def->usage_type];
    if (!kind->element)
        return true;
    def->usage_id = child_text(usage, kind->element);
    if (def->usage_id)
        return true;
    error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "%s", kind->missing);
    return false;
}

static SecretDef *secret_parse(const XmlNode *node, GError **error)
{
    g_autoptr(SecretDef) def = g_new0(SecretDef, 1);

    if (!flag_parse(node, "ephemeral", &def->is_ephemeral, error) ||
        !flag_parse(node, "private", &def->is_private, error) ||
        !uuid_element_parse(node, &def->uuid, error) ||
        !usage_parse(xml_node_first(node, "usage"), def, error))
        return NULL;
    def->description = child_text(node, "description");
    return g_steal_pointer(&def);
}

/* What the parser says of the text is an error of this driver; that it is another document is not.
 * Clients have always been told so. */
static void propagate_from_secret(GError *cause, GError **error)
{
    g_set_error_literal(error, error_quark(VIR_FROM_SECRET), cause->code, cause->message);
    g_error_free(cause);
}

SecretDef *secret_def_parse(const char *xml, bool is_strict, GError **error)
{
    GError *cause = NULL;
    g_autoptr(XmlDoc) doc = xml_parse(xml, "definition_of_secret", &cause);

    if (!doc) {
        propagate_from_secret(cause, error);
        return NULL;
    }
    if (!xml_doc_expect_root(doc, "secret", error) ||
        (is_strict && !secret_schema_validate(doc, error)))
        return NULL;
    return secret_parse(xml_doc_root(doc), error);
}

static void usage_format(XmlWriter *writer, const SecretDef *def)
{
    const SecretUsage *kind = &secret_usages[def->usage_type];

    xml_writer_open(writer, "usage");
    xml_writer_attr_string(writer, "type", kind->name);
    xml_writer_element_string(writer, kind->element, def->usage_id);
    xml_writer_close(writer);
}

/* Files and replies have the same text. The order of elements is that of existing daemons;
 * secret_def_scan() depends on it. */
char *secret_def_format(const SecretDef *def)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    char uuid[UUID_TEXT_SIZE];

    xml_writer_open(writer, "secret");
    xml_writer_attr_string(writer, "ephemeral", def->is_ephemeral ? "yes" : "no");
    xml_writer_attr_string(writer, "private", def->is_private ? "yes" : "no");
    xml_writer_element_string(writer, "uuid", uuid_format(&def->uuid, uuid));
    xml_writer_element_string(writer, "description", def->description);
    if (def->usage_id)
        usage_format(writer, def);
    xml_writer_close(writer);
    return xml_writer_finish(writer);
}
