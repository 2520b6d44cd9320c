/* The state file of locks: what is written is read again, and nothing else is believed. */
#include "virtlockd/lock_state.h"

#include <string.h>

#include "base/error.h"

#define OWNER "\"owner\":{\"uuid\":\"01000000-0000-0000-0000-000000000000\",\"name\":\"vm\","     \
              "\"id\":1,\"pid\":11,\"startTime\":100}"
#define LOCK(ID, SPACE, NAME, SHARED)                                                              \
    "{\"id\":" ID ",\"lockspace\":\"" SPACE "\",\"resource\":\"" NAME "\",\"shared\":" SHARED      \
    ",\"ownsFile\":false," OWNER "}"
#define STATE(SPACES, LOCKS) "{\"version\":1,\"lockspaces\":[" SPACES "],\"locks\":[" LOCKS "]}"

static Lock *add(LockTable *table, const char *space, const char *name, bool is_shared)
{
    static const Uuid uuid = { { 1 } };
    g_autoptr(LockOwner) owner = lock_table_get_owner(table, &uuid, "vm\xff%", 1, 11, 100);
    g_autoptr(LockResource) resource = lock_table_get_resource(table, space, name);
    Lock *lock = lock_table_add(table, resource, owner, 0, is_shared, *space != '\0');

    lock->facts = lock_state_format_lock(lock);
    return lock;
}

