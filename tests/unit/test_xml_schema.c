/* Documents that are held against a schema: a small one that has everything a schema can have. */
#include "base/error.h"
#include "xml/schema.h"
#include "xml/schema_types.h"

#define PREFIX "XML document failed to validate against schema: line 1: "

static const XmlSchemaAttr attrs[] = {
    { .name = "needed", .is_required = true, .check = xml_is_unsigned_int },
    { .name = "mode", .values = "on off" },
    { NULL },
};

static const XmlSchemaElement of_x[] = { { .name = "in-x" }, { NULL } };
static const XmlSchemaElement of_y[] = {
    { .name = "in-y", .rules = XML_SCHEMA_MAY_MISS | XML_SCHEMA_MAY_REPEAT },
    { NULL },
};

static const XmlSchemaElement children[] = {
    { .name = "first", .place = 0, .attrs = attrs },
    { .name = "some", .place = 1, .rules = XML_SCHEMA_MAY_MISS | XML_SCHEMA_MAY_REPEAT },
    { .name = "any", .place = 1, .rules = XML_SCHEMA_MAY_MISS, .values = "one two" },
    { .name = "width", .place = 2, .rules = XML_SCHEMA_MAY_MISS },
    { .name = "height", .place = 2, .rules = XML_SCHEMA_PAIRED },
    { .name = "choice", .key = "kind", .types = "x", .place = 3, .rules = XML_SCHEMA_MAY_MISS,
      .children = of_x },
    { .name = "choice", .key = "kind", .types = "y z", .place = 3, .rules = XML_SCHEMA_MAY_MISS,
      .children = of_y },
    { .name = "either", .place = 4, .rules = XML_SCHEMA_MAY_MISS, .values = "a" },
    { .name = "either", .place = 4, .rules = XML_SCHEMA_MAY_MISS, .values = "b" },
    { NULL },
};

static const XmlSchemaElement schema = { .name = "root", .children = children };

#define FIRST "<first needed='1'/>"

static void validate(const char *inside, GError **error)
{
    g_autofree char *text = g_strdup_printf("<root>%s</root>", inside);
    g_autoptr(XmlDoc) doc = xml_parse(text, "test", NULL);

    g_assert_nonnull(doc);
    if (!xml_schema_validate(xml_doc_root(doc), &schema, error))
        g_assert_true(!error || *error);
}

static void test_documents_that_are_right(void)
{
    static const char *const documents[] = {
        FIRST,
        "<!-- c --> <first needed='4294967295' mode='off'>text</first>\n",
        FIRST "<some/><any> two </any><some>t</some>",
        FIRST "<height/><width/>",
        FIRST "<choice kind='x'><in-x/></choice><choice kind='z'/>",
        FIRST "<choice kind='y'><in-y/><in-y/></choice>",
        FIRST "<either>a</either>",
        FIRST "<either>b</either>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GError) error = NULL;

        validate(documents[i], &error);
        g_assert_no_error(error);
    }
}

