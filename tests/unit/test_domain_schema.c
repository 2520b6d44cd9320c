/* What clients that ask for validation are told of. */
#include <string.h>

#include "domain_fixture.h"

#define PREFIX "XML document failed to validate against schema: "

static void assert_valid(const char *body, const char *devices)
{
    g_autofree char *text = domain_text(body, devices);
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_def_parse(text, DOMAIN_PARSE_VALIDATE, &error);

    g_assert_no_error(error);
    g_assert_nonnull(def);
}

static void assert_invalid(const char *body, const char *devices, const char *message)
{
    g_autofree char *text = domain_text(body, devices);

    assert_parse_fails(text, DOMAIN_PARSE_VALIDATE, message);
}

static void test_elements_that_nobody_knows(void)
{
    assert_invalid("<foo/>", "", PREFIX "line 1: element 'foo' is not known in element 'domain'");
    assert_invalid("", "<foo/>",
                   PREFIX "line 1: element 'foo' is not known in element 'devices'");
    assert_invalid("\n<clock offset='utc'>\n<timr name='rtc'/></clock>", "",
                   PREFIX "line 3: element 'timr' is not known in element 'clock'");
    assert_invalid("<title><b/></title>", "",
                   PREFIX "line 1: element 'b' is not known in element 'title'");
}

static void test_attributes_that_nobody_knows(void)
{
    assert_invalid("<vcpu curent='1'>2</vcpu>", "",
                   PREFIX "line 1: attribute 'curent' is not known in element 'vcpu'");
    assert_invalid("", "<disk type='file'><source fil='/a'/><target dev='vda'/></disk>",
                   PREFIX "line 1: attribute 'fil' is not known in element 'source'");
    assert_invalid("<title a='b'>t</title>", "",
                   PREFIX "line 1: attribute 'a' is not known in element 'title'");
}

static void test_text_where_elements_belong(void)
{
    assert_invalid("foo", "", PREFIX "line 1: there is text in element 'domain', which has "
                                     "elements only");
    assert_invalid("", "<![CDATA[x]]>", PREFIX "line 1: there is text in element 'devices', "
                                               "which has elements only");
}

/* The end of one name is not another name. */
static void test_parts_of_names_are_no_names(void)
{
    assert_invalid("<emory/>", "",
                   PREFIX "line 1: element 'emory' is not known in element 'domain'");
    assert_invalid("<on/>", "", PREFIX "line 1: element 'on' is not known in element 'domain'");
}

static void test_parts_of_the_format_that_are_not_served_are_valid(void)
{
    assert_valid("<cputune><vcpupin vcpu='0' cpuset='0'/></cputune><genid/>",
                 "<tpm model='tpm-tis'><backend type='passthrough'/></tpm><hub type='usb'/>");
}

static void test_the_same_name_elsewhere_has_rules_of_its_own(void)
{
    assert_valid("<features><acpi/></features>", "<interface type='user'><acpi index='1'/>"
                                                 "</interface>");
    assert_invalid("<features><acpi index='1'/></features>", "",
                   PREFIX "line 1: attribute 'index' is not known in element 'acpi'");
}

static void test_foreign_namespaces(void)
{
    assert_valid("<metadata><x:a xmlns:x='http://x/' y='z'/></metadata>", "");
    assert_valid("<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>", "");
    assert_invalid("<q:foo xmlns:q='http://q/'/>", "",
                   PREFIX "line 1: element 'foo' is not known in element 'domain'");
}

/* Whatever existing daemons print is valid. */
static void test_recorded_documents_are_valid(gconstpointer name)
{
    g_autofree char *path = g_build_filename(g_getenv("TEST_DATA"), "domain", name, NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (char *at = strstr(text, "<domain"); at; at = strstr(at + 1, "<domain ")) {
        const char *end = strstr(at, "</domain>\n") + strlen("</domain>\n");
        g_autofree char *document = g_strndup(at, (gsize) (end - at));
        g_autoptr(GError) error = NULL;
        g_autoptr(DomainDef) def = domain_def_parse(document, DOMAIN_PARSE_VALIDATE, &error);

        g_assert_no_error(error);
        g_assert_nonnull(def);
    }
}

int main(int argc, char **argv)
{
    static const char *const recorded[] = {
        "sections.xmls", "devices.xmls", "big.xml", "full-pc.live.xml", "full-q35.live.xml",
        "alias-q35.live.xml", "sockvnc-pc.live.xml", "kern.inactive.xml",
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain_schema/elements", test_elements_that_nobody_knows);
    g_test_add_func("/domain_schema/attributes", test_attributes_that_nobody_knows);
    g_test_add_func("/domain_schema/text", test_text_where_elements_belong);
    g_test_add_func("/domain_schema/parts_of_names", test_parts_of_names_are_no_names);
    g_test_add_func("/domain_schema/not_served",
                    test_parts_of_the_format_that_are_not_served_are_valid);
    g_test_add_func("/domain_schema/context",
                    test_the_same_name_elsewhere_has_rules_of_its_own);
    g_test_add_func("/domain_schema/namespaces", test_foreign_namespaces);
    for (size_t i = 0; i < G_N_ELEMENTS(recorded); i++) {
        g_autofree char *path = g_strdup_printf("/domain_schema/recorded/%s", recorded[i]);

        g_test_add_data_func(path, recorded[i], test_recorded_documents_are_valid);
    }
    return g_test_run();
}
