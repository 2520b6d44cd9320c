/* Typed access to elements and attributes. */
#include "base/error.h"
#include "xml/read.h"

#define KIB 1024

static XmlDoc *parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    XmlDoc *doc = xml_parse(xml, "test", &error);

    g_assert_no_error(error);
    return doc;
}

static void assert_fails(GError *error, ErrorFrom from, ErrorCode code, const char *message)
{
    g_assert_error(error, error_quark(from), (int)code);
    g_assert_cmpstr(error->message, ==, message);
}

static void assert_xml_error(GError *error, const char *message)
{
    assert_fails(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, message);
}

static void test_children_are_found_by_name(void)
{
    g_autoptr(XmlDoc) doc = parse("<a>t<b n='1'/><c/><!-- b --><b n='2'/></a>");
    const XmlNode *node = xml_node_first(xml_doc_root(doc), "b");

    g_assert_cmpstr(xml_node_attr(node, "n"), ==, "1");
    g_assert_cmpstr(xml_node_name(xml_node_next(node, NULL)), ==, "c");
    node = xml_node_next(node, "b");
    g_assert_cmpstr(xml_node_attr(node, "n"), ==, "2");
    g_assert_null(xml_node_next(node, NULL));
    g_assert_cmpuint(xml_node_count(xml_doc_root(doc), "b"), ==, 2);
    g_assert_null(xml_node_first(xml_doc_root(doc), "d"));
}

static void test_foreign_namespaces_are_kept_apart(void)
{
    g_autoptr(XmlDoc) doc = parse("<a xmlns:q='u:q'><q:b q:n='1'/><b/></a>");
    const XmlNode *own = xml_node_first(xml_doc_root(doc), "b");
    const XmlNode *foreign = xml_node_first_ns(xml_doc_root(doc), "u:q", "b");

    g_assert_nonnull(own);
    g_assert_nonnull(foreign);
    g_assert_true(own != foreign);
    g_assert_null(xml_node_next_ns(foreign, "u:q", "b"));
    g_assert_null(xml_node_attr(foreign, "n"));
}

static void test_text_includes_cdata_and_references(void)
{
    g_autoptr(XmlDoc) doc = parse("<a>x &lt;&#233;&amp;<![CDATA[<y>]]> z</a>");
    g_autofree char *text = xml_node_text(xml_doc_root(doc));

    g_assert_cmpstr(text, ==, "x <\xc3\xa9&<y> z");
}

static void test_attribute_values_are_decoded(void)
{
    g_autoptr(XmlDoc) doc = parse("<a v='&lt;&amp;&#10;&apos;' e=''/>");

    g_assert_cmpstr(xml_node_attr(xml_doc_root(doc), "v"), ==, "<&\n'");
    g_assert_cmpstr(xml_node_attr(xml_doc_root(doc), "e"), ==, "");
    g_assert_null(xml_node_attr(xml_doc_root(doc), "none"));
}

static void test_repeated_element_is_an_error_where_one_is_wanted(void)
{
    g_autoptr(XmlDoc) doc = parse("<a><b/><b/></a>");
    g_autoptr(GError) error = NULL;
    const XmlNode *child = NULL;

    g_assert_false(xml_node_single(xml_doc_root(doc), "b", &child, &error));
    assert_xml_error(error, "XML error: Element 'b' in element 'a' is given more than once");
    g_assert_true(xml_node_single(xml_doc_root(doc), "c", &child, NULL));
    g_assert_null(child);
}

static void test_missing_element_is_named(void)
{
    g_autoptr(XmlDoc) doc = parse("<a/>");
    g_autoptr(GError) error = NULL;
    const XmlNode *child = NULL;

    g_assert_false(xml_node_required(xml_doc_root(doc), "b", &child, &error));
    assert_xml_error(error, "XML error: Missing required element 'b' in element 'a'");
}

static void test_missing_attribute_is_named(void)
{
    g_autoptr(XmlDoc) doc = parse("<boot/>");
    g_autoptr(GError) error = NULL;
    unsigned order = 0;

    g_assert_false(
        xml_attr_uint(xml_doc_root(doc), "order", XML_REQUIRED, 0, &order, &error));
    assert_xml_error(error, "XML error: Missing required attribute 'order' in element 'boot'");
}

static void test_missing_attribute_gives_the_fallback(void)
{
    g_autoptr(XmlDoc) doc = parse("<a/>");
    const XmlNode *root = xml_doc_root(doc);
    g_autofree char *text = NULL;
    int64_t number = 0;
    XmlTristate state = XML_TRISTATE_YES;

    g_assert_true(xml_attr_int64(root, "n", XML_NONZERO, -3, &number, NULL));
    g_assert_cmpint(number, ==, -3);
    g_assert_true(xml_attr_yes_no(root, "n", XML_OPTIONAL, &state, NULL));
    g_assert_cmpint(state, ==, XML_TRISTATE_ABSENT);
    g_assert_true(xml_attr_string(root, "n", XML_OPTIONAL, &text, NULL));
    g_assert_null(text);
}

