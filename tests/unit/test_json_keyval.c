/* QEMU's key=value form. */
#include "base/error.h"
#include "json/parse.h"
#include "json/write.h"

static void assert_keyval(const char *json, const char *expected)
{
    g_autoptr(JsonValue) value = json_parse(json, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = json_to_keyval(value, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void assert_refused(const char *json, const char *message)
{
    g_autoptr(JsonValue) value = json_parse(json, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(json_to_keyval(value, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpstr(error_detail(error), ==, message);
}

static void test_scalars_are_plain(void)
{
    assert_keyval("{\"type\":\"q35\",\"usb\":false,\"smm\":true,\"n\":18446744073709551615}",
                  "type=q35,usb=off,smm=on,n=18446744073709551615");
}

static void test_commas_in_values_are_doubled(void)
{
    assert_keyval("{\"path\":\"/a,b,,c=d\",\"e\":\"\"}", "path=/a,,b,,,,c=d,e=");
}

static void test_nested_objects_and_arrays_are_dotted(void)
{
    assert_keyval("{\"a\":{\"b\":[{\"c\":1},2],\"d\":\"x\"},\"e\":3}",
                  "a.b.0.c=1,a.b.1=2,a.d=x,e=3");
}

static void test_no_members_give_an_error(void)
{
    assert_refused("{}", "'' has no form as a key=value option: empty");
    assert_refused("{\"a\":{\"b\":[]}}", "'a.b' has no form as a key=value option: empty");
}

static void test_null_is_an_error(void)
{
    assert_refused("{\"a\":[1,null]}", "'a.1' has no form as a key=value option: null");
}

static void test_key_that_would_change_the_meaning_is_an_error(void)
{
    assert_refused("{\"a=b\":1}", "'a=b' has no form as a key=value option: character in the key");
    assert_refused("{\"a.b\":1}", "'a.b' has no form as a key=value option: character in the key");
    assert_refused("{\"a,b\":1}", "'a,b' has no form as a key=value option: character in the key");
    assert_refused("{\"\":1}", "'' has no form as a key=value option: character in the key");
}

static void test_what_is_no_object_is_an_error(void)
{
    assert_refused("[1]", "'' has no form as a key=value option: not an object");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(NAME) g_test_add_func("/json/keyval/" #NAME, test_##NAME)
    ADD(scalars_are_plain);
    ADD(commas_in_values_are_doubled);
    ADD(nested_objects_and_arrays_are_dotted);
    ADD(no_members_give_an_error);
    ADD(null_is_an_error);
    ADD(key_that_would_change_the_meaning_is_an_error);
    ADD(what_is_no_object_is_an_error);
    return g_test_run();
}
