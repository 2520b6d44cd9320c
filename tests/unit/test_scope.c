/* Names of units, by the rules of systemd.unit(5) and the manual's "Control Groups". */
#include "virtqemud/guest/scope.h"

static void check(char *name, const char *expected)
{
    g_assert_cmpstr(name, ==, expected);
    g_free(name);
}

static void test_scope_names(void)
{
    check(scope_unit_name("qemu-1-demo"), "machine-qemu\\x2d1\\x2ddemo.scope");
    check(scope_unit_name("qemu-1-a.b"), "machine-qemu\\x2d1\\x2da.b.scope");
}

static void test_slice_names(void)
{
    check(scope_slice_name("/machine"), "machine.slice");
    check(scope_slice_name("/machine/engineering/testing"), "machine-engineering-testing.slice");
    check(scope_slice_name("/a-b//c/"), "a\\x2db-c.slice");
    check(scope_slice_name("/"), "-.slice");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scope/scopes", test_scope_names);
    g_test_add_func("/scope/slices", test_slice_names);
    return g_test_run();
}
