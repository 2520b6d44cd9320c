/* Names of enum values. */
#include "base/enum_names.h"

static const char *const names[] = { "off", NULL, "on" };

static void test_values_have_their_names(void)
{
    g_assert_cmpstr(ENUM_TO_NAME(names, 2), ==, "on");
    g_assert_null(ENUM_TO_NAME(names, 1));
    g_assert_null(ENUM_TO_NAME(names, 3));
    g_assert_null(ENUM_TO_NAME(names, -1));
}

static void test_names_have_their_values(void)
{
    int value = 77;

    g_assert_false(ENUM_FROM_NAME(names, "ON", &value));
    g_assert_false(ENUM_FROM_NAME(names, "", &value));
    g_assert_cmpint(value, ==, 77);
    g_assert_true(ENUM_FROM_NAME(names, "on", &value));
    g_assert_cmpint(value, ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/enum_names/values_have_their_names", test_values_have_their_names);
    g_test_add_func("/enum_names/names_have_their_values", test_names_have_their_values);
    return g_test_run();
}
