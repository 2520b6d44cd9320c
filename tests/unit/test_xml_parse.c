/* XML documents from untrusted writers. */
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "xml/doc.h"

static void assert_refused(const char *xml, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xml_parse(xml, "domain_definition", &error));
    g_assert_error(error, error_quark(VIR_FROM_XML), VIR_ERR_XML_DETAIL);
    g_assert_cmpstr(error->message, ==, message);
}

/* For what libxml2 says in words of its own. */
static void assert_refused_at(const char *xml, const char *start)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xml_parse(xml, "x", &error));
    g_assert_error(error, error_quark(VIR_FROM_XML), VIR_ERR_XML_DETAIL);
    if (!g_str_has_prefix(error->message, start))
        g_error("'%s' does not begin with '%s'", error->message, start);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    g_assert_cmpuint(strlen(error->message), <, 1024);
}

static char *nested(guint levels)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < levels; i++)
        g_string_append(text, "<a>");
    for (guint i = 0; i < levels; i++)
        g_string_append(text, "</a>");
    return g_string_free(text, FALSE);
}

static void test_syntax_error_shows_line_and_place(void)
{
    assert_refused("<domain type=\"qemu\">\n<name>a</name>\n<foo></bar></domain>",
                   "(domain_definition):3: Opening and ending tag mismatch: foo line 3 and bar\n"
                   "<foo></bar></domain>\n"
                   "-----------^");
    assert_refused("garbage", "(domain_definition):1: Start tag expected, '<' not found\n"
                              "garbage\n^");
}

static void test_error_of_an_empty_document_has_no_excerpt(void)
{
    assert_refused("", "(domain_definition):1: Document is empty");
}

static void test_excerpt_of_a_long_line_is_short_and_whole_characters(void)
{
    g_autoptr(GString) text = g_string_new("<a>");

    for (int i = 0; i < 10000; i++)
        g_string_append(text, "\xc3\xa9");
    g_string_append(text, "</b>");
    assert_refused_at(text->str, "(x):1: Opening and ending tag mismatch");
}

static void test_unknown_entity_is_an_error(void)
{
    assert_refused_at("<a>\n&nosuch;</a>", "(x):2: Entity 'nosuch' not defined");
}

static void test_control_character_is_an_error(void)
{
    assert_refused_at("<a>\x01</a>", "(x):1: PCDATA invalid Char value 1");
    assert_refused_at("<a>&#1;</a>", "(x):1: xmlParseCharRef: invalid xmlChar value 1");
}

static void test_invalid_utf8_is_an_error(void)
{
    assert_refused("<a>\n\xff</a>", "(domain_definition):2: Input is not proper UTF-8");
}

static void test_declared_encoding_changes_nothing(void)
{
    g_autoptr(XmlDoc) doc =
        xml_parse("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xc3\xa9</a>", "x", NULL);
    g_autofree char *text = xml_node_serialize(xml_doc_root(doc));

    g_assert_cmpstr(text, ==, "<a>\xc3\xa9</a>");
}

static void test_document_type_is_refused(void)
{
    assert_refused_at("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>",
                      "(x):1: a document type declaration is not accepted");
    assert_refused_at("<!DOCTYPE a SYSTEM \"http://localhost/x\"><a/>",
                      "(x):1: a document type declaration is not accepted");
}

static void test_billion_laughs_fail_fast(void)
{
    g_autoptr(GString) text = g_string_new("<!DOCTYPE d [<!ENTITY a0 \"lol\">");

    for (int i = 1; i < 30; i++) {
        g_string_append_printf(text, "<!ENTITY a%d \"", i);
        for (int j = 0; j < 10; j++)
            g_string_append_printf(text, "&a%d;", i - 1);
        g_string_append(text, "\">");
    }
    g_string_append(text, "]><a>&a29;</a>");
    assert_refused_at(text->str, "(x):1: a document type declaration is not accepted");
}

static void test_depth_is_limited(void)
{
    g_autofree char *fine = nested(250);
    g_autofree char *deep = nested(100000);
    g_autoptr(XmlDoc) doc = xml_parse(fine, "x", NULL);

    g_assert_nonnull(doc);
    assert_refused_at(deep, "(x):1: Excessive depth in document: 256");
}

static void test_size_is_limited(void)
{
    g_autofree char *text = g_strnfill(XML_SIZE_MAX + 1, ' ');

    assert_refused(text, "(domain_definition):1: document is too large");
}

