/* Values, typed access and writing. */
#include "base/error.h"
#include "json/get.h"
#include "json/parse.h"
#include "json/write.h"

static JsonValue *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    JsonValue *value = json_parse(text, &error);

    g_assert_no_error(error);
    return value;
}

static void assert_text(const JsonValue *value, const char *expected)
{
    g_autofree char *text = json_write(value);

    g_assert_cmpstr(text, ==, expected);
}

static void assert_fails(GError *error, const char *message)
{
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpstr(error_detail(error), ==, message);
}

static void test_members_keep_their_order(void)
{
    g_autoptr(JsonValue) object = json_object();

    json_object_put_string(object, "z", "1");
    json_object_put_int64(object, "a", -2);
    json_object_put_bool(object, "m", true);
    assert_text(object, "{\"z\":\"1\",\"a\":-2,\"m\":true}");
}

static void test_putting_a_key_again_replaces_its_value_in_place(void)
{
    g_autoptr(JsonValue) object = parse("{\"a\":1,\"b\":2}");

    json_object_put_string(object, "a", "x");
    assert_text(object, "{\"a\":\"x\",\"b\":2}");
}

static void test_putting_a_null_string_adds_nothing(void)
{
    g_autoptr(JsonValue) object = json_object();

    json_object_put_string(object, "a", NULL);
    assert_text(object, "{}");
}

static void test_stealing_takes_a_member_out(void)
{
    g_autoptr(JsonValue) object = parse("{\"a\":1,\"b\":[2],\"c\":3}");
    g_autoptr(JsonValue) stolen = json_object_steal(object, "b");

    assert_text(stolen, "[2]");
    assert_text(object, "{\"a\":1,\"c\":3}");
    g_assert_null(json_object_steal(object, "b"));
    json_object_put_int64(object, "d", 4);
    assert_text(object, "{\"a\":1,\"c\":3,\"d\":4}");
}

static void test_64_bit_integers_are_exact(void)
{
    g_autoptr(JsonValue) object =
        parse("{\"u\":18446744073709551615,\"i\":-9223372036854775808,\"o\":9007199254740993}");
    uint64_t u = 0;
    int64_t i = 0;
    int64_t o = 0;

    g_assert_true(json_object_get_uint64(object, "u", &u, NULL));
    g_assert_true(json_object_get_int64(object, "i", &i, NULL));
    g_assert_true(json_object_get_int64(object, "o", &o, NULL));
    g_assert_cmpuint(u, ==, UINT64_MAX);
    g_assert_cmpint(i, ==, INT64_MIN);
    g_assert_cmpint(o, ==, INT64_C(9007199254740993));
}

static void test_integer_out_of_range_names_the_member(void)
{
    g_autoptr(JsonValue) object = parse("{\"n\":18446744073709551616}");
    g_autoptr(GError) error = NULL;
    uint64_t n = 7;

    g_assert_false(json_object_get_uint64(object, "n", &n, &error));
    assert_fails(error, "JSON member 'n' must be an unsigned 64-bit integer, "
                        "not 18446744073709551616");
    g_assert_cmpuint(n, ==, 7);
}

static void test_fraction_is_no_integer(void)
{
    g_autoptr(JsonValue) object = parse("{\"n\":1.5}");
    g_autoptr(GError) error = NULL;
    int64_t n = 0;
    double d = 0;

    g_assert_false(json_object_get_int64(object, "n", &n, &error));
    assert_fails(error, "JSON member 'n' must be a 64-bit integer, not 1.5");
    g_assert_true(json_object_get_double(object, "n", &d, NULL));
    g_assert_cmpfloat(d, ==, 1.5);
}

static void test_huge_number_is_no_double(void)
{
    g_autoptr(JsonValue) object = parse("{\"n\":1e999}");
    g_autoptr(GError) error = NULL;
    double d = 0;

    g_assert_false(json_object_get_double(object, "n", &d, &error));
    assert_fails(error, "JSON member 'n' must be a number of double precision, not 1e999");
}

static void test_missing_member_is_named(void)
{
    g_autoptr(JsonValue) object = json_object();
    g_autoptr(GError) error = NULL;
    const char *text = NULL;

    g_assert_false(json_object_get_string(object, "id", &text, &error));
    assert_fails(error, "JSON member 'id' is missing");
}

static void test_member_of_another_type_is_named_with_both_types(void)
{
    g_autoptr(JsonValue) object = parse("{\"id\":[]}");
    g_autoptr(GError) error = NULL;
    bool is_on = false;

    g_assert_false(json_object_get_bool(object, "id", &is_on, &error));
    assert_fails(error, "JSON member 'id' must be boolean, not array");
}

