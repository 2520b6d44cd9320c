/* Layout and escaping of written XML, against recordings of the reference. */
#include <string.h>
#include <libxml/tree.h>

#include "base/error.h"
#include "xml/writer.h"

static void assert_written(XmlWriter *writer, const char *expected)
{
    g_autofree char *text = xml_writer_finish(writer);

    g_assert_cmpstr(text, ==, expected);
}

static void test_layout_of_elements(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_open(writer, "domain");
    xml_writer_attr(writer, "id", "%d", 3);
    xml_writer_element_string(writer, "name", "x");
    xml_writer_element_string(writer, "title", NULL);
    xml_writer_open(writer, "memory");
    xml_writer_attr_string(writer, "unit", "KiB");
    xml_writer_attr_string(writer, "none", NULL);
    xml_writer_text(writer, "1024");
    xml_writer_close(writer);
    xml_writer_open(writer, "features");
    xml_writer_open(writer, "acpi");
    xml_writer_close(writer);
    xml_writer_close(writer);
    xml_writer_element(writer, "vcpu", "%u", 2);
    xml_writer_close(writer);
    assert_written(writer, "<domain id='3'>\n"
                           "  <name>x</name>\n"
                           "  <memory unit='KiB'>1024</memory>\n"
                           "  <features>\n"
                           "    <acpi/>\n"
                           "  </features>\n"
                           "  <vcpu>2</vcpu>\n"
                           "</domain>\n");
}

static void test_element_can_be_held_open(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_open(writer, "pool");
    xml_writer_open(writer, "source");
    xml_writer_break(writer);
    xml_writer_close(writer);
    xml_writer_blank_line(writer);
    xml_writer_close(writer);
    assert_written(writer, "<pool>\n  <source>\n  </source>\n\n</pool>\n");
}

static void test_empty_text_is_no_empty_element(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_element_string(writer, "a", "");
    assert_written(writer, "<a></a>\n");
}

static void test_special_characters_become_entities(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_open(writer, "a");
    xml_writer_attr_string(writer, "v", "<>&'\"\xc3\xa9");
    xml_writer_text(writer, "<>&'\"\xc3\xa9]]>\n\t");
    xml_writer_close(writer);
    assert_written(writer, "<a v='&lt;&gt;&amp;&apos;&quot;\xc3\xa9'>"
                           "&lt;&gt;&amp;&apos;&quot;\xc3\xa9]]&gt;\n\t</a>\n");
}

static void test_characters_that_xml_cannot_carry_are_dropped(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_element_string(writer, "a", "x\x01\x08\x0b\x1f\x7f\xff\xc3y\xef\xbf\xbe\xef\xbf\xbfz");
    assert_written(writer, "<a>x\x7fyz</a>\n");
}

static void test_what_is_printed_parses_back_to_the_same_text(void)
{
    static const char nasty[] = " \r\n\t <a b=\"c\" d='e'>&amp;]]> \r \xc2\x85\xe2\x80\xa8 ";
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *xml = NULL;
    g_autofree char *text = NULL;
    g_autoptr(XmlDoc) doc = NULL;

    xml_writer_open(writer, "a");
    xml_writer_attr_string(writer, "v", nasty);
    xml_writer_text(writer, nasty);
    xml_writer_close(writer);
    xml = xml_writer_finish(writer);
    doc = xml_parse(xml, "x", NULL);
    text = xml_node_text(xml_doc_root(doc));
    g_assert_cmpstr(text, ==, nasty);
    g_assert_cmpstr(xml_node_attr(xml_doc_root(doc), "v"), ==, nasty);
}

static void test_comment_cannot_end_early(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *xml = NULL;
    g_autoptr(XmlDoc) doc = NULL;

    xml_writer_comment(writer, "\n  virsh edit a--> <b/> ---");
    xml_writer_open(writer, "a");
    xml_writer_close(writer);
    xml = xml_writer_finish(writer);
    g_assert_cmpstr(xml, ==, "<!--\n  virsh edit a- -> <b/> - - - -->\n<a/>\n");
    doc = xml_parse(xml, "x", NULL);
    g_assert_nonnull(doc);
}

static void test_verbatim_element_is_indented_and_declares_its_namespaces(void)
{
    g_autoptr(XmlDoc) doc = xml_parse("<d xmlns:q='u:q'><m><q:a v='\"'>\n<b/><c>1\n 2</c></q:a>"
                                      "<q:e>x<f/></q:e></m></d>",
                                      "x", NULL);
    g_autofree char *kept = xml_node_serialize(xml_node_first(xml_doc_root(doc), "m"));
    g_autoptr(XmlWriter) writer = xml_writer_new();

    g_assert_cmpstr(kept, ==, "<m xmlns:q=\"u:q\">\n"
                              "  <q:a v=\"&quot;\">\n"
                              "    <b/>\n"
                              "    <c>1\n 2</c>\n"
                              "  </q:a>\n"
                              "  <q:e>x<f/></q:e>\n"
                              "</m>");
    xml_writer_open(writer, "domain");
    g_assert_true(xml_writer_verbatim(writer, kept, NULL));
    xml_writer_close(writer);
    assert_written(writer, "<domain>\n"
                           "  <m xmlns:q=\"u:q\">\n"
                           "    <q:a v=\"&quot;\">\n"
                           "      <b/>\n"
                           "      <c>1\n 2</c>\n"
                           "    </q:a>\n"
                           "    <q:e>x<f/></q:e>\n"
                           "  </m>\n"
                           "</domain>\n");
}