static void test_numbers_that_clients_write_are_taken(void)
{
    static const struct {
        const char *xml;
        unsigned value;
    } cases[] = { { "<a n='0'/>", 0 },
                  { "<a n=' 1'/>", 1 },
                  { "<a n='+1'/>", 1 },
                  { "<a n='010'/>", 10 },
                  { "<a n='4294967295'/>", 4294967295u } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(XmlDoc) doc = parse(cases[i].xml);
        unsigned value = 99;

        g_assert_true(xml_attr_uint(xml_doc_root(doc), "n", XML_REQUIRED, 0, &value, NULL));
        g_assert_cmpuint(value, ==, cases[i].value);
    }
}

static void test_wrong_numbers_name_element_attribute_and_value(void)
{
    static const char *const bad[] = { "", "1 ", "0x10", "-1", "4294967296", "zz", "1.5", "--1",
                                       "99999999999999999999" };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *xml = g_strdup_printf("<driver queues='%s'/>", bad[i]);
        g_autofree char *message =
            g_strdup_printf("XML error: Invalid value for attribute 'queues' in element 'driver': "
                            "'%s'. Expected non-negative integer value",
                            bad[i]);
        g_autoptr(XmlDoc) doc = parse(xml);
        g_autoptr(GError) error = NULL;
        unsigned value = 7;

        g_assert_false(
            xml_attr_uint(xml_doc_root(doc), "queues", XML_OPTIONAL, 0, &value, &error));
        assert_xml_error(error, message);
        g_assert_cmpuint(value, ==, 7);
    }
}

static void test_zero_can_be_excluded(void)
{
    g_autoptr(XmlDoc) doc = parse("<driver iothread='0'/>");
    g_autoptr(GError) error = NULL;
    unsigned value = 0;

    g_assert_false(
        xml_attr_uint(xml_doc_root(doc), "iothread", XML_NONZERO, 0, &value, &error));
    assert_xml_error(error, "XML error: Invalid value for attribute 'iothread' in element "
                            "'driver': Zero is not permitted");
}

static void test_any_base_takes_hexadecimal(void)
{
    g_autoptr(XmlDoc) doc = parse("<address slot='0x1F'/>");
    unsigned value = 0;

    g_assert_true(xml_attr_uint(xml_doc_root(doc), "slot", XML_ANY_BASE, 0, &value, NULL));
    g_assert_cmpuint(value, ==, 0x1f);
}

static void test_limits_of_integers(void)
{
    g_autoptr(XmlDoc) doc = parse("<a i='-2147483648' j='2147483648' u='18446744073709551615'/>");
    const XmlNode *root = xml_doc_root(doc);
    g_autoptr(GError) error = NULL;
    uint64_t u = 0;
    int i = 0;

    g_assert_true(xml_attr_int(root, "i", XML_REQUIRED, 0, &i, NULL));
    g_assert_cmpint(i, ==, INT32_MIN);
    g_assert_true(xml_attr_uint64(root, "u", XML_REQUIRED, 0, &u, NULL));
    g_assert_cmpuint(u, ==, UINT64_MAX);
    g_assert_false(xml_attr_int(root, "j", XML_REQUIRED, 0, &i, &error));
    assert_xml_error(error, "XML error: Invalid value for attribute 'j' in element 'a': "
                            "'2147483648'. Expected integer value");
}

static void test_switches_take_their_two_words_only(void)
{
    g_autoptr(XmlDoc) doc = parse("<apic eoi='on' x='no' y='yes' z='off'/>");
    const XmlNode *root = xml_doc_root(doc);
    g_autoptr(GError) error = NULL;
    XmlTristate state = XML_TRISTATE_ABSENT;

    g_assert_true(xml_attr_on_off(root, "eoi", XML_OPTIONAL, &state, NULL));
    g_assert_cmpint(state, ==, XML_TRISTATE_YES);
    g_assert_true(xml_attr_yes_no(root, "x", XML_OPTIONAL, &state, NULL));
    g_assert_cmpint(state, ==, XML_TRISTATE_NO);
    g_assert_true(xml_attr_on_off(root, "z", XML_OPTIONAL, &state, NULL));
    g_assert_cmpint(state, ==, XML_TRISTATE_NO);
    g_assert_false(xml_attr_on_off(root, "y", XML_OPTIONAL, &state, &error));
    assert_xml_error(error,
                     "XML error: Invalid value for attribute 'y' in element 'apic': 'yes'.");
}

