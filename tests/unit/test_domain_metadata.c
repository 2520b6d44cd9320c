/* Application data in a domain, as clients set it and get it back. */
#include <string.h>

#include "domain_fixture.h"

#define URI "http://x/"

static void assert_metadata(const DomainDef *def, const char *uri, const char *expected)
{
    g_autofree char *xml = domain_def_get_metadata(def, uri);

    g_assert_cmpstr(xml, ==, expected);
}

static void set(DomainDef *def, const char *uri, const char *key, const char *xml)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(domain_def_set_metadata(def, uri, key, xml, &error));
    g_assert_no_error(error);
}

static void assert_not_set(const char *uri, const char *key, const char *xml, ErrorCode code)
{
    g_autoptr(DomainDef) def = domain_of("", "");
    g_autoptr(GError) error = NULL;

    g_assert_false(domain_def_set_metadata(def, uri, key, xml, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(error->code, ==, (int) code);
    g_assert_null(def->metadata);
}

static void test_elements_get_the_prefix_and_lose_it_again(void)
{
    g_autoptr(DomainDef) def = domain_of("", "");

    set(def, URI, "k", "<b><c d='e'>t</c></b>");
    assert_writes(def, "  <metadata>\n"
                       "    <k:b xmlns:k=\"http://x/\">\n"
                       "      <k:c d=\"e\">t</k:c>\n"
                       "    </k:b>\n"
                       "  </metadata>\n");
    assert_metadata(def, URI, "<b>\n  <c d=\"e\">t</c>\n</b>");
}

static void test_setting_replaces_what_the_namespace_had(void)
{
    g_autoptr(DomainDef) def = domain_of("", "");

    set(def, URI, "a", "<one/>");
    set(def, "http://y/", "b", "<two/>");
    set(def, URI, "c", "<three/>");
    assert_metadata(def, URI, "<three/>");
    assert_metadata(def, "http://y/", "<two/>");
    g_assert_cmpuint(def->metadata->len, ==, 2);
}

static void test_removing_the_last_leaves_an_empty_element(void)
{
    g_autoptr(DomainDef) def = domain_of("", "");

    set(def, URI, "k", "<a/>");
    set(def, URI, NULL, NULL);
    assert_metadata(def, URI, NULL);
    assert_writes(def, "  <metadata/>\n");
}

static void test_an_own_declaration_of_the_namespace_is_used(void)
{
    g_autoptr(DomainDef) def = domain_of("", "");

    set(def, URI, "k", "<k:a xmlns:k='http://x/'><k:b/></k:a>");
    assert_writes(def, "    <k:a xmlns:k=\"http://x/\">\n      <k:b/>\n    </k:a>\n");
    set(def, URI, "k", "<a xmlns='http://x/'/>");
    assert_metadata(def, URI, "<a/>");
}

static void test_other_namespaces_inside_stay(void)
{
    g_autoptr(DomainDef) def = domain_of("", "");

    set(def, URI, "k", "<a xmlns:w='http://w/'><w:b w:c='d'/></a>");
    assert_metadata(def, URI, "<a xmlns:w=\"http://w/\">\n  <w:b w:c=\"d\"/>\n</a>");
}

static void test_qualified_attributes_do_not_become_double(void)
{
    g_autoptr(DomainDef) def = domain_of(
        "<metadata><x:a xmlns:x='http://x/' q='1' x:q='2'/></metadata>", "");
    g_autofree char *xml = domain_def_get_metadata(def, URI);
    g_autoptr(XmlDoc) doc = xml_parse(xml, "test", NULL);

    g_assert_nonnull(doc);
}

static void test_of_two_elements_of_a_namespace_the_first_stays(void)
{
    g_autoptr(DomainDef) def = domain_of("<metadata xmlns:x='http://x/'><x:a/><x:b/><c/> text "
                                         "<y:d xmlns:y='http://y/'/></metadata>", "");

    g_assert_cmpuint(def->metadata->len, ==, 2);
    assert_metadata(def, URI, "<a/>");
    assert_metadata(def, "http://y/", "<d/>");
}

static void test_a_uri_may_hold_any_character(void)
{
    g_autoptr(DomainDef) def = domain_of("", "");
    g_autofree char *text = NULL;
    g_autoptr(DomainDef) again = NULL;

    set(def, "u & \"<'", "k", "<a/>");
    text = domain_def_format(def, DOMAIN_FORMAT_INACTIVE);
    again = domain_def_parse(text, DOMAIN_PARSE_INACTIVE, NULL);
    g_assert_nonnull(again);
    assert_metadata(again, "u & \"<'", "<a/>");
}

static void test_what_cannot_be_set_changes_nothing(void)
{
    assert_not_set(URI, "k", "<a", VIR_ERR_XML_DETAIL);
    assert_not_set(URI, "k", "", VIR_ERR_XML_DETAIL);
    assert_not_set(URI, "k", "<a/><b/>", VIR_ERR_XML_DETAIL);
    assert_not_set(URI, NULL, "<a/>", VIR_ERR_INVALID_ARG);
    assert_not_set(NULL, "k", "<a/>", VIR_ERR_INVALID_ARG);
    assert_not_set("", "k", "<a/>", VIR_ERR_INVALID_ARG);
    assert_not_set(URI, "", "<a/>", VIR_ERR_INVALID_ARG);
    assert_not_set(URI, "k k", "<a/>", VIR_ERR_INVALID_ARG);
    assert_not_set(URI, "1", "<a/>", VIR_ERR_INVALID_ARG);
    assert_not_set(URI, "xml", "<a/>", VIR_ERR_INVALID_ARG);
    assert_not_set(URI, "k", "<q:a/>", VIR_ERR_INVALID_ARG);
    assert_not_set(URI, "k", "<a xmlns='http://z/'/>", VIR_ERR_INVALID_ARG);
    assert_not_set(URI, "k", "<a xmlns:k='http://z/'/>", VIR_ERR_INVALID_ARG);
}

static void test_a_title_has_one_line(void)
{
    g_autoptr(DomainDef) def = domain_of("<title>old</title>", "");
    g_autoptr(GError) error = NULL;

    g_assert_false(domain_def_set_title(def, "a\nb", &error));
    g_assert_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_INVALID_ARG);
    g_assert_cmpstr(def->title, ==, "old");
    g_assert_true(domain_def_set_title(def, "new", NULL));
    assert_writes(def, "  <title>new</title>\n");
}

static void test_empty_texts_are_taken_away(void)
{
    g_autoptr(DomainDef) def = domain_of("<title>t</title><description>d</description>", "");

    g_assert_true(domain_def_set_title(def, "", NULL));
    domain_def_set_description(def, NULL);
    g_assert_null(def->title);
    g_assert_null(def->description);
    domain_def_set_description(def, "a\nb");
    assert_writes(def, "  <description>a\nb</description>\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain_metadata/prefix", test_elements_get_the_prefix_and_lose_it_again);
    g_test_add_func("/domain_metadata/replace", test_setting_replaces_what_the_namespace_had);
    g_test_add_func("/domain_metadata/remove", test_removing_the_last_leaves_an_empty_element);
    g_test_add_func("/domain_metadata/own_declaration",
                    test_an_own_declaration_of_the_namespace_is_used);
    g_test_add_func("/domain_metadata/others_inside", test_other_namespaces_inside_stay);
    g_test_add_func("/domain_metadata/attributes",
                    test_qualified_attributes_do_not_become_double);
    g_test_add_func("/domain_metadata/first", test_of_two_elements_of_a_namespace_the_first_stays);
    g_test_add_func("/domain_metadata/uri", test_a_uri_may_hold_any_character);
    g_test_add_func("/domain_metadata/refused", test_what_cannot_be_set_changes_nothing);
    g_test_add_func("/domain_metadata/title", test_a_title_has_one_line);
    g_test_add_func("/domain_metadata/empty_texts", test_empty_texts_are_taken_away);
    return g_test_run();
}
