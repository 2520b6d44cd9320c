/* The strictness of the primitives, one rule a test. */
#include <string.h>

#include "wire/xdr.h"

static XDR reader(const void *bytes, size_t length)
{
    return (XDR){ .x_op = XDR_DECODE, .next = (uint8_t *)bytes, .left = length };
}

/* The value of a word that holds @number, as @proc decodes it; false when it is refused. */
static bool decode_word(uint32_t number, xdrproc_t proc, void *value)
{
    uint32_t word = GUINT32_TO_BE(number);
    XDR xdrs = reader(&word, sizeof(word));

    return proc(&xdrs, value);
}

static void test_string_is_decoded(void)
{
    XDR xdrs = reader("\0\0\0\5hello\0\0\0", 12);
    g_autofree char *text = NULL;

    g_assert_true(xdr_string(&xdrs, &text, 100));
    g_assert_cmpstr(text, ==, "hello");
    g_assert_cmpuint(xdrs.left, ==, 0);
}

static void test_string_with_nul_is_refused(void)
{
    XDR xdrs = reader("\0\0\0\5he\0lo\0\0\0", 12);
    char *text = NULL;

    g_assert_false(xdr_string(&xdrs, &text, 100));
    g_assert_null(text);
    g_assert_cmpstr(xdrs.fault, ==, "a string holds a NUL byte");
}

static void test_string_over_its_limit_is_refused(void)
{
    XDR xdrs = reader("\0\0\0\5hello\0\0\0", 12);
    char *text = NULL;

    g_assert_false(xdr_string(&xdrs, &text, 4));
}

static void test_string_that_is_cut_off_is_refused(void)
{
    XDR xdrs = reader("\0\0\0\5hell", 8);
    char *text = NULL;

    g_assert_false(xdr_string(&xdrs, &text, 100));
}

static void test_string_without_its_padding_is_refused(void)
{
    XDR xdrs = reader("\0\0\0\5hello", 9);
    char *text = NULL;

    g_assert_false(xdr_string(&xdrs, &text, 100));
}

static void test_string_of_4_gib_is_refused(void)
{
    XDR xdrs = reader("\xff\xff\xff\xffhello\0\0\0", 12);
    char *text = NULL;

    g_assert_false(xdr_string(&xdrs, &text, UINT32_MAX));
}

static void test_padding_may_hold_anything(void)
{
    XDR xdrs = reader("\0\0\0\5helloxyz", 12);
    g_autofree char *text = NULL;

    g_assert_true(xdr_string(&xdrs, &text, 100));
    g_assert_cmpstr(text, ==, "hello");
}

static void test_missing_string_is_not_encoded(void)
{
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    XDR xdrs = { .x_op = XDR_ENCODE, .buffer = buffer, .limit = 100 };
    char *text = NULL;

    g_assert_false(xdr_string(&xdrs, &text, 100));
}

static void test_optional_flag_other_than_0_and_1_is_refused(void)
{
    XDR xdrs = reader("\0\0\0\2\0\0\0\7", 8);
    char *value = NULL;

    g_assert_false(xdr_pointer(&xdrs, &value, sizeof(int), (xdrproc_t)xdr_int));
    g_assert_null(value);
}

static void test_boolean_other_than_0_and_1_is_refused(void)
{
    bool_t value = FALSE;

    g_assert_true(decode_word(1, (xdrproc_t)xdr_bool, &value));
    g_assert_true(value);
    g_assert_false(decode_word(2, (xdrproc_t)xdr_bool, &value));
}

static void test_char_out_of_range_is_refused(void)
{
    char value = 0;

    g_assert_true(decode_word(0xffffff80, (xdrproc_t)xdr_char, &value));
    g_assert_cmpint((signed char)value, ==, -128);
    g_assert_true(decode_word(0x80, (xdrproc_t)xdr_char, &value));
    g_assert_cmpint((signed char)value, ==, -128);
    g_assert_false(decode_word(0x100, (xdrproc_t)xdr_char, &value));
    g_assert_false(decode_word(0xffffff7f, (xdrproc_t)xdr_char, &value));
}

static void test_unsigned_char_out_of_range_is_refused(void)
{
    u_char value = 0;

    g_assert_true(decode_word(255, (xdrproc_t)xdr_u_char, &value));
    g_assert_cmpuint(value, ==, 255);
    g_assert_false(decode_word(256, (xdrproc_t)xdr_u_char, &value));
    g_assert_false(decode_word(UINT32_MAX, (xdrproc_t)xdr_u_char, &value));
}

static void test_short_out_of_range_is_refused(void)
{
    short value = 0;

    g_assert_true(decode_word(0xffff8000, (xdrproc_t)xdr_short, &value));
    g_assert_cmpint(value, ==, INT16_MIN);
    g_assert_false(decode_word(0x8000, (xdrproc_t)xdr_short, &value));
    g_assert_false(decode_word(0xffff7fff, (xdrproc_t)xdr_short, &value));
}

