/* Numbers and sizes from text. */
#include "base/units.h"

#include "base/error.h"

static void assert_uint64(const char *text, int base, uint64_t expected)
{
    g_autoptr(GError) error = NULL;
    uint64_t value;

    g_assert_true(parse_uint64(text, base, &value, &error));
    g_assert_cmpuint(value, ==, expected);
}

static void test_unsigned_numbers(void)
{
    assert_uint64("0", 10, 0);
    assert_uint64("+5", 10, 5);
    assert_uint64("007", 10, 7);
    assert_uint64("18446744073709551615", 10, UINT64_MAX);
    assert_uint64("ff", 16, 255);
    assert_uint64("0xFF", 16, 255);
    assert_uint64("0x0", 16, 0);
    assert_uint64("777", 8, 511);
}

static void test_what_is_no_number_is_refused(void)
{
    static const char *const texts[] = { "",   "+",   "-",    "-1",  " 1",  "1 ", "1.5",
                                         "1a", "0x1", "++1", "+-1", "1,0", "\xc3\xa9" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        uint64_t value = 77;

        g_assert_false(parse_uint64(texts[i], 10, &value, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG);
        g_assert_cmpuint(value, ==, 77);
    }
    for (size_t i = 0; i < 3; i++) {
        static const char *const in_base[] = { "0x", "8", "g" };
        static const int bases[] = { 16, 8, 16 };
        uint64_t value;

        g_assert_false(parse_uint64(in_base[i], bases[i], &value, NULL));
    }
}

static void test_too_large_numbers_overflow(void)
{
    static const char *const texts[] = { "18446744073709551616", "99999999999999999999",
                                         "184467440737095516150",
                                         "340282366920938463463374607431" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        uint64_t value;

        g_assert_false(parse_uint64(texts[i], 10, &value, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_OVERFLOW);
    }
}

static void test_32_bits_have_their_own_limits(void)
{
    g_autoptr(GError) large = NULL;
    g_autoptr(GError) small = NULL;
    uint32_t natural;
    int32_t whole;

    g_assert_true(parse_uint32("4294967295", 10, &natural, NULL));
    g_assert_cmpuint(natural, ==, UINT32_MAX);
    g_assert_false(parse_uint32("4294967296", 10, &natural, &large));
    g_assert_error(large, error_quark(VIR_FROM_NONE), VIR_ERR_OVERFLOW);
    g_assert_true(parse_int32("2147483647", 10, &whole, NULL));
    g_assert_true(parse_int32("-2147483648", 10, &whole, NULL));
    g_assert_cmpint(whole, ==, INT32_MIN);
    g_assert_false(parse_int32("2147483648", 10, &whole, NULL));
    g_assert_false(parse_int32("-2147483649", 10, &whole, &small));
    g_assert_error(small, error_quark(VIR_FROM_NONE), VIR_ERR_OVERFLOW);
}

static void test_signed_numbers(void)
{
    g_autoptr(GError) error = NULL;
    int64_t value;

    g_assert_true(parse_int64("-9223372036854775808", 10, &value, NULL));
    g_assert_cmpint(value, ==, INT64_MIN);
    g_assert_true(parse_int64("9223372036854775807", 10, &value, NULL));
    g_assert_cmpint(value, ==, INT64_MAX);
    g_assert_true(parse_int64("-0", 10, &value, NULL));
    g_assert_cmpint(value, ==, 0);
    g_assert_false(parse_int64("9223372036854775808", 10, &value, NULL));
    g_assert_false(parse_int64("-9223372036854775809", 10, &value, NULL));
    g_assert_false(parse_int64("--1", 10, &value, NULL));
    g_assert_false(parse_int64("-+1", 10, &value, NULL));
    g_assert_false(parse_int64("-", 10, &value, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG);
}

static void test_choices(void)
{
    bool value = false;

    g_assert_true(parse_yes_no("yes", &value, NULL) && value);
    g_assert_true(parse_yes_no("no", &value, NULL) && !value);
    g_assert_true(parse_on_off("on", &value, NULL) && value);
    g_assert_true(parse_on_off("off", &value, NULL) && !value);
    g_assert_false(parse_yes_no("on", &value, NULL));
    g_assert_false(parse_yes_no("Yes", &value, NULL));
    g_assert_false(parse_on_off("", &value, NULL));
}

static void test_suffixes(void)
{
    static const struct {
        const char *suffix;
        uint64_t bytes;
    } suffixes[] = {
        { "b", 1 },       { "B", 1 },           { "byte", 1 },        { "BYTES", 1 },
        { "k", 1024 },    { "KiB", 1024 },      { "kib", 1024 },      { "KB", 1000 },
        { "M", 1 << 20 }, { "MIB", 1 << 20 },   { "mb", 1000000 },    { "G", 1 << 30 },
        { "GiB", 1 << 30 }, { "GB", 1000000000 }, { "T", G_GUINT64_CONSTANT(1) << 40 },
        { "P", G_GUINT64_CONSTANT(1) << 50 }, { "E", G_GUINT64_CONSTANT(1) << 60 },
        { "EB", G_GUINT64_CONSTANT(1000000000000000000) }, { "", 512 }, { NULL, 512 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        uint64_t value = 3;

        g_assert_true(scale_bytes(&value, suffixes[i].suffix, 512, UINT64_MAX, NULL));
        g_assert_cmpuint(value, ==, 3 * suffixes[i].bytes);
    }
}

static void test_unknown_suffixes_are_refused(void)
{
    static const char *const suffixes[] = { "Z", "KiBx", "Ki", " KiB", "KiB ", "bit", "kk", "iB" };

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *expected =
            g_strdup_printf("invalid argument: unknown suffix '%s'", suffixes[i]);
        uint64_t value = 77;

        g_assert_false(scale_bytes(&value, suffixes[i], 1, UINT64_MAX, &error));
        g_assert_cmpstr(error->message, ==, expected);
        g_assert_cmpuint(value, ==, 77);
    }
}

static void test_too_large_sizes_overflow(void)
{
    g_autoptr(GError) product = NULL;
    g_autoptr(GError) limit = NULL;
    uint64_t value = 16;

    g_assert_false(scale_bytes(&value, "E", 1, UINT64_MAX, &product));
    g_assert_cmpstr(product->message, ==, "numerical overflow: value too large: 16E");
    value = 2;
    g_assert_true(scale_bytes(&value, "k", 1, 2048, NULL));
    value = 2;
    g_assert_false(scale_bytes(&value, "k", 1, 2047, &limit));
    g_assert_error(limit, error_quark(VIR_FROM_NONE), VIR_ERR_OVERFLOW);
}

static void test_sizes_in_one_word(void)
{
    static const char *const wrong[] = { "", "k", "1  k", "1k ", "-1k", "1.5k", " 1k", "1 k x" };
    uint64_t value;

    g_assert_true(parse_bytes("10", 1024, UINT64_MAX, &value, NULL));
    g_assert_cmpuint(value, ==, 10240);
    g_assert_true(parse_bytes("10MiB", 1, UINT64_MAX, &value, NULL));
    g_assert_cmpuint(value, ==, 10 << 20);
    g_assert_true(parse_bytes("10 KB", 1, UINT64_MAX, &value, NULL));
    g_assert_cmpuint(value, ==, 10000);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(parse_bytes(wrong[i], 1, UINT64_MAX, &value, NULL));
    g_assert_cmpuint(value, ==, 10000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/unsigned_numbers", test_unsigned_numbers);
    g_test_add_func("/units/what_is_no_number_is_refused", test_what_is_no_number_is_refused);
    g_test_add_func("/units/too_large_numbers_overflow", test_too_large_numbers_overflow);
    g_test_add_func("/units/32_bits_have_their_own_limits", test_32_bits_have_their_own_limits);
    g_test_add_func("/units/signed_numbers", test_signed_numbers);
    g_test_add_func("/units/choices", test_choices);
    g_test_add_func("/units/suffixes", test_suffixes);
    g_test_add_func("/units/unknown_suffixes_are_refused", test_unknown_suffixes_are_refused);
    g_test_add_func("/units/too_large_sizes_overflow", test_too_large_sizes_overflow);
    g_test_add_func("/units/sizes_in_one_word", test_sizes_in_one_word);
    return g_test_run();
}