static void test_what_is_wrong_is_said(void)
{
    static const struct {
        const char *document, *message;
    } cases[] = {
        { "", "element 'first' is missing in element 'root'" },
        { "t" FIRST, "element 'root' has text in it" },
        { "<![CDATA[t]]>" FIRST, "element 'root' has text in it" },
        { FIRST "<other/>", "element 'other' is not known in element 'root'" },
        { FIRST "<some xmlns='urn:x'/>", "element 'some' is not known in element 'root'" },
        { "<some/>" FIRST, "element 'first' stands too late in element 'root'" },
        { FIRST FIRST, "there is more than one element 'first' in element 'root'" },
        { FIRST "<some><b/></some>", "element 'some' has elements in it" },
        { FIRST "<some a='b'/>", "attribute 'a' is not known in element 'some'" },
        { "<first/>", "attribute 'needed' is missing in element 'first'" },
        { "<first needed='-1'/>", "'-1' is no value of attribute 'needed' in element 'first'" },
        { "<first needed='1' mode=''/>", "'' is no value of attribute 'mode' in element 'first'" },
        { "<first needed='1' mode='on off'/>",
          "'on off' is no value of attribute 'mode' in element 'first'" },
        { FIRST "<any>thr</any>", "'thr' is no value of element 'any'" },
        { FIRST "<any>o</any>", "'o' is no value of element 'any'" },
        { FIRST "<width/>", "element 'height' is missing in element 'root'" },
        { FIRST "<height/>", "element 'width' is missing in element 'root'" },
        { FIRST "<choice/>", "attribute 'kind' is missing in element 'choice'" },
        { FIRST "<choice kind='w'/>", "'w' is no kind of element 'choice' in element 'root'" },
        { FIRST "<choice kind='x'/>", "element 'in-x' is missing in element 'choice'" },
        { FIRST "<choice kind='y' type='t'/>", "attribute 'type' is not known in element 'choice'" },
        { FIRST "<either>c</either>", "'c' is no value of element 'either'" },
        { FIRST "<either>a</either><either>b</either>",
          "there is more than one element 'either' in element 'root'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strconcat(PREFIX, cases[i].message, NULL);
        g_autoptr(GError) error = NULL;

        validate(cases[i].document, &error);
        g_assert_error(error, error_quark(VIR_FROM_XML), VIR_ERR_XML_INVALID_SCHEMA);
        g_assert_cmpstr(error->message, ==, message);
    }
}

static void test_other_root(void)
{
    g_autoptr(XmlDoc) doc = xml_parse("<other/>", "test", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(xml_schema_validate(xml_doc_root(doc), &schema, &error));
    g_assert_cmpstr(error->message, ==, PREFIX "the root is element 'other', not 'root'");
}

typedef struct TypeCase {
    XmlSchemaCheck check;
    const char *const *right, *const *wrong; /* NULL-terminated */
} TypeCase;

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_types(void)
{
    const TypeCase cases[] = {
        { xml_is_empty, LIST("", " \n\t"), LIST("a", " a ") },
        { xml_is_unsigned_int, LIST("0", "007", "4294967295"),
          LIST("", "+1", "-1", " 1", "4294967296", "99999999999999999999", "1e3", "0x1") },
        { xml_is_unsigned_long, LIST("0", "18446744073709551615"),
          LIST("18446744073709551616", "28446744073709551615", "-0", "1 ") },
        { xml_is_int, LIST(" 7 ", "-2147483648", "2147483647", "+0"),
          LIST("-2147483649", "2147483648", "", "-", "- 1", "1 1") },
        { xml_is_hexuint, LIST("0x1f", "1f", "0"), LIST("", "0x", "1F", "0X1", " 1") },
        { xml_is_uuid,
          LIST("4b20d080-1b54-4048-85B3-a6a62d165c01", "4b20d0801b54404885b3a6a62d165c01"),
          LIST("", "4b20d080-1b54-4048-85b3-a6a62d165c0", "4b20d0801b54404885b3a6a62d165c0g",
               "4b20d0801-b54-4048-85b3-a6a62d165c01", " 4b20d0801b54404885b3a6a62d165c01",
               "4b20d080-1b54-4048-85b3-a6a62d165c01-") },
        { xml_is_wwn, LIST("2001001b32a9da4E", "0x2001001b32a9da4e"),
          LIST("", "2001001b32a9da4", "0x001001b32a9da4e", "2001001b32a9da4g",
               "0X2001001b32a9da4e") },
        { xml_is_mac, LIST("52:54:00:00:00:01", "aA:fF:00:00:00:00"),
          LIST("", "52:54:00:00:00:1", "52-54-00-00-00-01", "52:54:00:00:00:0g",
               "52:54:00:00:00:01:") },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (const char *const *text = cases[i].right; *text; text++)
            g_assert_true(cases[i].check(*text));
        for (const char *const *text = cases[i].wrong; *text; text++)
            g_assert_false(cases[i].check(*text));
    }
    g_assert_true(xml_is_number_up_to(" +254", 254));
    g_assert_true(xml_is_number_up_to("-0", 254));
    g_assert_false(xml_is_number_up_to("-1", 254));
    g_assert_false(xml_is_number_up_to("255", 254));
    g_assert_true(xml_is_hex_digits("0xaF", 1, 2));
    g_assert_false(xml_is_hex_digits("0x", 1, 2));
    g_assert_false(xml_is_hex_digits("0x123", 1, 2));
    g_assert_false(xml_is_hex_digits("12", 1, 2));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-schema/right", test_documents_that_are_right);
    g_test_add_func("/xml-schema/wrong", test_what_is_wrong_is_said);
    g_test_add_func("/xml-schema/root", test_other_root);
    g_test_add_func("/xml-schema/types", test_types);
    return g_test_run();
}
