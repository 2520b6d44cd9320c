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

/* A read-only part of the fields in @fields, with its check sum, behind a name. To be freed. */
static Vpd *parse_with(const char *name, const char *fields, size_t size, const char *more,
                       size_t more_size)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint8_t head[] = { 0x82, (uint8_t)strlen(name), 0 };
    uint8_t part[] = { 0x90, (uint8_t)(size + 4), 0 };

    g_byte_array_append(bytes, head, sizeof(head));
    g_byte_array_append(bytes, (const guint8 *)name, (guint)strlen(name));
    g_byte_array_append(bytes, part, sizeof(part));
    g_byte_array_append(bytes, (const guint8 *)fields, (guint)size);
    g_byte_array_append(bytes, (const guint8 *)"RV\x01", 4);
    put_sum(bytes->data, bytes->len - 1);
    g_byte_array_append(bytes, (const guint8 *)more, (guint)more_size);
    g_byte_array_append(bytes, (const guint8 *)END, 1);
    return vpd_parse(bytes->data, bytes->len);
}

#define WITH(name, fields, more) \
    parse_with((name), (fields), sizeof(fields) - 1, (more), sizeof(more) - 1)

static void assert_xml(const Vpd *vpd, const char *inside)
{
    g_autofree char *expected = g_strconcat("<capability type='vpd'>\n  <name>Card</name>\n",
                                            inside, "</capability>\n", NULL);
    g_autofree char *xml = NULL;

    g_assert_nonnull(vpd);
    xml = format(vpd);
    g_assert_cmpstr(xml, ==, expected);
}

static void test_name_and_no_fields(void)
{
    g_autoptr(Vpd) vpd = WITH("Card", "", "");

    assert_xml(vpd, "");
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
    g_assert_null(WITH("Ca\x01" "d", "", ""));
    g_assert_null(PARSE(END));
    g_assert_null(PARSE(NAME));
    g_assert_null(PARSE("\x82\xff\xff" "Card" END));
}

static void test_field_of_other_characters_is_left_out(void)
{
    g_autoptr(Vpd) vpd = WITH("Card", "SN\x02" "s\x80" "PN\x03" "a\tb" "V1\x03" "abc", "");

    assert_xml(vpd, "  <fields access='readonly'>\n"
                    "    <vendor_field index='1'>abc</vendor_field>\n"
                    "  </fields>\n");
}

static void test_text_ends_at_a_nul_and_is_trimmed(void)
{
    g_autoptr(Vpd) vpd = WITH("Card", "SN\x05" "s/1\0x" "PN\x04" " a \n" "EC\x01\0", "");

    assert_xml(vpd, "  <fields access='readonly'>\n"
                    "    <change_level></change_level>\n"
                    "    <part_number>a</part_number>\n"
                    "    <serial_number>s/1</serial_number>\n"
                    "  </fields>\n");
}

static void test_last_of_a_keyword_counts(void)
{
    g_autoptr(Vpd) vpd = WITH("Card", "V0\x01" "a" "V1\x01" "b" "V0\x01" "c" "ZZ\x01" "d",
                              "\x91\x0c\0YA\x01" "a" "YA\x01" "b" "Y1\x01" "c"
                              "\x91\x07\0YA\x01" "e" "RW\0");

    assert_xml(vpd, "  <fields access='readonly'>\n"
                    "    <vendor_field index='0'>c</vendor_field>\n"
                    "    <vendor_field index='1'>b</vendor_field>\n"
                    "  </fields>\n"
                    "  <fields access='readwrite'>\n"
                    "    <asset_tag>e</asset_tag>\n"
                    "    <system_field index='1'>c</system_field>\n"
                    "  </fields>\n");
}

static void test_parts_that_are_wrong_make_all_worthless(void)
{
    g_autoptr(Vpd) good = WITH("Card", "", "\x91\x07\0YA\x01" "e" "RW\0");

    g_assert_nonnull(good);
    g_assert_null(WITH("Card", "", "\x91\x07\0RW\0YA\x01" "e"));
    g_assert_null(WITH("Card", "", "\x90\x04\0PN\x01" "a"));
    g_assert_null(PARSE(NAME END));
    g_assert_null(PARSE(NAME "\x90\x04\0PN\x01" "a" END));
    g_assert_null(PARSE(NAME "\x91\x04\0YA\x01" "a" END));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vpd/name", test_name_and_no_fields);
    g_test_add_func("/vpd/check-sum", test_check_sum);
    g_test_add_func("/vpd/cut", test_every_cut_is_worthless);
    g_test_add_func("/vpd/text", test_text_that_is_none);
    g_test_add_func("/vpd/field", test_field_of_other_characters_is_left_out);
    g_test_add_func("/vpd/trim", test_text_ends_at_a_nul_and_is_trimmed);
    g_test_add_func("/vpd/again", test_last_of_a_keyword_counts);
    g_test_add_func("/vpd/parts", test_parts_that_are_wrong_make_all_worthless);
    return g_test_run();
}