static void test_special_characters_in_namespaces_are_escaped(void)
{
    static const char xml[] = "<q:a xmlns:q=\"u?a&amp;b&lt;c&quot;d'\"/>";
    g_autoptr(XmlDoc) doc = xml_parse(xml, "x", NULL);
    g_autofree char *text = xml_node_serialize(xml_doc_root(doc));

    g_assert_cmpstr(text, ==, xml);
}

static void test_verbatim_text_that_is_broken_writes_nothing(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autoptr(GError) error = NULL;

    xml_writer_open(writer, "a");
    g_assert_false(xml_writer_verbatim(writer, "</a><evil>", &error));
    g_assert_error(error, error_quark(VIR_FROM_XML), VIR_ERR_XML_DETAIL);
    xml_writer_close(writer);
    assert_written(writer, "<a/>\n");
}

/* The name as it is written, with its prefix. */
static char *full_name(const xmlChar *name, const xmlNs *ns)
{
    if (!ns || !ns->prefix)
        return g_strdup((const char *)name);
    return g_strdup_printf("%s:%s", ns->prefix, name);
}

static void write_attributes(XmlWriter *writer, const XmlNode *node)
{
    for (const xmlNs *ns = node->nsDef; ns; ns = ns->next) {
        g_autofree char *name = g_strdup_printf("xmlns:%s", ns->prefix);

        xml_writer_attr_string(writer, name, (const char *)ns->href);
    }
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        g_autofree char *name = full_name(attr->name, attr->ns);

        xml_writer_attr_string(writer, name, xml_node_attr(node, (const char *)attr->name));
    }
}

static void write_again(XmlWriter *writer, const XmlNode *node)
{
    g_autofree char *name = full_name(node->name, node->ns);
    const XmlNode *child = NULL;

    if (strcmp(name, "metadata") == 0)
        return xml_writer_node(writer, node);
    xml_writer_open(writer, name);
    write_attributes(writer, node);
    for (child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            write_again(writer, child);
        else if (xmlIsBlankNode(child))
            xml_writer_break(writer);
        else
            xml_writer_text(writer, (const char *)child->content);
    }
    xml_writer_close(writer);
}

/* Where the reference puts empty lines is its documents' affair: it is compared elsewhere. */
static char *without_blank_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *all = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        if (**line)
            g_string_append_printf(all, "%s\n", *line);
    }
    return g_string_free(all, FALSE);
}

static void test_recording_is_written_to_the_byte(const void *data)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "xml", data, NULL);
    g_autofree char *recorded = NULL;
    g_autofree char *expected = NULL;
    g_autofree char *written = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = NULL;
    g_autoptr(XmlWriter) writer = xml_writer_new();

    g_file_get_contents(path, &recorded, NULL, &error);
    g_assert_no_error(error);
    doc = xml_parse(recorded, path, &error);
    g_assert_no_error(error);
    write_again(writer, xml_doc_root(doc));
    written = xml_writer_finish(writer);
    expected = without_blank_lines(recorded);
    g_assert_cmpstr(written, ==, expected);
}

int main(int argc, char **argv)
{
    static const char *const recordings[] = {
        "capabilities.xml", "domain.xml", "domcapabilities.xml", "network.xml",
        "nodedev.xml",      "pool.xml",   "secret.xml",          "special_characters.xml",
    };

    g_test_init(&argc, &argv, NULL);
#define ADD(NAME) g_test_add_func("/xml/writer/" #NAME, test_##NAME)
    ADD(layout_of_elements);
    ADD(element_can_be_held_open);
    ADD(empty_text_is_no_empty_element);
    ADD(special_characters_become_entities);
    ADD(characters_that_xml_cannot_carry_are_dropped);
    ADD(what_is_printed_parses_back_to_the_same_text);
    ADD(comment_cannot_end_early);
    ADD(verbatim_element_is_indented_and_declares_its_namespaces);
    ADD(special_characters_in_namespaces_are_escaped);
    ADD(verbatim_text_that_is_broken_writes_nothing);
    for (guint i = 0; i < G_N_ELEMENTS(recordings); i++) {
        g_autofree char *name = g_strdup_printf("/xml/writer/recording/%s", recordings[i]);

        g_test_add_data_func(name, recordings[i], test_recording_is_written_to_the_byte);
    }
    return g_test_run();
}
