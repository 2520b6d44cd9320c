/* Locks as data: who has what, and what is in whose way. */
#include "virtlockd/lock_table.h"

#include <string.h>

typedef struct TableCase {
    LockTable *table;
    LockOwner *one, *two;
} TableCase;

static void set_up(TableCase *test, const void *data)
{
    const Uuid first = { { 1 } }, second = { { 2 } };

    test->table = lock_table_new();
    test->one = lock_table_get_owner(test->table, &first, "one", 1, 11, 100);
    test->two = lock_table_get_owner(test->table, &second, "two", 2, 22, 200);
}

static void tear_down(TableCase *test, const void *data)
{
    lock_owner_unref(test->one);
    lock_owner_unref(test->two);
    lock_table_free(test->table);
}

static Lock *add(TableCase *test, LockOwner *owner, const char *space, const char *name,
                 bool is_shared)
{
    g_autoptr(LockResource) resource = lock_table_get_resource(test->table, space, name);

    return lock_table_add(test->table, resource, owner, 0, is_shared, false);
}

static void test_direct_space_is_always_there(TableCase *test, const void *data)
{
    g_autoptr(GPtrArray) spaces = lock_table_get_spaces(test->table);

    g_assert_true(lock_table_has_space(test->table, ""));
    g_assert_false(lock_table_has_space(test->table, "/a"));
    g_assert_cmpuint(spaces->len, ==, 0);
}

static void test_spaces_are_sorted(TableCase *test, const void *data)
{
    lock_table_add_space(test->table, "/b");
    lock_table_add_space(test->table, "/a");
    lock_table_add_space(test->table, "/b");
    g_autoptr(GPtrArray) spaces = lock_table_get_spaces(test->table);
    g_assert_cmpuint(spaces->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(spaces, 0), ==, "/a");
    g_assert_cmpstr(g_ptr_array_index(spaces, 1), ==, "/b");
}

static void test_file_of_a_resource(TableCase *test, const void *data)
{
    g_autoptr(LockResource) direct = lock_table_get_resource(test->table, "", "/disk");
    g_autoptr(LockResource) indirect = lock_table_get_resource(test->table, "/space", "disk");

    g_assert_cmpstr(direct->path, ==, "/disk");
    g_assert_cmpstr(indirect->path, ==, "/space/disk");
}

static void test_resource_is_one_while_it_is_used(TableCase *test, const void *data)
{
    g_autoptr(LockResource) first = lock_table_get_resource(test->table, "/s", "a");
    g_autoptr(LockResource) second = lock_table_get_resource(test->table, "/s", "a");
    g_autoptr(LockResource) other = lock_table_get_resource(test->table, "/s/a", "");

    g_assert_true(first == second);
    g_assert_true(first != other);
}

static void test_nothing_is_in_the_way_of_the_first(TableCase *test, const void *data)
{
    g_autoptr(LockResource) resource = lock_table_get_resource(test->table, "", "/a");

    g_assert_null(lock_resource_find_conflict(resource, false));
    g_assert_null(lock_resource_find_conflict(resource, true));
}

static void test_exclusive_lock_is_in_everybodys_way(TableCase *test, const void *data)
{
    const Lock *lock = add(test, test->one, "", "/a", false);

    g_assert_true(lock_resource_find_conflict(lock->resource, false) == lock);
    g_assert_true(lock_resource_find_conflict(lock->resource, true) == lock);
}

static void test_shared_lock_is_in_the_way_of_exclusive_ones(TableCase *test, const void *data)
{
    const Lock *lock = add(test, test->one, "", "/a", true);

    g_assert_true(lock_resource_find_conflict(lock->resource, false) == lock);
    g_assert_null(lock_resource_find_conflict(lock->resource, true));
}