static void test_unsigned_short_out_of_range_is_refused(void)
{
    u_short value = 0;

    g_assert_true(decode_word(0xffff, (xdrproc_t)xdr_u_short, &value));
    g_assert_cmpuint(value, ==, 0xffff);
    g_assert_false(decode_word(0x10000, (xdrproc_t)xdr_u_short, &value));
}

static void test_hyper_keeps_all_its_bits(void)
{
    XDR xdrs = reader("\x80\0\0\0\0\0\0\1", 8);
    quad_t value = 0;

    g_assert_true(xdr_quad_t(&xdrs, &value));
    g_assert_cmpint(value, ==, INT64_MIN + 1);
}

static void test_double_is_ieee_big_endian(void)
{
    XDR xdrs = reader("\x3f\xf8\0\0\0\0\0\0", 8);
    double value = 0;

    g_assert_true(xdr_double(&xdrs, &value));
    g_assert_cmpfloat(value, ==, 1.5);
}

static void test_array_over_its_limit_is_refused(void)
{
    XDR xdrs = reader("\0\0\0\2\0\0\0\1\0\0\0\2", 12);
    char *elements = NULL;
    u_int count = 0;

    g_assert_false(xdr_array(&xdrs, &elements, &count, 1, sizeof(int), (xdrproc_t)xdr_int));
    g_assert_null(elements);
}

static void test_array_larger_than_the_payload_is_refused_before_allocating(void)
{
    XDR xdrs = reader("\0\xff\xff\xff\0\0\0\1\0\0\0\2", 12);
    char *elements = NULL;
    u_int count = 0;

    g_assert_false(
        xdr_array(&xdrs, &elements, &count, UINT32_MAX, sizeof(int), (xdrproc_t)xdr_int));
    g_assert_null(elements);
    g_assert_cmpuint(count, ==, 0);
}

static void test_empty_array_allocates_nothing(void)
{
    XDR xdrs = reader("\0\0\0\0", 4);
    char *elements = NULL;
    u_int count = 0;

    g_assert_true(xdr_array(&xdrs, &elements, &count, 10, sizeof(int), (xdrproc_t)xdr_int));
    g_assert_null(elements);
}

static void test_missing_elements_are_not_encoded(void)
{
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    XDR xdrs = { .x_op = XDR_ENCODE, .buffer = buffer, .limit = 100 };
    char *elements = NULL;
    u_int count = 3;

    g_assert_false(xdr_array(&xdrs, &elements, &count, 10, sizeof(int), (xdrproc_t)xdr_int));
    g_assert_false(xdr_bytes(&xdrs, &elements, &count, 10));
}

static void test_bytes_may_hold_nul(void)
{
    XDR xdrs = reader("\0\0\0\3a\0b\0", 8);
    g_autofree char *bytes = NULL;
    u_int length = 0;

    g_assert_true(xdr_bytes(&xdrs, &bytes, &length, 10));
    g_assert_cmpmem(bytes, length, "a\0b", 3);
}

static void test_bytes_larger_than_the_payload_are_refused(void)
{
    XDR xdrs = reader("\0\0\0\11abcdefgh", 12);
    char *bytes = NULL;
    u_int length = 0;

    g_assert_false(xdr_bytes(&xdrs, &bytes, &length, 10));
    g_assert_null(bytes);
    g_assert_cmpuint(length, ==, 0);
}

static void test_padding_is_encoded_as_zeros(void)
{
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    XDR xdrs = { .x_op = XDR_ENCODE, .buffer = buffer, .limit = 100 };
    char *text = (char *)"x";

    g_byte_array_set_size(buffer, 8);
    memset(buffer->data, 0xff, 8);
    xdrs.next = buffer->data;
    xdrs.left = 8;
    g_assert_true(xdr_string(&xdrs, &text, 100));
    g_assert_cmpmem(buffer->data, 8, "\0\0\0\1x\0\0\0", 8);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/xdr/" #name, test_##name)
    ADD(string_is_decoded);
    ADD(string_with_nul_is_refused);
    ADD(string_over_its_limit_is_refused);
    ADD(string_that_is_cut_off_is_refused);
    ADD(string_without_its_padding_is_refused);
    ADD(string_of_4_gib_is_refused);
    ADD(padding_may_hold_anything);
    ADD(missing_string_is_not_encoded);
    ADD(optional_flag_other_than_0_and_1_is_refused);
    ADD(boolean_other_than_0_and_1_is_refused);
    ADD(char_out_of_range_is_refused);
    ADD(unsigned_char_out_of_range_is_refused);
    ADD(short_out_of_range_is_refused);
    ADD(unsigned_short_out_of_range_is_refused);
    ADD(hyper_keeps_all_its_bits);
    ADD(double_is_ieee_big_endian);
    ADD(array_over_its_limit_is_refused);
    ADD(array_larger_than_the_payload_is_refused_before_allocating);
    ADD(empty_array_allocates_nothing);
    ADD(missing_elements_are_not_encoded);
    ADD(bytes_may_hold_nul);
    ADD(bytes_larger_than_the_payload_are_refused);
    ADD(padding_is_encoded_as_zeros);
    return g_test_run();
}
