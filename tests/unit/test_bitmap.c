/* Bit maps: lists of CPUs as text, maps as bytes, set operations. */
#include "base/bitmap.h"

#include "base/error.h"

static void assert_list(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Bitmap) bitmap = bitmap_parse(text, BITMAP_CPUSET_MAX, &error);
    g_autofree char *formatted = NULL;

    g_assert_no_error(error);
    formatted = bitmap_format(bitmap);
    g_assert_cmpstr(formatted, ==, expected);
}

static void test_lists_are_read_and_written_shortest(void)
{
    assert_list("0", "0");
    assert_list("0-3", "0-3");
    assert_list("7,0-3", "0-3,7");
    assert_list("0,1,2", "0-2");
    assert_list("0-0", "0");
    assert_list("0,0", "0");
    assert_list("00003", "3");
    assert_list("62-65", "62-65");
    assert_list("16383", "16383");
}

static void test_exclusions_count_in_the_order_of_the_text(void)
{
    assert_list("0-3,^2,7", "0-1,3,7");
    assert_list("^2,0-3", "0-3");
    assert_list("1,^1,1", "1");
    assert_list("0-3,^7", "0-3");
    assert_list("^0", "");
}

static void test_blanks_and_a_last_comma_are_accepted(void)
{
    assert_list(" 0 - 3 ", "0-3");
    assert_list("  0-3  ,  ^2 ", "0-1,3");
    assert_list("0\n,1", "0-1");
    assert_list("0-3,", "0-3");
    assert_list("0, ", "0");
}

