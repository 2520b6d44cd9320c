/* Configurations of mediated devices, as mdevctl prints and reads them. */
#include <glib.h>

#include "base/error_codes.h"
#include "virtnodedevd/mdev_config.h"

/* What mdevctl 1.2.0 printed. */
#define LISTED                                                                                     \
    "[{\"0000:00:02.0\":[{\"291ce44b-d563-4f87-8195-5c6642041117\":{\"mdev_type\":\"nvidia-11\","   \
    "\"start\":\"auto\",\"attrs\":[{\"a\":\"1\"},{\"b\":\"2\"}]}},"                                \
    "{\"83c32df7-d52e-4ec1-9668-1f3c7e4df107\":{\"mdev_type\":\"nvidia-35\","                      \
    "\"start\":\"manual\",\"attrs\":[]}}]}]"

static void test_list(void)
{
    g_autoptr(GPtrArray) configs = mdev_configs_parse(LISTED, NULL);
    g_autofree char *name = NULL;
    g_autofree char *json = NULL;
    MdevConfig *first;

    g_assert_nonnull(configs);
    g_assert_cmpuint(configs->len, ==, 2);
    first = configs->pdata[0];
    g_assert_true(first->is_autostarted);
    name = mdev_config_name(first);
    g_assert_cmpstr(name, ==, "mdev_291ce44b_d563_4f87_8195_5c6642041117_0000_00_02_0");
    json = mdev_config_to_json(first);
    g_assert_cmpstr(json, ==,
                    "{\"mdev_type\":\"nvidia-11\",\"start\":\"auto\","
                    "\"attrs\":[{\"a\":\"1\"},{\"b\":\"2\"}]}");
}

static void test_copies_are_equal_until_changed(void)
{
    g_autoptr(GPtrArray) configs = mdev_configs_parse(LISTED, NULL);
    g_autoptr(MdevConfig) copy = mdev_config_copy(configs->pdata[0]);

    g_assert_true(mdev_config_equal(copy, configs->pdata[0]));
    g_assert_false(mdev_config_equal(copy, configs->pdata[1]));
    mdev_config_add_attr(copy, g_strdup("c"), g_strdup("3"));
    g_assert_false(mdev_config_equal(copy, configs->pdata[0]));
}

static void test_other_json(void)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[1]",
        "[{\"p\":1}]",
        "[{\"p\":[1]}]",
        "[{\"p\":[{\"u\":1}]}]",
        "[{\"p\":[{\"u\":{}}]}]",
        "[{\"p\":[{\"u\":{\"mdev_type\":1}}]}]",
        "[{\"p\":[{\"u\":{\"mdev_type\":\"t\",\"attrs\":[1]}}]}]",
        "[{\"p\":[{\"u\":{\"mdev_type\":\"t\",\"attrs\":[{\"a\":1}]}}]}]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mdev_configs_parse(texts[i], &error));
        g_assert_nonnull(error);
    }
}

static void test_nothing_defined(void)
{
    g_autoptr(GPtrArray) configs = mdev_configs_parse("[]", NULL);

    g_assert_nonnull(configs);
    g_assert_cmpuint(configs->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mdev/list", test_list);
    g_test_add_func("/mdev/copy", test_copies_are_equal_until_changed);
    g_test_add_func("/mdev/other-json", test_other_json);
    g_test_add_func("/mdev/nothing", test_nothing_defined);
    return g_test_run();
}