static void test_enum_gives_the_place_in_its_table(void)
{
    static const char *const names[] = { "none", NULL, "file", "block" };
    g_autoptr(XmlDoc) doc = parse("<disk a='block' b='zz' c='none' d=''/>");
    const XmlNode *root = xml_doc_root(doc);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) none = NULL;
    int type = 0;

    g_assert_true(xml_attr_enum(root, "a", XML_OPTIONAL, names, G_N_ELEMENTS(names), 0, &type, NULL));
    g_assert_cmpint(type, ==, 3);
    g_assert_false(
        xml_attr_enum(root, "b", XML_OPTIONAL, names, G_N_ELEMENTS(names), 0, &type, &error));
    assert_xml_error(error, "XML error: Invalid value for attribute 'b' in element 'disk': 'zz'.");
    g_assert_false(
        xml_attr_enum(root, "c", XML_NONZERO, names, G_N_ELEMENTS(names), 0, &type, &none));
    assert_xml_error(none, "XML error: Invalid value for attribute 'c' in element 'disk': 'none'.");
    g_assert_false(
        xml_attr_enum(root, "d", XML_OPTIONAL, names, G_N_ELEMENTS(names), 0, &type, NULL));
}

static void test_child_text_of_the_first_element_counts(void)
{
    g_autoptr(XmlDoc) doc = parse("<a><name>x</name><name>y</name></a>");
    g_autofree char *name = NULL;

    g_assert_true(xml_child_string(xml_doc_root(doc), "name", XML_REQUIRED, &name, NULL));
    g_assert_cmpstr(name, ==, "x");
}

static void test_wrong_number_in_a_child_is_named(void)
{
    static const char *const bad[] = { "abc", "", "1 ", "-5", "99999999999999999999999" };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *xml = g_strdup_printf("<a><memory>%s</memory></a>", bad[i]);
        g_autofree char *message = g_strdup_printf(
            "XML error: Invalid value '%s' for element or attribute './memory[1]'", bad[i]);
        g_autoptr(XmlDoc) doc = parse(xml);
        g_autoptr(GError) error = NULL;
        uint64_t value = 0;

        g_assert_false(
            xml_child_uint64(xml_doc_root(doc), "memory", XML_OPTIONAL, 0, &value, &error));
        assert_xml_error(error, message);
    }
}

static void test_sizes_are_scaled_by_their_unit(void)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } cases[] = { { "", 3 * KIB },     { "unit='b'", 3 },      { "unit='bytes'", 3 },
                  { "unit='KB'", 3000 }, { "unit='kib'", 3 * KIB }, { "unit='M'", 3 * KIB * KIB },
                  { "unit='GB'", UINT64_C(3000000000) },
                  { "unit='PiB'", UINT64_C(3) << 50 } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<a><memory %s>3</memory></a>", cases[i].unit);
        g_autoptr(XmlDoc) doc = parse(xml);
        uint64_t bytes = 0;

        g_assert_true(xml_child_bytes(xml_doc_root(doc), "memory", XML_REQUIRED, KIB, UINT64_MAX,
                                      0, &bytes, NULL));
        g_assert_cmpuint(bytes, ==, cases[i].bytes);
    }
}

static void test_unknown_unit_is_an_error(void)
{
    g_autoptr(XmlDoc) doc = parse("<a><memory unit='zz'>3</memory></a>");
    g_autoptr(GError) error = NULL;
    uint64_t bytes = 0;

    g_assert_false(xml_child_bytes(xml_doc_root(doc), "memory", XML_REQUIRED, KIB, UINT64_MAX, 0,
                                   &bytes, &error));
    g_assert_cmpint(error->code, ==, VIR_ERR_INVALID_ARG);
    g_assert_cmpstr(error->message, ==, "invalid argument: unknown suffix 'zz'");
}

static void test_size_that_overflows_is_an_error(void)
{
    g_autoptr(XmlDoc) doc = parse("<a><memory unit='EiB'>16</memory></a>");
    g_autoptr(GError) error = NULL;
    uint64_t bytes = 0;

    g_assert_false(xml_child_bytes(xml_doc_root(doc), "memory", XML_REQUIRED, KIB, UINT64_MAX, 0,
                                   &bytes, &error));
    g_assert_cmpint(error->code, ==, VIR_ERR_OVERFLOW);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(NAME) g_test_add_func("/xml/read/" #NAME, test_##NAME)
    ADD(children_are_found_by_name);
    ADD(foreign_namespaces_are_kept_apart);
    ADD(text_includes_cdata_and_references);
    ADD(attribute_values_are_decoded);
    ADD(repeated_element_is_an_error_where_one_is_wanted);
    ADD(missing_element_is_named);
    ADD(missing_attribute_is_named);
    ADD(missing_attribute_gives_the_fallback);
    ADD(numbers_that_clients_write_are_taken);
    ADD(wrong_numbers_name_element_attribute_and_value);
    ADD(zero_can_be_excluded);
    ADD(any_base_takes_hexadecimal);
    ADD(limits_of_integers);
    ADD(switches_take_their_two_words_only);
    ADD(enum_gives_the_place_in_its_table);
    ADD(child_text_of_the_first_element_counts);
    ADD(wrong_number_in_a_child_is_named);
    ADD(sizes_are_scaled_by_their_unit);
    ADD(unknown_unit_is_an_error);
    ADD(size_that_overflows_is_an_error);
    return g_test_run();
}
