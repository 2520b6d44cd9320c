/* MAC addresses: text forms, generation, order. */
#include "base/mac.h"

#include "base/error.h"

static void test_accepted_forms(void)
{
    static const struct {
        const char *text;
        const char *canonical;
    } forms[] = {
        { "52:54:00:11:22:33", "52:54:00:11:22:33" },
        { "A2:bb:CC:dd:EE:ff", "a2:bb:cc:dd:ee:ff" },
        { "4:5:0:1:2:3", "04:05:00:01:02:03" },
        { "52:54:00:11:22:33 \n", "52:54:00:11:22:33" },
        { "52:54:00:11:22:3 ", "52:54:00:11:22:03" },
    };
    char text[MAC_TEXT_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        Mac mac;

        g_assert_true(mac_parse(forms[i].text, &mac, &error));
        g_assert_cmpstr(mac_format(&mac, text), ==, forms[i].canonical);
    }
}

static void test_refused_forms(void)
{
    static const char *const forms[] = {
        "",
        ":",
        "52",
        "52:",
        "52-54-00-11-22-33",
        "525400112233",
        "52:54:00:11:22",
        "52:54:00:11:22:",
        "52:54:00:11:22:33:44",
        "52:54:00:11:22:033",
        "52:54:00:11:22:333",
        " 52:54:00:11:22:33",
        "52: 54:00:11:22:33",
        "52:54::11:22:33",
        "52:54:00:11:22:+3",
        "0x52:54:00:11:22:33",
        "52:54:00:11:22:33 x",
        "zz:54:00:11:22:33",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        Mac mac;

        g_assert_false(mac_parse(forms[i], &mac, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_MAC);
    }
}

static void test_generated_ones_have_the_prefix_and_differ(void)
{
    char text[MAC_TEXT_SIZE];
    Mac first;
    bool differs = false;

    mac_generate(&first);
    g_assert_true(g_str_has_prefix(mac_format(&first, text), "52:54:00:"));
    g_assert_false(mac_is_multicast(&first));
    for (int i = 0; i < 10; i++) {
        Mac other;

        mac_generate(&other);
        differs = differs || mac_compare(&first, &other) != 0;
    }
    g_assert_true(differs);
}

static void test_groups_are_multicast(void)
{
    Mac mac;

    g_assert_true(mac_parse("01:00:5e:00:00:01", &mac, NULL));
    g_assert_true(mac_is_multicast(&mac));
    g_assert_true(mac_parse("ff:ff:ff:ff:ff:ff", &mac, NULL));
    g_assert_true(mac_is_multicast(&mac));
}

static void test_compare_orders(void)
{
    Mac low = { .bytes = { 2, 0, 0, 0, 0, 1 } };
    Mac high = { .bytes = { 2, 0, 0, 0, 1, 0 } };

    g_assert_cmpint(mac_compare(&low, &high), <, 0);
    g_assert_cmpint(mac_compare(&high, &low), >, 0);
    g_assert_cmpint(mac_compare(&low, &low), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mac/accepted_forms", test_accepted_forms);
    g_test_add_func("/mac/refused_forms", test_refused_forms);
    g_test_add_func("/mac/generated_ones_have_the_prefix_and_differ",
                    test_generated_ones_have_the_prefix_and_differ);
    g_test_add_func("/mac/groups_are_multicast", test_groups_are_multicast);
    g_test_add_func("/mac/compare_orders", test_compare_orders);
    return g_test_run();
}
