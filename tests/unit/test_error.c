/* Errors: prefixes, how details join them, domains. */
#include "base/error.h"

#include <errno.h>

static void test_message_is_prefix_and_detail(void)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no network '%s'", "n");
    g_assert_cmpstr(error->message, ==, "Network not found: no network 'n'");
    g_assert_cmpint(error->code, ==, 43);
    g_assert_cmpint(error_get_from(error), ==, VIR_FROM_NETWORK);
    g_assert_cmpstr(error_detail(error), ==, "no network 'n'");
}

static void test_message_without_detail_is_prefix_alone(void)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, VIR_FROM_DOMAIN, VIR_ERR_NO_NAME, NULL);
    g_assert_cmpstr(error->message, ==, "missing name information");
    g_assert_cmpstr(error_detail(error), ==, "missing name information");
}

static void test_codes_without_prefix(void)
{
    static const ErrorCode codes[] = { VIR_ERR_SYSTEM_ERROR, VIR_ERR_RPC, VIR_ERR_XML_DETAIL };

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autoptr(GError) error = NULL;

        error_set(&error, VIR_FROM_RPC, codes[i], "all of it");
        g_assert_cmpstr(error->message, ==, "all of it");
        g_assert_cmpstr(error_detail(error), ==, "all of it");
    }
}

static void test_detail_ends_or_fills_the_sentence(void)
{
    g_autoptr(GError) connect = NULL;
    g_autoptr(GError) exists = NULL;

    error_set(&connect, VIR_FROM_NONE, VIR_ERR_NO_CONNECT, "xen:///");
    g_assert_cmpstr(connect->message, ==, "no connection driver available for xen:///");
    g_assert_cmpstr(error_detail(connect), ==, "xen:///");
    error_set(&exists, VIR_FROM_STORAGE, VIR_ERR_STORAGE_VOL_EXIST, "'v'");
    g_assert_cmpstr(exists->message, ==, "storage volume 'v' exists already");
}

static void test_errno_text_comes_last(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) bare = NULL;

    error_set_errno(&error, VIR_FROM_STORAGE, ENOENT, "cannot open '%s'", "/x");
    g_assert_cmpstr(error->message, ==, "cannot open '/x': No such file or directory");
    g_assert_cmpint(error->code, ==, VIR_ERR_SYSTEM_ERROR);
    error_set_errno(&bare, VIR_FROM_STORAGE, EPERM, NULL);
    g_assert_cmpstr(bare->message, ==, "Operation not permitted");
}

static void test_every_code_has_words(void)
{
    for (int code = VIR_ERR_OK; code <= VIR_ERR_AGENT_COMMAND_FAILED; code++)
        g_assert_cmpstr(error_prefix((ErrorCode) code), !=, "unknown error");
    g_assert_cmpstr(error_prefix((ErrorCode) 114), ==, "unknown error");
    g_assert_cmpstr(error_prefix((ErrorCode) -1), ==, "unknown error");
}

static void test_domains_survive_and_foreign_ones_are_none(void)
{
    g_autoptr(GError) newer = NULL;
    g_autoptr(GError) foreign = g_error_new(G_FILE_ERROR, 1, "internal error: x");

    error_set(&newer, (ErrorFrom) 99, VIR_ERR_RPC, "x");
    g_assert_cmpint(error_get_from(newer), ==, 99);
    g_assert_cmpint(error_get_from(foreign), ==, VIR_FROM_NONE);
    g_assert_cmpstr(error_detail(foreign), ==, "internal error: x");
}

static void test_no_place_for_the_error_is_fine(void)
{
    error_set(NULL, VIR_FROM_NONE, VIR_ERR_RPC, "x %d", 1);
    error_set_errno(NULL, VIR_FROM_NONE, EIO, "x %d", 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/message_is_prefix_and_detail", test_message_is_prefix_and_detail);
    g_test_add_func("/error/message_without_detail_is_prefix_alone",
                    test_message_without_detail_is_prefix_alone);
    g_test_add_func("/error/codes_without_prefix", test_codes_without_prefix);
    g_test_add_func("/error/detail_ends_or_fills_the_sentence",
                    test_detail_ends_or_fills_the_sentence);
    g_test_add_func("/error/errno_text_comes_last", test_errno_text_comes_last);
    g_test_add_func("/error/every_code_has_words", test_every_code_has_words);
    g_test_add_func("/error/domains_survive_and_foreign_ones_are_none",
                    test_domains_survive_and_foreign_ones_are_none);
    g_test_add_func("/error/no_place_for_the_error_is_fine", test_no_place_for_the_error_is_fine);
    return g_test_run();
}