static void test_wrong_lists_are_refused(void)
{
    static const char *const lists[] = {
        "",    " ",     ",",       ",0",        "0,,1",  "a",          "0 1",        "0-",
        "-3",  "3-0",   "0x3",     "+1",        "!1",    "^",          "0-3,^1-2",   "0-3,^ 2",
        "^-1", "0-3^2", "0,1;2",   "16384",     "0-16384", "4294967296", "18446744073709551616",
        "^16384", "1--2", "1-2-3", "99999999999999999999999999999999",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(bitmap_parse(lists[i], BITMAP_CPUSET_MAX, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG);
        g_assert_true(g_str_has_prefix(error->message,
                                       "invalid argument: Failed to parse bitmap '"));
    }
}

static void test_bytes_are_little_endian(void)
{
    static const uint8_t bytes[] = { 0x05, 0x80, 0, 0, 0, 0, 0, 0, 0x01 };
    g_autoptr(Bitmap) bitmap = bitmap_from_bytes(bytes, sizeof(bytes));
    g_autofree char *text = bitmap_format(bitmap);
    uint8_t back[11] = { [9] = 0xaa, [10] = 0xaa };
    uint8_t first[1];

    g_assert_cmpstr(text, ==, "0,2,15,64");
    bitmap_to_bytes(bitmap, back, sizeof(back));
    g_assert_cmpmem(back, sizeof(bytes), bytes, sizeof(bytes));
    g_assert_cmphex(back[9] | back[10], ==, 0);
    bitmap_to_bytes(bitmap, first, sizeof(first));
    g_assert_cmphex(first[0], ==, 0x05);
}

static void test_no_bytes_make_an_empty_map(void)
{
    g_autoptr(Bitmap) bitmap = bitmap_from_bytes(NULL, 0);

    g_assert_cmpuint(bitmap_count(bitmap), ==, 0);
    g_assert_true(bitmap_next_set(bitmap, 0) == BITMAP_NONE);
    g_assert_true(bitmap_last_set(bitmap) == BITMAP_NONE);
    g_assert_cmpuint(bitmap_next_clear(bitmap, 5), ==, 5);
}

static void test_bits_are_found_across_words(void)
{
    g_autoptr(Bitmap) bitmap = bitmap_new();

    bitmap_set(bitmap, 63);
    bitmap_set(bitmap, 64);
    bitmap_set(bitmap, 200);
    g_assert_cmpuint(bitmap_next_set(bitmap, 0), ==, 63);
    g_assert_cmpuint(bitmap_next_set(bitmap, 65), ==, 200);
    g_assert_true(bitmap_next_set(bitmap, 201) == BITMAP_NONE);
    g_assert_cmpuint(bitmap_next_clear(bitmap, 63), ==, 65);
    g_assert_cmpuint(bitmap_last_set(bitmap), ==, 200);
    g_assert_cmpuint(bitmap_count(bitmap), ==, 3);
    g_assert_true(bitmap_has(bitmap, 64));
    bitmap_clear(bitmap, 64);
    g_assert_false(bitmap_has(bitmap, 64));
    g_assert_false(bitmap_has(bitmap, 100000));
    bitmap_clear(bitmap, 100000);
    g_assert_cmpuint(bitmap_count(bitmap), ==, 2);
}

static void test_full_words_end_at_the_next_clear_bit(void)
{
    g_autoptr(Bitmap) bitmap = bitmap_new();

    bitmap_set_range(bitmap, 0, 127);
    g_assert_cmpuint(bitmap_next_clear(bitmap, 0), ==, 128);
    g_assert_cmpuint(bitmap_count(bitmap), ==, 128);
    bitmap_set_range(bitmap, 500, 400);
    g_assert_cmpuint(bitmap_count(bitmap), ==, 128);
}

static void test_set_operations(void)
{
    g_autoptr(Bitmap) a = bitmap_parse("0-3,100", 1000, NULL);
    g_autoptr(Bitmap) b = bitmap_parse("2-5", 1000, NULL);
    g_autoptr(Bitmap) both = bitmap_copy(a);
    g_autoptr(Bitmap) any = bitmap_copy(b);
    g_autoptr(Bitmap) less = bitmap_copy(a);
    g_autofree char *both_text = NULL;
    g_autofree char *any_text = NULL;
    g_autofree char *less_text = NULL;

    bitmap_intersect(both, b);
    bitmap_unite(any, a);
    bitmap_subtract(less, b);
    both_text = bitmap_format(both);
    any_text = bitmap_format(any);
    less_text = bitmap_format(less);
    g_assert_cmpstr(both_text, ==, "2-3");
    g_assert_cmpstr(any_text, ==, "0-5,100");
    g_assert_cmpstr(less_text, ==, "0-1,100");
    g_assert_true(bitmap_overlaps(a, b));
    g_assert_false(bitmap_overlaps(less, b));
    g_assert_true(bitmap_contains(any, a));
    g_assert_false(bitmap_contains(b, a));
}

static void test_equality_is_of_bits_not_of_sizes(void)
{
    g_autoptr(Bitmap) a = bitmap_parse("1", 1000, NULL);
    g_autoptr(Bitmap) b = bitmap_parse("1,900", 1000, NULL);

    g_assert_false(bitmap_equal(a, b));
    bitmap_clear(b, 900);
    g_assert_true(bitmap_equal(a, b));
    g_assert_true(bitmap_equal(b, a));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bitmap/lists_are_read_and_written_shortest",
                    test_lists_are_read_and_written_shortest);
    g_test_add_func("/bitmap/exclusions_count_in_the_order_of_the_text",
                    test_exclusions_count_in_the_order_of_the_text);
    g_test_add_func("/bitmap/blanks_and_a_last_comma_are_accepted",
                    test_blanks_and_a_last_comma_are_accepted);
    g_test_add_func("/bitmap/wrong_lists_are_refused", test_wrong_lists_are_refused);
    g_test_add_func("/bitmap/bytes_are_little_endian", test_bytes_are_little_endian);
    g_test_add_func("/bitmap/no_bytes_make_an_empty_map", test_no_bytes_make_an_empty_map);
    g_test_add_func("/bitmap/bits_are_found_across_words", test_bits_are_found_across_words);
    g_test_add_func("/bitmap/full_words_end_at_the_next_clear_bit",
                    test_full_words_end_at_the_next_clear_bit);
    g_test_add_func("/bitmap/set_operations", test_set_operations);
    g_test_add_func("/bitmap/equality_is_of_bits_not_of_sizes",
                    test_equality_is_of_bits_not_of_sizes);
    return g_test_run();
}