static void test_owners_find_their_own(TableCase *test, const void *data)
{
    Lock *first = add(test, test->one, "", "/a", true);
    Lock *second = add(test, test->two, "", "/a", true);

    g_assert_true(first->resource == second->resource);
    g_assert_true(lock_resource_find(first->resource, test->one) == first);
    g_assert_true(lock_resource_find(first->resource, test->two) == second);
    g_assert_true(lock_resource_get(first->resource, second->id) == second);
    lock_table_remove(test->table, first);
    g_assert_null(lock_resource_find(second->resource, test->one));
    g_assert_cmpuint(test->one->locks->len, ==, 0);
    g_assert_cmpuint(lock_table_get_n_locks(test->table), ==, 1);
}

static void test_file_is_found_by_any_name(TableCase *test, const void *data)
{
    Lock *lock = add(test, test->one, "", "/a", false);

    lock->device = 7;
    lock->inode = 8;
    g_assert_true(lock_table_find_file(test->table, 7, 8) == lock);
    g_assert_null(lock_table_find_file(test->table, 8, 8));
}

static void test_ids_are_never_used_again(TableCase *test, const void *data)
{
    g_autoptr(LockResource) resource = lock_table_get_resource(test->table, "", "/a");
    Lock *lock = lock_table_add(test->table, resource, test->one, 40, true, false);

    lock_table_remove(test->table, lock);
    g_assert_false(lock_table_has_id(test->table, 40));
    g_assert_cmpuint(add(test, test->one, "", "/b", false)->id, ==, 41);
}

static void test_locks_come_in_order(TableCase *test, const void *data)
{
    add(test, test->one, "", "/b", false);
    add(test, test->two, "", "/a", false);
    g_autoptr(GPtrArray) locks = lock_table_get_locks(test->table);
    g_assert_cmpuint(locks->len, ==, 2);
    g_assert_cmpstr(((Lock *)g_ptr_array_index(locks, 0))->resource->name, ==, "/b");
}

static void test_owner_is_one_by_uuid_and_process(TableCase *test, const void *data)
{
    const Uuid first = { { 1 } };
    g_autoptr(LockOwner) same = lock_table_get_owner(test->table, &first, "one", 1, 11, 100);
    g_autoptr(LockOwner) later = lock_table_get_owner(test->table, &first, "one", 1, 11, 101);
    g_autoptr(LockOwner) other = lock_table_get_owner(test->table, &first, "one", 1, 12, 100);

    g_assert_true(same == test->one);
    g_assert_true(later != test->one);
    g_assert_true(other != test->one);
}

static void test_owner_whose_process_is_gone_is_still_known(TableCase *test, const void *data)
{
    const Uuid first = { { 1 } };
    g_autoptr(LockOwner) gone = lock_table_get_owner(test->table, &first, "one", 1, 11, 0);

    g_assert_true(gone == test->one);
}

static void test_newest_name_of_an_owner_counts(TableCase *test, const void *data)
{
    const Uuid first = { { 1 } };
    g_autoptr(LockOwner) renamed = lock_table_get_owner(test->table, &first, "new", 5, 11, 100);
    g_autofree char *text = lock_owner_describe(test->one);

    g_assert_true(renamed == test->one);
    g_assert_cmpstr(text, ==, "'new' (UUID 01000000-0000-0000-0000-000000000000, process 11)");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name)                                                                                 \
    g_test_add("/lock_table/" #name, TableCase, NULL, set_up, test_##name, tear_down)
    TEST(direct_space_is_always_there);
    TEST(spaces_are_sorted);
    TEST(file_of_a_resource);
    TEST(resource_is_one_while_it_is_used);
    TEST(nothing_is_in_the_way_of_the_first);
    TEST(exclusive_lock_is_in_everybodys_way);
    TEST(shared_lock_is_in_the_way_of_exclusive_ones);
    TEST(owners_find_their_own);
    TEST(file_is_found_by_any_name);
    TEST(ids_are_never_used_again);
    TEST(locks_come_in_order);
    TEST(owner_is_one_by_uuid_and_process);
    TEST(owner_whose_process_is_gone_is_still_known);
    TEST(newest_name_of_an_owner_counts);
    return g_test_run();
}
