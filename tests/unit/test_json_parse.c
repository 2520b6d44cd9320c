/* JSON text and streams from untrusted peers. */
#include <string.h>

#include "base/error.h"
#include "json/parse.h"
#include "json/write.h"

static void assert_refused(const char *json, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(json_parse(json, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INTERNAL_ERROR);
    if (!strstr(error->message, message))
        g_error("%s: '%s' lacks '%s'", json, error->message, message);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

static char *nested(guint levels)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < levels; i++)
        g_string_append_c(text, '[');
    for (guint i = 0; i < levels; i++)
        g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void assert_pops(JsonStream *stream, const char *expected)
{
    g_autoptr(JsonValue) value = json_stream_pop(stream);
    g_autofree char *text = value ? json_write(value) : NULL;

    g_assert_cmpstr(text, ==, expected);
}

static bool feed(JsonStream *stream, const char *text)
{
    return json_stream_feed(stream, text, strlen(text), NULL);
}

static void test_every_type_is_read_and_written_again(void)
{
    static const char text[] = "{\"a\":[null,true,false,-0.50e+3,\"\\u0001\xc3\xa9\"],\"b\":{}}";
    g_autoptr(JsonValue) value = json_parse(text, NULL);
    g_autofree char *written = json_write(value);

    g_assert_cmpstr(written, ==, text);
}

static void test_surrogate_pairs_are_decoded(void)
{
    g_autoptr(JsonValue) value = json_parse("\"\\ud83d\\ude00\"", NULL);
    g_autofree char *written = json_write(value);

    g_assert_cmpstr(written, ==, "\"\xf0\x9f\x98\x80\"");
}

static void test_number_alone_is_a_value(void)
{
    g_autoptr(JsonValue) value = json_parse(" 12", NULL);
    g_autofree char *written = json_write(value);

    g_assert_cmpstr(written, ==, "12");
}

static void test_nothing_is_no_value(void)
{
    assert_refused("", "no value");
    assert_refused(" \n", "no value");
}

static void test_half_a_value_is_an_error(void)
{
    assert_refused("{\"a\":", "cannot parse JSON at byte 5");
    assert_refused("\"abc", "cannot parse JSON at byte 4");
    assert_refused("[1,2", "cannot parse JSON at byte 4");
}

static void test_two_values_are_an_error(void)
{
    assert_refused("{} {}", "more than one value");
    assert_refused("1 2", "more than one value");
}

static void test_garbage_gives_its_position(void)
{
    assert_refused("[1, 2, nonsense]", "cannot parse JSON at byte 8");
    assert_refused("{a:1}", "cannot parse JSON");
    assert_refused("[1,]", "cannot parse JSON");
    assert_refused("[01]", "cannot parse JSON");
    assert_refused("/* no */ 1", "cannot parse JSON");
}

static void test_key_given_twice_is_an_error(void)
{
    assert_refused("{\"a\":1,\"b\":2,\"a\":3}", "key 'a' is given twice");
}

static void test_invalid_utf8_is_an_error(void)
{
    assert_refused("\"a\xff\"", "cannot parse JSON at byte");
    assert_refused("\"\\udc00\"", "not valid UTF-8");
    assert_refused("{\"\xc3\":1}", "cannot parse JSON at byte");
}

static void test_string_with_nul_is_an_error(void)
{
    assert_refused("\"a\\u0000b\"", "NUL");
    assert_refused("{\"a\\u0000b\":1}", "NUL");
}

static void test_depth_is_limited(void)
{
    g_autofree char *deepest = nested(JSON_DEPTH_MAX);
    g_autofree char *deeper = nested(JSON_DEPTH_MAX + 1);
    g_autofree char *absurd = nested(1000000);
    g_autoptr(JsonValue) value = json_parse(deepest, NULL);

    g_assert_nonnull(value);
    assert_refused(deeper, "more than 128 levels deep");
    assert_refused(absurd, "more than 128 levels deep");
}

static void test_many_keys_cost_no_quadratic_time(void)
{
    g_autoptr(GString) text = g_string_new("{");
    g_autoptr(JsonValue) value = NULL;

    for (int i = 0; i < 300000; i++)
        g_string_append_printf(text, "%s\"%d\":0", i ? "," : "", i);
    g_string_append_c(text, '}');
    value = json_parse(text->str, NULL);
    g_assert_cmpuint(json_length(value), ==, 300000);
}

static void test_stream_gives_values_as_they_become_complete(void)
{
    g_autoptr(JsonStream) stream = json_stream_new(1000);

    g_assert_true(feed(stream, "\r\n{\"return\":{}}\r\n{\"ev"));
    assert_pops(stream, "{\"return\":{}}");
    assert_pops(stream, NULL);
    g_assert_true(feed(stream, "ent\":1}{}"));
    assert_pops(stream, "{\"event\":1}");
    assert_pops(stream, "{}");
    assert_pops(stream, NULL);
}

static void test_stream_can_be_cut_at_every_byte(void)
{
    static const char text[] = " {\"a\":\"\xc3\xa9\\u00e9\\n\"} [12,true,null]\n\"s\"\n";
    g_autoptr(JsonStream) stream = json_stream_new(1000);

    for (const char *at = text; *at; at++)
        g_assert_true(json_stream_feed(stream, at, 1, NULL));
    assert_pops(stream, "{\"a\":\"\xc3\xa9\xc3\xa9\\n\"}");
    assert_pops(stream, "[12,true,null]");
    assert_pops(stream, "\"s\"");
    assert_pops(stream, NULL);
}

static void test_stream_gives_the_position_of_garbage_from_its_start(void)
{
    g_autoptr(JsonStream) stream = json_stream_new(1000);
    g_autoptr(GError) error = NULL;

    g_assert_true(feed(stream, "{\"a\":1}\n"));
    g_assert_true(feed(stream, "   [1,"));
    g_assert_false(json_stream_feed(stream, "2,x", 3, &error));
    g_assert_true(g_str_has_prefix(error_detail(error), "cannot parse JSON at byte 17: "));
}

static void test_stream_that_failed_stays_dead_but_keeps_what_was_complete(void)
{
    g_autoptr(JsonStream) stream = json_stream_new(1000);
    g_autoptr(GError) first = NULL;
    g_autoptr(GError) second = NULL;

    g_assert_false(json_stream_feed(stream, "{}]", 3, &first));
    g_assert_false(json_stream_feed(stream, "{}", 2, &second));
    g_assert_cmpstr(first->message, ==, second->message);
    assert_pops(stream, "{}");
    assert_pops(stream, NULL);
}

static void test_stream_refuses_a_value_over_the_limit(void)
{
    g_autoptr(JsonStream) stream = json_stream_new(10);
    g_autoptr(GError) error = NULL;

    g_assert_true(feed(stream, "[\"345678\"]"));
    g_assert_true(feed(stream, " [\"34"));
    g_assert_false(json_stream_feed(stream, "5678901\"]", 9, &error));
    g_assert_cmpstr(error_detail(error), ==,
                    "cannot parse JSON at byte 21: value of more than 10 bytes");
}

static void test_stream_takes_more_than_the_limit_in_small_values(void)
{
    g_autoptr(JsonStream) stream = json_stream_new(10);

    g_assert_true(feed(stream, "[1][2][3] [4] [5]     \n\n\n\n\n\n\n\n\n  [6]"));
    assert_pops(stream, "[1]");
    for (int i = 0; i < 4; i++)
        json_free(json_stream_pop(stream));
    assert_pops(stream, "[6]");
}

static void test_stream_takes_white_space_without_end(void)
{
    g_autoptr(JsonStream) stream = json_stream_new(10);

    for (int i = 0; i < 100; i++)
        g_assert_true(feed(stream, " \n"));
    g_assert_true(feed(stream, "[1]"));
    assert_pops(stream, "[1]");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(NAME) g_test_add_func("/json/parse/" #NAME, test_##NAME)
    ADD(every_type_is_read_and_written_again);
    ADD(surrogate_pairs_are_decoded);
    ADD(number_alone_is_a_value);
    ADD(nothing_is_no_value);
    ADD(half_a_value_is_an_error);
    ADD(two_values_are_an_error);
    ADD(garbage_gives_its_position);
    ADD(key_given_twice_is_an_error);
    ADD(invalid_utf8_is_an_error);
    ADD(string_with_nul_is_an_error);
    ADD(depth_is_limited);
    ADD(many_keys_cost_no_quadratic_time);
    ADD(stream_gives_values_as_they_become_complete);
    ADD(stream_can_be_cut_at_every_byte);
    ADD(stream_gives_the_position_of_garbage_from_its_start);
    ADD(stream_that_failed_stays_dead_but_keeps_what_was_complete);
    ADD(stream_refuses_a_value_over_the_limit);
    ADD(stream_takes_more_than_the_limit_in_small_values);
    ADD(stream_takes_white_space_without_end);
    return g_test_run();
}
