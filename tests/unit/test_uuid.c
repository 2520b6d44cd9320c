/* UUIDs: forms that are accepted, forms that are not, randomness. */
#include "base/uuid.h"

#include "base/error.h"

#define CANONICAL "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

static void test_accepted_forms(void)
{
    static const char *const forms[] = {
        CANONICAL,
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
        ("\n " CANONICAL " \t"),
        ("--" CANONICAL),
        "0a1b 2c3d4e5f60718293a4b5c6d7e8f9",
    };
    char text[UUID_TEXT_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        Uuid uuid;

        g_assert_true(uuid_parse(forms[i], &uuid, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(uuid_format(&uuid, text), ==, CANONICAL);
    }
}

static void test_refused_forms(void)
{
    static const char *const forms[] = {
        "",
        " ",
        "-",
        ("{" CANONICAL "}"),
        "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f",   /* too short */
        "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f90", /* too long */
        "0-a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", /* within a byte */
        "0a1b2c3d_4e5f-6071-8293-a4b5c6d7e8f9",
        "ga1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        (CANONICAL "-"),
        (CANONICAL " x"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        Uuid uuid = { .bytes = { 0x77 } };

        g_assert_false(uuid_parse(forms[i], &uuid, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG);
        g_assert_cmphex(uuid.bytes[0], ==, 0x77);
    }
}

static void test_generated_ones_are_version_4_and_differ(void)
{
    Uuid a;
    Uuid b;

    uuid_generate(&a);
    uuid_generate(&b);
    g_assert_cmphex(a.bytes[6] & 0xf0, ==, 0x40);
    g_assert_cmphex(a.bytes[8] & 0xc0, ==, 0x80);
    g_assert_false(uuid_equal(&a, &b));
    g_assert_true(uuid_is_valid(&a));
}

static void test_all_zeros_and_all_ones_are_not_valid(void)
{
    Uuid uuid = { .bytes = { 0 } };

    g_assert_false(uuid_is_valid(&uuid));
    uuid.bytes[15] = 1;
    g_assert_true(uuid_is_valid(&uuid));
    for (size_t i = 0; i < UUID_LENGTH; i++)
        uuid.bytes[i] = 0xff;
    g_assert_false(uuid_is_valid(&uuid));
}

static void test_hash_tables_find_them(void)
{
    g_autoptr(GHashTable) table = g_hash_table_new(uuid_hash, uuid_equal);
    Uuid uuids[100];
    Uuid copy;

    for (size_t i = 0; i < G_N_ELEMENTS(uuids); i++) {
        uuid_generate(&uuids[i]);
        g_hash_table_add(table, &uuids[i]);
    }
    copy = uuids[42];
    g_assert_true(g_hash_table_lookup(table, &copy) == &uuids[42]);
    g_assert_cmpuint(g_hash_table_size(table), ==, 100);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uuid/accepted_forms", test_accepted_forms);
    g_test_add_func("/uuid/refused_forms", test_refused_forms);
    g_test_add_func("/uuid/generated_ones_are_version_4_and_differ",
                    test_generated_ones_are_version_4_and_differ);
    g_test_add_func("/uuid/all_zeros_and_all_ones_are_not_valid",
                    test_all_zeros_and_all_ones_are_not_valid);
    g_test_add_func("/uuid/hash_tables_find_them", test_hash_tables_find_them);
    return g_test_run();
}