static void test_what_is_written_is_read_again(void)
{
    g_autoptr(LockTable) table = lock_table_new(), again = lock_table_new();
    g_autoptr(GError) error = NULL;

    lock_table_add_space(table, "/space \"\xc3\xa4\xff");
    add(table, "/space \"\xc3\xa4\xff", "a%41", false);
    add(table, "", "/disk\n", true);
    add(table, "", "/disk\n", true);
    g_autofree char *text = lock_state_format(table);
    g_assert_true(lock_state_parse(text, strlen(text), again, &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) locks = lock_table_get_locks(again);
    g_assert_cmpuint(locks->len, ==, 3);
    for (guint i = 0; i < locks->len; i++) {
        Lock *lock = g_ptr_array_index(locks, i);
        lock->facts = lock_state_format_lock(lock);
    }
    g_autofree char *text_again = lock_state_format(again);
    g_assert_cmpstr(text_again, ==, text);
    const Lock *first = g_ptr_array_index(locks, 0);
    g_assert_cmpstr(first->resource->space, ==, "/space \"\xc3\xa4\xff");
    g_assert_cmpstr(first->resource->name, ==, "a%41");
    g_assert_cmpstr(first->owner->name, ==, "vm\xff%");
    g_assert_cmpint(first->owner->pid, ==, 11);
    g_assert_cmpuint(first->owner->start_time, ==, 100);
    g_assert_true(first->owns_file);
    g_assert_false(first->is_shared);
}

static void test_nothing_is_read_as_nothing(void)
{
    g_autoptr(LockTable) table = lock_table_new(), again = lock_table_new();
    g_autofree char *text = lock_state_format(table);

    g_assert_true(lock_state_parse(text, strlen(text), again, NULL));
    g_assert_cmpuint(lock_table_get_n_locks(again), ==, 0);
}

static void test_good_state_is_read(void)
{
    g_autoptr(LockTable) table = lock_table_new();
    const char *text = STATE("\"/s\"", LOCK("1", "/s", "a", "false") ","
                                       LOCK("7", "", "/d", "true") "," LOCK("8", "", "/d", "true"));

    g_assert_true(lock_state_parse(text, strlen(text), table, NULL));
    g_assert_cmpuint(lock_table_get_n_locks(table), ==, 3);
}

static void test_bad_states_are_refused(void)
{
    static const char *const bad[] = {
        "", "null", "{}", "{\"version\":2,\"lockspaces\":[],\"locks\":[]}",
        "{\"version\":1,\"lockspaces\":[]}", "{\"version\":1,\"locks\":[]}",
        STATE("\"relative\"", ""), STATE("1", ""), STATE("\"/%zz\"", ""), STATE("\"/%00\"", ""),
        STATE("", "1"), STATE("", "{}"),
        STATE("", LOCK("0", "", "/a", "false")), STATE("", LOCK("-1", "", "/a", "false")),
        STATE("", LOCK("9223372036854775808", "", "/a", "false")),
        STATE("", LOCK("1", "/unknown", "a", "false")), STATE("", LOCK("1", "", "", "false")),
        STATE("", LOCK("1", "", "/a", "1")),
        STATE("", LOCK("1", "", "/a", "false") "," LOCK("1", "", "/b", "false")),
        STATE("", LOCK("1", "", "/a", "false") "," LOCK("2", "", "/a", "false")),
        STATE("", LOCK("1", "", "/a", "true") "," LOCK("2", "", "/a", "false")),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(LockTable) table = lock_table_new();
        g_autoptr(GError) error = NULL;

        g_test_message("%s", bad[i]);
        g_assert_false(lock_state_parse(bad[i], strlen(bad[i]), table, &error));
        g_assert_nonnull(error);
    }
}

static void test_impossible_owners_are_refused(void)
{
    static const char *const good = STATE("", LOCK("1", "", "/a", "false"));
    static const char *const changes[][2] = {
        { "\"pid\":11", "\"pid\":0" }, { "\"pid\":11", "\"pid\":2147483648" },
        { "\"startTime\":100", "\"startTime\":0" }, { "\"id\":1,\"pid\"", "\"id\":4294967296,\"pid\"" },
        { "01000000", "0100" }, { ",\"startTime\":100", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autoptr(LockTable) table = lock_table_new();
        g_auto(GStrv) parts = g_strsplit(good, changes[i][0], 2);
        g_autofree char *text = g_strjoinv(changes[i][1], parts);

        g_assert_cmpuint(g_strv_length(parts), ==, 2);
        g_test_message("%s", text);
        g_assert_false(lock_state_parse(text, strlen(text), table, NULL));
    }
}

static void test_name_of_a_descriptor_says_who_has_the_lock(void)
{
    g_autoptr(LockTable) table = lock_table_new();
    g_autofree char *name = lock_state_kept_name(add(table, "", "/a", false));
    uint64_t id, start_time;
    pid_t pid;

    g_assert_cmpstr(name, ==, "1-b-64");
    g_assert_true(lock_state_parse_kept_name(name, &id, &pid, &start_time));
    g_assert_cmpuint(id, ==, 1);
    g_assert_cmpint(pid, ==, 11);
    g_assert_cmpuint(start_time, ==, 100);
}

static void test_longest_name_is_short_enough(void)
{
    static const Uuid uuid = { { 1 } };
    g_autoptr(LockTable) table = lock_table_new();
    g_autoptr(LockOwner) owner = lock_table_get_owner(table, &uuid, "vm", 1, INT32_MAX, INT64_MAX);
    g_autoptr(LockResource) resource = lock_table_get_resource(table, "", "/a");
    const Lock *lock = lock_table_add(table, resource, owner, INT64_MAX - 1, false, false);
    g_autofree char *name = lock_state_kept_name(lock);

    g_assert_cmpstr(name, ==, "7ffffffffffffffe");
}

static void test_other_names_say_nothing(void)
{
    static const char *const bad[] = { "", "1", "1-2", "1-2-3-4", "0-b-64", "1-0-64", "1-b-0",
                                       "x-b-64", "1-80000000-64", "-1-b", "1--b" };
    uint64_t id, start_time;
    pid_t pid;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(lock_state_parse_kept_name(bad[i], &id, &pid, &start_time));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/lock_state/" #name, test_##name)
    TEST(what_is_written_is_read_again);
    TEST(nothing_is_read_as_nothing);
    TEST(good_state_is_read);
    TEST(bad_states_are_refused);
    TEST(impossible_owners_are_refused);
    TEST(name_of_a_descriptor_says_who_has_the_lock);
    TEST(longest_name_is_short_enough);
    TEST(other_names_say_nothing);
    return g_test_run();
}