static void test_member_of_what_is_no_object_is_an_error(void)
{
    g_autoptr(JsonValue) array = json_array();
    g_autoptr(GError) error = NULL;
    const char *text = NULL;

    g_assert_false(json_object_opt_string(array, "id", NULL, &text, &error));
    assert_fails(error, "JSON member 'id' is wanted of a value that is array, not object");
}

static void test_optional_member_may_be_missing_or_null(void)
{
    g_autoptr(JsonValue) object = parse("{\"null\":null}");
    const JsonValue *array = object;
    int64_t n = 0;

    g_assert_true(json_object_opt_int64(object, "null", 5, &n, NULL));
    g_assert_cmpint(n, ==, 5);
    g_assert_true(json_object_opt_array(object, "none", &array, NULL));
    g_assert_null(array);
}

static void test_optional_member_of_another_type_is_an_error(void)
{
    g_autoptr(JsonValue) object = parse("{\"n\":\"1\"}");
    g_autoptr(GError) error = NULL;
    int64_t n = 0;

    g_assert_false(json_object_opt_int64(object, "n", 5, &n, &error));
    assert_fails(error, "JSON member 'n' must be number, not string");
}

static void test_control_characters_are_escaped(void)
{
    g_autoptr(JsonValue) value = json_string("a\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9");

    assert_text(value, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"");
}

static void test_invalid_utf8_in_a_new_string_is_replaced(void)
{
    g_autoptr(JsonValue) value = json_string("a\xff");

    assert_text(value, "\"a\xef\xbf\xbd\"");
}

static void test_numbers_from_text_follow_the_grammar(void)
{
    static const char *const bad[] = { "", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1 ", "nan" };
    static const char *const good[] = { "0", "-0", "10", "1.50", "1e5", "-2E-07", "0.1e+3" };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(json_number(bad[i]));
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(JsonValue) value = json_number(good[i]);

        assert_text(value, good[i]);
    }
}

static void test_pretty_text_is_indented(void)
{
    g_autoptr(JsonValue) value = parse("{\"a\":[1,{}],\"b\":{\"c\":[]}}");
    g_autofree char *text = json_write_pretty(value);

    g_assert_cmpstr(text, ==,
                    "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n}");
}

static void test_copy_is_equal_and_independent(void)
{
    g_autoptr(JsonValue) value = parse("{\"a\":[1,null,true,\"x\",{\"b\":2.0}],\"c\":{}}");
    g_autoptr(JsonValue) copy = json_copy(value);

    g_assert_true(json_equal(value, copy));
    json_object_put_int64(copy, "c", 1);
    g_assert_false(json_equal(value, copy));
}

static void test_unequal_values_are_told_apart(void)
{
    static const char *const texts[] = { "null", "true", "false", "0",     "\"0\"",
                                         "[]",   "[0]",  "[0,0]", "[[0]]", "{}",
                                         "{\"a\":0}", "{\"b\":0}" };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(texts); j++) {
            g_autoptr(JsonValue) a = parse(texts[i]);
            g_autoptr(JsonValue) b = parse(texts[j]);

            g_assert_cmpint(json_equal(a, b), ==, i == j);
        }
    }
}

static void test_a_million_levels_need_no_stack(void)
{
    g_autoptr(JsonValue) value = json_array();
    g_autoptr(JsonValue) copy = NULL;
    g_autofree char *text = NULL;

    for (int i = 0; i < 500000; i++) {
        JsonValue *array = json_array();
        JsonValue *object = json_object();

        json_object_put(object, "k", g_steal_pointer(&value));
        json_array_append(array, object);
        value = array;
    }
    copy = json_copy(value);
    g_assert_true(json_equal(value, copy));
    text = json_write(copy);
    g_assert_true(g_str_has_prefix(text, "[{\"k\":[{\"k\":["));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(NAME) g_test_add_func("/json/value/" #NAME, test_##NAME)
    ADD(members_keep_their_order);
    ADD(putting_a_key_again_replaces_its_value_in_place);
    ADD(putting_a_null_string_adds_nothing);
    ADD(stealing_takes_a_member_out);
    ADD(64_bit_integers_are_exact);
    ADD(integer_out_of_range_names_the_member);
    ADD(fraction_is_no_integer);
    ADD(huge_number_is_no_double);
    ADD(missing_member_is_named);
    ADD(member_of_another_type_is_named_with_both_types);
    ADD(member_of_what_is_no_object_is_an_error);
    ADD(optional_member_may_be_missing_or_null);
    ADD(optional_member_of_another_type_is_an_error);
    ADD(control_characters_are_escaped);
    ADD(invalid_utf8_in_a_new_string_is_replaced);
    ADD(numbers_from_text_follow_the_grammar);
    ADD(pretty_text_is_indented);
    ADD(copy_is_equal_and_independent);
    ADD(unequal_values_are_told_apart);
    ADD(a_million_levels_need_no_stack);
    return g_test_run();
}
