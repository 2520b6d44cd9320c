/* Definition files looked at without a parser: what is found, and what is left to the parser. */
#include <string.h>

#include "virtqemud/model/definition_scan.h"

#define UUID "c44c686b-28e3-4eac-a42f-2b64ac117ae0"
#define BEGIN "<domain type='qemu'>\n  <name>big</name>\n  <uuid>" UUID "</uuid>\n"
#define END "</domain>\n"

static bool scan(const char *text, DefinitionSummary *ret_summary)
{
    return definition_scan(text, strlen(text), ret_summary);
}

static void assert_refused(const char *text)
{
    DefinitionSummary summary;

    g_assert_false(scan(text, &summary));
}

static void assert_taken(const char *text)
{
    DefinitionSummary summary;

    g_assert_true(scan(text, &summary));
    g_assert_cmpstr(summary.name, ==, "big");
    definition_summary_clear(&summary);
}

static void test_name_and_uuid_are_found(void)
{
    DefinitionSummary summary;
    char uuid[UUID_TEXT_SIZE];

    g_assert_true(scan("<!--\nWARNING: virsh edit big\n-->\n\n" BEGIN END, &summary));
    g_assert_cmpstr(summary.name, ==, "big");
    g_assert_cmpstr(uuid_format(&summary.uuid, uuid), ==, UUID);
    g_assert_null(summary.title);
    definition_summary_clear(&summary);
}

static void test_title_is_found_and_decoded(void)
{
    DefinitionSummary summary;

    g_assert_true(scan(BEGIN "<title>a &lt;b&gt; &amp; \xc3\xa4</title>" END, &summary));
    g_assert_cmpstr(summary.title, ==, "a <b> & \xc3\xa4");
    definition_summary_clear(&summary);
}

static void test_an_inner_name_is_not_that_of_the_domain(void)
{
    assert_taken("<domain><os><name>no</name></os><name>big</name><uuid>" UUID "</uuid></domain>");
}

static void test_metadata_of_applications_is_passed_over(void)
{
    assert_taken(BEGIN "<metadata><x:a xmlns:x=\"http://x/\" y='\"'>t</x:a></metadata>" END);
}

static void test_a_real_definition_is_read(void)
{
    g_autofree char *path = g_build_filename(g_getenv("TEST_DATA"), "domain", "big.xml", NULL);
    g_autofree char *text = NULL;
    gsize length = 0;
    DefinitionSummary summary;

    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_true(definition_scan(text, length, &summary));
    definition_summary_clear(&summary);
}

/* A file that was cut anywhere is noticed. */
static void test_every_truncation_is_refused(void)
{
    const char *whole = "<!-- c -->\n" BEGIN "<os a='b'><x/></os>\n</domain>";

    assert_taken(whole);
    for (size_t i = 0; i < strlen(whole); i++) {
        g_autofree char *cut = g_strndup(whole, i);

        assert_refused(cut);
    }
}

static void test_a_nul_inside_is_refused(void)
{
    static const char text[] = BEGIN "\0" END;
    DefinitionSummary summary;

    g_assert_false(definition_scan(text, sizeof(text) - 1, &summary));
}

static void test_broken_documents_are_refused(void)
{
    static const char *const broken[] = {
        "", " ", "x", "<", "<domain/>", "<network/>",
        BEGIN, BEGIN "</domai>", BEGIN END "x", BEGIN END "<a/>",
        BEGIN "<a></b>" END, BEGIN "<a>" END, BEGIN "</a>" END,
        BEGIN "<a b/>" END, BEGIN "<a b=c/>" END, BEGIN "<a b='c\"/>" END,
        BEGIN "<a b='1' b='2'/>" END, BEGIN "<a b='1'c='2'/>" END, BEGIN "<a b='<'/>" END,
        BEGIN "<1/>" END, BEGIN "< a/>" END, BEGIN "<a/ >" END, BEGIN "<:a/>" END,
        BEGIN "&foo;" END, BEGIN "&" END, BEGIN "<a b='&'/>" END, BEGIN "]]>" END,
        BEGIN "<!-- -- -->" END, BEGIN "<!-- --->" END, BEGIN "<!-- " END,
        BEGIN "\x01" END, BEGIN "\xff" END, BEGIN "\xef\xbf\xbe" END,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
        assert_refused(broken[i]);
}

static void test_what_daemons_do_not_write_is_left_to_the_parser(void)
{
    static const char *const unusual[] = {
        "<?xml version='1.0'?>" BEGIN END,
        BEGIN "<![CDATA[x]]>" END,
        BEGIN "&#65;" END,
        BEGIN "<title/>" END,
        BEGIN "<name>other</name>" END,
        BEGIN "<a xml:space='preserve'/>" END,
        "<domain xmlns='http://x/'><name>a</name><uuid>" UUID "</uuid></domain>",
        "<domain><name a='b'>a</name><uuid>" UUID "</uuid></domain>",
        "<domain><name>a<b/></name><uuid>" UUID "</uuid></domain>",
        "<domain><name>a<!-- c --></name><uuid>" UUID "</uuid></domain>",
        "<domain><name>a/b</name><uuid>" UUID "</uuid></domain>",
        "<domain><name></name><uuid>" UUID "</uuid></domain>",
        "<domain><name>a</name></domain>",
        "<domain><name>a</name><uuid>c44c</uuid></domain>",
        "<domain><uuid>" UUID "</uuid></domain>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(unusual); i++)
        assert_refused(unusual[i]);
}

static void test_depth_and_attributes_are_bounded(void)
{
    g_autoptr(GString) deep = g_string_new(BEGIN);
    g_autoptr(GString) wide = g_string_new(BEGIN "<a");

    for (int i = 0; i < 100; i++)
        g_string_append(deep, "<a>");
    for (int i = 0; i < 100; i++)
        g_string_append(deep, "</a>");
    for (int i = 0; i < 100; i++)
        g_string_append_printf(wide, " a%d=''", i);
    g_string_append(deep, END);
    g_string_append(wide, "/>" END);
    assert_refused(deep->str);
    assert_refused(wide->str);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/definition_scan/name_and_uuid", test_name_and_uuid_are_found);
    g_test_add_func("/definition_scan/title", test_title_is_found_and_decoded);
    g_test_add_func("/definition_scan/inner_name", test_an_inner_name_is_not_that_of_the_domain);
    g_test_add_func("/definition_scan/metadata", test_metadata_of_applications_is_passed_over);
    g_test_add_func("/definition_scan/real", test_a_real_definition_is_read);
    g_test_add_func("/definition_scan/truncation", test_every_truncation_is_refused);
    g_test_add_func("/definition_scan/nul", test_a_nul_inside_is_refused);
    g_test_add_func("/definition_scan/broken", test_broken_documents_are_refused);
    g_test_add_func("/definition_scan/unusual",
                    test_what_daemons_do_not_write_is_left_to_the_parser);
    g_test_add_func("/definition_scan/bounds", test_depth_and_attributes_are_bounded);
    return g_test_run();
}
