/* Elements are kept as texts: nobody but their application knows what they mean. Which rules a
 * change must follow is in the manual's virDomainSetMetadata. */
#include "virtqemud/model/metadata.h"

#include <string.h>

#include "base/error.h"
#include "xml/qualify.h"

static void item_free(void *data)
{
    MetadataItem *item = data;

    g_free(item->uri);
    g_free(item->xml);
    g_free(item);
}

GPtrArray *metadata_new(void)
{
    return g_ptr_array_new_with_free_func(item_free);
}

/* There are few: one for each application that knows the domain. */
static MetadataItem *find(const GPtrArray *items, const char *uri, guint *ret_index)
{
    for (guint i = 0; items && i < items->len; i++) {
        MetadataItem *item = g_ptr_array_index(items, i);

        if (strcmp(item->uri, uri) == 0) {
            if (ret_index)
                *ret_index = i;
            return item;
        }
    }
    return NULL;
}

static void add(GPtrArray *items, const char *uri, char *xml)
{
    MetadataItem *item = g_new0(MetadataItem, 1);

    item->uri = g_strdup(uri);
    item->xml = xml;
    g_ptr_array_add(items, item);
}

GPtrArray *metadata_parse(const XmlNode *metadata)
{
    GPtrArray *items = metadata_new();

    for (const XmlNode *node = xml_node_first_any(metadata); node;
         node = xml_node_next_any(node)) {
        const char *uri = xml_node_uri(node);

        if (uri && !find(items, uri, NULL))
            add(items, uri, xml_node_serialize(node));
    }
    return items;
}

void metadata_format(const GPtrArray *items, XmlWriter *writer)
{
    if (!items)
        return;
    xml_writer_open(writer, "metadata");
    for (guint i = 0; i < items->len; i++) {
        const MetadataItem *item = g_ptr_array_index(items, i);

        /* It came out of a parser: it goes into one again. */
        (void) xml_writer_verbatim(writer, item->xml, NULL);
    }
    xml_writer_close(writer);
}

char *domain_def_get_metadata(const DomainDef *def, const char *uri)
{
    const MetadataItem *item = find(def->metadata, uri, NULL);
    g_autoptr(XmlDoc) doc = item ? xml_parse(item->xml, "metadata_xml", NULL) : NULL;

    return doc ? xml_node_serialize_unqualified(xml_doc_root(doc), uri) : NULL;
}

/* The prefix comes from the client, too: it must not break the document. */
static bool check_names(const char *uri, const char *key, GError **error)
{
    const char *missing = !uri ? "uri" : !key ? "key" : NULL;

    if (missing) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "metadata %s must not be NULL",
                  missing);
        return false;
    }
    if (*uri == '\0') {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "metadata uri must not be empty");
        return false;
    }
    if (!xml_prefix_is_valid(key)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "metadata key '%.128s' is not a name that XML can use as a prefix", key);
        return false;
    }
    return true;
}

/* Nothing changes before all is known to be right. What is new goes to the end. */
bool domain_def_set_metadata(DomainDef *def, const char *uri, const char *key, const char *xml,
                             GError **error)
{
    g_autoptr(GError) broken = NULL;
    g_autoptr(XmlDoc) doc = NULL;
    char *text = NULL;
    guint index = 0;

    if (xml) {
        if (!check_names(uri, key, error))
            return false;
        doc = xml_parse(xml, "metadata_xml", &broken);
        if (!doc) {
            error_set(error, VIR_FROM_DOMAIN, (ErrorCode) broken->code, "%s",
                      error_detail(broken));
            return false;
        }
        text = xml_node_serialize_qualified(xml_doc_root(doc), key, uri, error);
        if (!text)
            return false;
    }
    if (find(def->metadata, uri, &index))
        g_ptr_array_remove_index(def->metadata, index);
    if (!text)
        return true;
    if (!def->metadata)
        def->metadata = metadata_new();
    add(def->metadata, uri, text);
    return true;
}

static void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = value && *value ? g_strdup(value) : NULL;
}

bool domain_def_set_title(DomainDef *def, const char *title, GError **error)
{
    if (title && strchr(title, '\n')) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "metadata title can't contain newlines");
        return false;
    }
    set_text(&def->title, title);
    return true;
}

void domain_def_set_description(DomainDef *def, const char *description)
{
    set_text(&def->description, description);
}
