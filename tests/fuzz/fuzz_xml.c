/* XML from clients: what parses is written and parsed to the same again, by our writer and
 * verbatim. */
#include <stdlib.h>
#include <string.h>

#include <libxml/tree.h>

#include "xml/read.h"
#include "xml/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        if (!(CONDITION))                                                                          \
            abort();                                                                               \
    } while (0)

/* Elements, their attributes and the texts of those without children; namespaces and mixed
 * content are the verbatim form's part. */
static void write_element(XmlWriter *writer, const XmlNode *node)
{
    const XmlNode *child = xml_node_first(node, NULL);

    xml_writer_open(writer, xml_node_name(node));
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!attr->ns)
            xml_writer_attr_string(writer, (const char *)attr->name,
                                   xml_node_attr(node, (const char *)attr->name));
    }
    if (!child) {
        g_autofree char *text = xml_node_text(node);

        xml_writer_text(writer, text);
    }
    for (; child; child = xml_node_next(child, NULL))
        write_element(writer, child);
    xml_writer_close(writer);
}

static char *write_document(const XmlDoc *doc)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    write_element(writer, xml_doc_root(doc));
    return xml_writer_finish(writer);
}

static void read_typed(const XmlNode *node)
{
    static const char *const names[] = { NULL, "yes", "file" };
    g_autofree char *text = NULL;
    uint64_t number = 0;
    int64_t integer = 0;
    XmlTristate state;
    int value = 0;

    (void)xml_attr_uint64(node, "n", XML_NONZERO, 0, &number, NULL);
    (void)xml_attr_int64(node, "n", XML_ANY_BASE, 0, &integer, NULL);
    (void)xml_attr_yes_no(node, "n", XML_OPTIONAL, &state, NULL);
    (void)xml_attr_enum(node, "n", XML_REQUIRED, names, G_N_ELEMENTS(names), 0, &value, NULL);
    (void)xml_child_bytes(node, "m", XML_REQUIRED, 1024, UINT64_MAX, 0, &number, NULL);
    (void)xml_child_string(node, "m", XML_REQUIRED, &text, NULL);
}

static void check_verbatim(const XmlDoc *doc)
{
    g_autofree char *text = xml_node_serialize(xml_doc_root(doc));
    g_autoptr(XmlDoc) again = xml_parse(text, "again", NULL);

    CHECK(again);
    CHECK(strcmp(xml_node_name(xml_doc_root(again)), xml_node_name(xml_doc_root(doc))) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = xml_parse(text, "fuzz", &error);
    g_autoptr(XmlDoc) again = NULL;

    if (!doc) {
        CHECK(error && g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    read_typed(xml_doc_root(doc));
    check_verbatim(doc);
    first = write_document(doc);
    again = xml_parse(first, "again", NULL);
    CHECK(again);
    second = write_document(again);
    CHECK(strcmp(first, second) == 0);
    return 0;
}