static char *attributes(guint count, const char *format)
{
    GString *text = g_string_new("<a");

    for (guint i = 0; i < count; i++) {
        g_string_append_c(text, ' ');
        g_string_append_printf(text, "%s%u%s", format, i, "='v>'");
    }
    g_string_append(text, "/>");
    return g_string_free(text, FALSE);
}

static void test_attributes_are_limited(void)
{
    g_autofree char *fine = attributes(XML_ATTRIBUTES_MAX, "n");
    g_autofree char *flood = attributes(400000, "n");
    g_autoptr(XmlDoc) doc = xml_parse(fine, "x", NULL);

    g_assert_nonnull(doc);
    assert_refused(flood, "(domain_definition):1: too many attributes in one element");
}

static void test_namespaces_are_limited(void)
{
    g_autoptr(GString) text = g_string_new("<a>");

    for (int i = 0; i <= XML_NAMESPACES_MAX; i++)
        g_string_append(text, "<b xmlns='u'/>");
    g_string_append(text, "</a>");
    assert_refused(text->str, "(domain_definition):1: too many namespace declarations");
}

static void test_root_element_is_checked(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xml_parse_root("<network/>", "domain_definition", "domain", &error));
    g_assert_error(error, error_quark(VIR_FROM_XML), VIR_ERR_XML_ERROR);
    g_assert_cmpstr(error->message, ==,
                    "XML error: expecting root element of 'domain', not 'network'");
}

static void test_lines_beyond_16_bits_are_counted(void)
{
    g_autoptr(GString) text = g_string_new("<a>");

    for (int i = 0; i < 70000; i++)
        g_string_append_c(text, '\n');
    g_string_append(text, "</b>");
    assert_refused_at(text->str, "(x):70001: Opening and ending tag mismatch");
}

/* What a fiber does: everything on a small stack. */
static void *on_small_stack(void *data)
{
    g_autofree char *deepest = nested(255);
    g_autofree char *deeper = nested(5000);
    g_autoptr(XmlDoc) doc = xml_parse(deepest, "x", NULL);
    g_autofree char *text = doc ? xml_node_serialize(xml_doc_root(doc)) : NULL;
    g_autofree char *content = doc ? xml_node_text(xml_doc_root(doc)) : NULL;
    bool *ret_is_fine = data;

    *ret_is_fine = text && content && !xml_parse(deeper, "x", NULL);
    return NULL;
}

static void test_deepest_document_fits_a_stack_of_256_kib(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool is_fine = false;

    g_assert_cmpint(pthread_attr_init(&attr), ==, 0);
    g_assert_cmpint(pthread_attr_setstacksize(&attr, 256 * 1024), ==, 0);
    g_assert_cmpint(pthread_create(&thread, &attr, on_small_stack, &is_fine), ==, 0);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
    pthread_attr_destroy(&attr);
    g_assert_true(is_fine);
}

static void test_errors_do_not_reach_stderr(void)
{
    if (g_test_subprocess()) {
        xml_doc_free(xml_parse("<a>&x;<b></c>\x01", "x", NULL));
        xml_doc_free(xml_parse("<p:a xmlns:q='not a uri %'/>", "x", NULL));
        xml_doc_free(xml_parse("<!DOCTYPE a SYSTEM 'http://127.0.0.1/'><a/>", "x", NULL));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(NAME) g_test_add_func("/xml/parse/" #NAME, test_##NAME)
    ADD(syntax_error_shows_line_and_place);
    ADD(error_of_an_empty_document_has_no_excerpt);
    ADD(excerpt_of_a_long_line_is_short_and_whole_characters);
    ADD(unknown_entity_is_an_error);
    ADD(control_character_is_an_error);
    ADD(invalid_utf8_is_an_error);
    ADD(declared_encoding_changes_nothing);
    ADD(document_type_is_refused);
    ADD(billion_laughs_fail_fast);
    ADD(depth_is_limited);
    ADD(size_is_limited);
    ADD(attributes_are_limited);
    ADD(namespaces_are_limited);
    ADD(root_element_is_checked);
    ADD(lines_beyond_16_bits_are_counted);
    ADD(deepest_document_fits_a_stack_of_256_kib);
    ADD(errors_do_not_reach_stderr);
    return g_test_run();
}
