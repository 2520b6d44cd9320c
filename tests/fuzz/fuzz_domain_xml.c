/* Domain XML from clients and files. What is accepted is written, read and written to the same
 * again; and what the scanner of definition files takes, the parser takes and understands alike. */
#include <stdlib.h>
#include <string.h>

#include "virtqemud/model/definition_scan.h"
#include "virtqemud/model/domain_def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        if (!(CONDITION))                                                                          \
            abort();                                                                               \
    } while (0)

static bool count_alias(DeviceInfo *info, const char *what, void *device, void *data)
{
    guint *count = data;

    *count += info->alias != NULL;
    return true;
}

static void check_metadata(DomainDef *def, const char *text)
{
    guint n_items = def->metadata ? def->metadata->len : 0;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < n_items; i++) {
        const MetadataItem *item = g_ptr_array_index(def->metadata, i);
        g_autofree char *xml = domain_def_get_metadata(def, item->uri);

        CHECK(xml);
    }
    if (domain_def_set_metadata(def, "http://fuzz/", "fuzz", text, &error)) {
        g_autofree char *xml = domain_def_get_metadata(def, "http://fuzz/");

        CHECK(xml);
    } else {
        CHECK(error);
    }
}

static void check_def(const char *text, DomainParseFlags parse_flags,
                      DomainFormatFlags format_flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_def_parse(text, parse_flags, &error);
    g_autoptr(DomainDef) again = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autofree char *migratable = NULL;
    guint count = 0;

    if (!def) {
        CHECK(error && g_utf8_validate(error->message, -1, NULL));
        return;
    }
    (void) domain_def_validate(def, NULL);
    (void) domain_def_each_device(def, count_alias, &count);
    first = domain_def_format(def, format_flags);
    again = domain_def_parse(first, parse_flags, NULL);
    CHECK(again);
    second = domain_def_format(again, format_flags);
    CHECK(strcmp(first, second) == 0);
    migratable = domain_def_format(def, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_MIGRATABLE);
    check_metadata(def, text);
}

static void check_scan(const char *text, size_t size)
{
    DefinitionSummary summary;
    g_autoptr(XmlDoc) doc = NULL;
    g_autofree char *name = NULL;
    g_autofree char *uuid_text = NULL;
    Uuid uuid;

    if (!definition_scan(text, size, &summary))
        return;
    doc = xml_parse_root(text, "scanned", "domain", NULL);
    CHECK(doc);
    CHECK(xml_child_string(xml_doc_root(doc), "name", XML_REQUIRED, &name, NULL));
    CHECK(xml_child_string(xml_doc_root(doc), "uuid", XML_REQUIRED, &uuid_text, NULL));
    CHECK(strcmp(name, summary.name) == 0);
    CHECK(uuid_parse(uuid_text, &uuid, NULL) && uuid_equal(&uuid, &summary.uuid));
    definition_summary_clear(&summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);

    check_scan(text, size);
    check_def(text, DOMAIN_PARSE_INACTIVE, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
    check_def(text, DOMAIN_PARSE_STATUS, DOMAIN_FORMAT_STATUS);
    check_def(text, DOMAIN_PARSE_VALIDATE | DOMAIN_PARSE_INACTIVE, 0);
    return 0;
}
