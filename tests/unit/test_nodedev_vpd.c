/* Vital product data, as PCI Local Bus 2.2, appendix I lays it out. */
#include <glib.h>
#include <string.h>

#include "virtnodedevd/vpd.h"

#define NAME "\x82\x04\0Card"
/* PN with three bytes, and RV whose byte makes the sum of all zero. */
#define READ_ONLY(sum) "\x90\x0a\0PN\x03" "abc" "RV\x01" sum
#define END "\x78"

#define PARSE(bytes) vpd_parse((const uint8_t *)(bytes), sizeof(bytes) - 1)

static char *format(const Vpd *vpd)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    vpd_format(vpd, writer);
    return xml_writer_finish(writer);
}

/* The byte that completes a check sum over everything before it. */
static void put_sum(uint8_t *bytes, size_t at)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < at; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[at] = (uint8_t)-sum;
}

static void test_name_alone(void)
{
    g_autoptr(Vpd) vpd = PARSE(NAME END);
    g_autofree char *xml = NULL;

    g_assert_nonnull(vpd);
    xml = format(vpd);
    g_assert_cmpstr(xml, ==, "<capability type='vpd'>\n  <name>Card</name>\n</capability>\n");
}

static void test_check_sum(void)
{
    uint8_t bytes[] = NAME READ_ONLY("\0") END;
    size_t sum_at = sizeof(bytes) - 3;
    g_autoptr(Vpd) right = NULL;

    put_sum(bytes, sum_at);
    right = vpd_parse(bytes, sizeof(bytes) - 1);
    g_assert_nonnull(right);
    g_assert_cmpuint(right->read_only->len, ==, 1);
    bytes[sum_at]++;
    g_assert_null(vpd_parse(bytes, sizeof(bytes) - 1));
}

static void test_every_cut_is_worthless(void)
{
    uint8_t bytes[] = NAME READ_ONLY("\0") END;

    put_sum(bytes, sizeof(bytes) - 3);
    for (size_t size = 0; size < sizeof(bytes) - 1; size++) {
        g_autofree uint8_t *cut = g_memdup2(bytes, MAX(size, 1));

        g_assert_null(vpd_parse(cut, size));
    }
}

static void test_text_that_is_none(void)
{
    g_assert_null(PARSE("\x82\x04\0Ca\x01" "d" END));
    g_assert_null(PARSE("\x82\x04\0Ca<d" END));
    g_assert_null(PARSE(END));
    g_assert_null(PARSE(NAME));
    g_assert_null(PARSE("\x82\xff\xff" "Card" END));
}

static void test_field_of_other_characters_is_left_out(void)
{
    g_autoptr(Vpd) vpd = PARSE(NAME "\x91\x0c\0YA\x03" "a\tb" "V1\x03" "abc" END);
    g_autofree char *xml = vpd ? format(vpd) : NULL;

    g_assert_nonnull(xml);
    g_assert_null(strstr(xml, "asset_tag"));
    g_assert_nonnull(strstr(xml, "<vendor_field index='1'>abc</vendor_field>"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vpd/name", test_name_alone);
    g_test_add_func("/vpd/check-sum", test_check_sum);
    g_test_add_func("/vpd/cut", test_every_cut_is_worthless);
    g_test_add_func("/vpd/text", test_text_that_is_none);
    g_test_add_func("/vpd/field", test_field_of_other_characters_is_left_out);
    return g_test_run();
}
