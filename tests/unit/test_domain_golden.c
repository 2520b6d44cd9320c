/* What existing daemons have printed is read and written again, to the byte. Definitions and
 * documents of running guests are whole files; *.xmls hold many small ones, each for one part of
 * the format. */
#include <string.h>

#include "domain_fixture.h"

static char *load(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("TEST_DATA"), "domain", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Shows the first line that differs and not two long documents. */
static void assert_same(const char *text, const char *expected)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) expected_lines = g_strsplit(expected, "\n", -1);

    for (guint i = 0; lines[i] && expected_lines[i]; i++) {
        if (strcmp(lines[i], expected_lines[i]) != 0)
            g_error("line %u: '%s' and not '%s' (after '%s')", i + 1, lines[i],
                    expected_lines[i], i > 0 ? lines[i - 1] : "");
    }
    g_assert_cmpstr(text, ==, expected);
}

static void check(const char *text, DomainParseFlags parse_flags, DomainFormatFlags format_flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_def_parse(text, parse_flags, &error);
    g_autofree char *again = NULL;

    g_assert_no_error(error);
    again = domain_def_format(def, format_flags);
    assert_same(again, text);
}

static void test_definition(gconstpointer name)
{
    g_autofree char *text = load(name);
    const char *document = strstr(text, "<domain");

    check(document, DOMAIN_PARSE_INACTIVE, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
}

static void test_running(gconstpointer name)
{
    g_autofree char *text = load(name);

    check(text, DOMAIN_PARSE_STATUS, DOMAIN_FORMAT_SECURE);
}

/* A definition of a guest that runs: what only the running one has is gone. */
static void test_inactive_of_running(void)
{
    g_autofree char *live = load("full-q35.live.xml");
    g_autoptr(DomainDef) def = domain_def_parse(live, DOMAIN_PARSE_INACTIVE, NULL);
    g_autofree char *text = domain_def_format(def, DOMAIN_FORMAT_INACTIVE);

    g_assert_true(g_str_has_prefix(text, "<domain type='qemu'>\n"));
    g_assert_null(strstr(text, "<alias"));
    g_assert_null(strstr(text, "/dev/pts"));
}

static void test_status_is_read_as_it_was_written(void)
{
    g_autofree char *live = load("full-q35.live.xml");
    g_autoptr(DomainDef) def = domain_def_parse(live, DOMAIN_PARSE_STATUS, NULL);
    g_autofree char *status = domain_def_format(def, DOMAIN_FORMAT_STATUS);
    g_autoptr(DomainDef) again = domain_def_parse(status, DOMAIN_PARSE_STATUS, NULL);
    g_autofree char *second = domain_def_format(again, DOMAIN_FORMAT_STATUS);
    g_autofree char *text = domain_def_format(again, DOMAIN_FORMAT_SECURE);

    assert_same(second, status);
    assert_same(text, live);
}

/* The state file of an existing daemon, with what is private to it. */
static void test_foreign_status_is_understood(void)
{
    g_autofree char *live = load("full-pc.live.xml");
    g_autofree char *status = load("full-pc.status.xml");
    g_autoptr(XmlDoc) doc = xml_parse_root(status, "status", "domstatus", NULL);
    const XmlNode *domain = xml_node_first(xml_doc_root(doc), "domain");
    g_autoptr(DomainDef) def = domain_def_parse_node(domain, DOMAIN_PARSE_STATUS, NULL);
    g_autofree char *text = domain_def_format(def, DOMAIN_FORMAT_SECURE);

    assert_same(text, live);
}

static void test_migratable(gconstpointer name)
{
    g_autofree char *inactive_name = g_strdup_printf("%s.inactive.xml", (const char *) name);
    g_autofree char *migratable_name = g_strdup_printf("%s.mig.xml", (const char *) name);
    g_autofree char *inactive = load(inactive_name);
    g_autofree char *migratable = load(migratable_name);
    g_autoptr(DomainDef) def = domain_def_parse(inactive, DOMAIN_PARSE_INACTIVE, NULL);
    g_autofree char *text =
        domain_def_format(def, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_MIGRATABLE);

    assert_same(text, migratable);
}

/* Where clients of old look for it, and nowhere else. */
static void test_migratable_socket_is_an_attribute(void)
{
    g_autofree char *inactive = load("sockvnc-pc.inactive.xml");
    g_autoptr(DomainDef) def = domain_def_parse(inactive, DOMAIN_PARSE_INACTIVE, NULL);
    g_autofree char *text =
        domain_def_format(def, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_MIGRATABLE);

    g_assert_nonnull(strstr(text, "<graphics type='vnc' socket='"));
    g_assert_null(strstr(text, "<listen"));
}

/* All of the documents in a file, each by itself. */
static void test_collection(gconstpointer name)
{
    g_autofree char *text = load(name);
    guint count = 0;

    for (char *at = text; *at; count++) {
        char *end = strstr(at, "</domain>\n") + strlen("</domain>\n");
        g_autofree char *document = g_strndup(at, (gsize) (end - at));

        check(document, DOMAIN_PARSE_INACTIVE, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
        at = end;
    }
    g_assert_cmpuint(count, >, 50);
}

int main(int argc, char **argv)
{
    static const char *const definitions[] = {
        "big.xml", "full-pc.inactive.xml", "full-q35.inactive.xml", "alias-q35.inactive.xml",
        "sockvnc-pc.inactive.xml", "kern.inactive.xml", "partition.inactive.xml",
    };
    static const char *const running[] = {
        "full-pc.live.xml", "full-q35.live.xml", "alias-q35.live.xml", "sockvnc-pc.live.xml",
        "partition.live.xml",
    };
    static const char *const migratable[] = { "plain-pc", "alias-q35" };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(definitions); i++) {
        g_autofree char *path = g_strdup_printf("/domain_golden/definition/%s", definitions[i]);

        g_test_add_data_func(path, definitions[i], test_definition);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(running); i++) {
        g_autofree char *path = g_strdup_printf("/domain_golden/running/%s", running[i]);

        g_test_add_data_func(path, running[i], test_running);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(migratable); i++) {
        g_autofree char *path = g_strdup_printf("/domain_golden/migratable/%s", migratable[i]);

        g_test_add_data_func(path, migratable[i], test_migratable);
    }
    g_test_add_func("/domain_golden/inactive_of_running", test_inactive_of_running);
    g_test_add_func("/domain_golden/status", test_status_is_read_as_it_was_written);
    g_test_add_func("/domain_golden/foreign_status", test_foreign_status_is_understood);
    g_test_add_func("/domain_golden/migratable_socket", test_migratable_socket_is_an_attribute);
    g_test_add_data_func("/domain_golden/sections", "sections.xmls", test_collection);
    g_test_add_data_func("/domain_golden/devices", "devices.xmls", test_collection);
    return g_test_run();
}
