/* The store of objects: look-up by either key, order, what happens to an object that is
 * removed while somebody holds it. */
#include "common/objects.h"

typedef struct Thing {
    Object object;
    unsigned *n_freed;
} Thing;

static const ObjectType thing_type = { "thing", VIR_FROM_QEMU, VIR_ERR_NO_DOMAIN };

static void thing_free(void *data)
{
    Thing *thing = data;

    if (thing->n_freed)
        ++*thing->n_freed;
    g_free(thing);
}

static Thing *thing_new(const char *name, uint32_t number)
{
    Thing *thing = g_new0(Thing, 1);
    Uuid uuid = { { 1 } };

    for (unsigned i = 0; i < 4; i++)
        uuid.bytes[12 + i] = (uint8_t)(number >> (8 * i));
    object_init(&thing->object, name, &uuid, thing_free);
    return thing;
}

/* The store's reference alone stays. */
static Thing *store_add(ObjectStore *store, const char *name, uint32_t number)
{
    Thing *thing = thing_new(name, number);

    g_assert_true(object_store_add(store, &thing->object, NULL));
    object_unref(thing);
    return thing;
}

static void test_found_by_either_key(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    Thing *thing = store_add(store, "a", 1);
    Thing *by_name = object_store_find_name(store, "a");
    Thing *by_uuid = object_store_find_uuid(store, &thing->object.uuid);

    g_assert_true(by_name == thing && by_uuid == thing);
    object_unref(by_name);
    object_unref(by_uuid);
}

static void test_missing_name_says_so(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    g_autoptr(GError) error = NULL;

    g_assert_null(object_store_get_name(store, "nobody", &error));
    g_assert_error(error, error_quark(VIR_FROM_QEMU), VIR_ERR_NO_DOMAIN);
    g_assert_cmpstr(error->message, ==,
                    "Domain not found: no thing with matching name 'nobody'");
}

static void test_missing_uuid_says_so(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    g_autoptr(GError) error = NULL;
    Uuid uuid = { { 0 } };

    g_assert_null(object_store_get_uuid(store, &uuid, "old", &error));
    g_assert_cmpstr(error->message, ==,
                    "Domain not found: no thing with matching uuid "
                    "'00000000-0000-0000-0000-000000000000' (old)");
}

static void test_name_twice_is_refused(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    g_autoptr(GError) error = NULL;
    Thing *second = thing_new("a", 2);

    store_add(store, "a", 1);
    g_assert_false(object_store_add(store, &second->object, &error));
    g_assert_error(error, error_quark(VIR_FROM_QEMU), VIR_ERR_OPERATION_FAILED);
    g_assert_cmpstr(error->message, ==,
                    "operation failed: thing 'a' already exists with uuid "
                    "01000000-0000-0000-0000-000001000000");
    g_assert_false(object_is_in_store(&second->object));
    object_unref(second);
}

static void test_uuid_twice_is_refused(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    g_autoptr(GError) error = NULL;
    Thing *second = thing_new("b", 1);

    store_add(store, "a", 1);
    g_assert_false(object_store_add(store, &second->object, &error));
    g_assert_cmpstr(error->message, ==,
                    "operation failed: thing 'a' is already defined with uuid "
                    "01000000-0000-0000-0000-000001000000");
    g_assert_null(object_store_find_name(store, "b"));
    object_unref(second);
}

static void test_removed_object_lives_until_it_is_let_go(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    Thing *thing = store_add(store, "a", 1);
    unsigned n_freed = 0;

    thing->n_freed = &n_freed;
    object_ref(thing);
    object_store_remove(store, &thing->object);
    g_assert_cmpuint(n_freed, ==, 0);
    g_assert_false(object_is_in_store(&thing->object));
    g_assert_cmpstr(thing->object.name, ==, "a");
    g_assert_null(object_store_find_name(store, "a"));
    g_assert_null(object_store_find_uuid(store, &thing->object.uuid));
    object_unref(thing);
    g_assert_cmpuint(n_freed, ==, 1);
}

static void test_removing_twice_does_nothing(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    Thing *thing = object_ref(store_add(store, "a", 1));

    object_store_remove(store, &thing->object);
    object_store_remove(store, &thing->object);
    g_assert_cmpuint(object_store_count(store), ==, 0);
    object_unref(thing);
}

static void test_name_of_removed_object_can_be_had_again(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    Thing *old = object_ref(store_add(store, "a", 1));
    Thing *new, *found;

    object_store_remove(store, &old->object);
    new = store_add(store, "a", 2);
    object_unref(old);
    found = object_store_find_name(store, "a");
    g_assert_true(found == new);
    object_unref(found);
}

static void test_renamed_object_is_found_by_its_new_name_alone(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    Thing *thing = store_add(store, "a", 1), *found;

    g_assert_true(object_store_rename(store, &thing->object, "b", NULL));
    g_assert_null(object_store_find_name(store, "a"));
    found = object_store_find_name(store, "b");
    g_assert_true(found == thing);
    object_unref(found);
}

static void test_renaming_to_its_own_name_changes_nothing(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    Thing *thing = store_add(store, "a", 1);

    g_assert_true(object_store_rename(store, &thing->object, thing->object.name, NULL));
    g_assert_cmpstr(thing->object.name, ==, "a");
}

static void test_renaming_to_a_name_that_is_taken_is_refused(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    g_autoptr(GError) error = NULL;
    Thing *thing = store_add(store, "a", 1);

    store_add(store, "b", 2);
    g_assert_false(object_store_rename(store, &thing->object, "b", &error));
    g_assert_error(error, error_quark(VIR_FROM_QEMU), VIR_ERR_OPERATION_INVALID);
    g_assert_cmpstr(thing->object.name, ==, "a");
}

static void test_list_has_order_of_creation(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    g_autoptr(GPtrArray) list = NULL;
    static const char *const names[] = { "z", "a", "m" };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        store_add(store, names[i], i);
    list = object_store_list(store);
    g_assert_cmpuint(list->len, ==, G_N_ELEMENTS(names));
    for (unsigned i = 0; i < list->len; i++)
        g_assert_cmpstr(((Thing *)list->pdata[i])->object.name, ==, names[i]);
}

static void test_list_keeps_what_is_removed_meanwhile(void)
{
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    GPtrArray *list;
    unsigned n_freed = 0;

    store_add(store, "a", 1)->n_freed = &n_freed;
    list = object_store_list(store);
    object_store_remove(store, list->pdata[0]);
    g_assert_cmpuint(n_freed, ==, 0);
    g_ptr_array_unref(list);
    g_assert_cmpuint(n_freed, ==, 1);
}

static void test_freed_store_lets_go_of_all(void)
{
    ObjectStore *store = object_store_new(&thing_type);
    unsigned n_freed = 0;

    store_add(store, "a", 1)->n_freed = &n_freed;
    store_add(store, "b", 2)->n_freed = &n_freed;
    object_store_free(store);
    g_assert_cmpuint(n_freed, ==, 2);
}

/* Finding must not depend on how many there are: this takes minutes where it does. */
static void test_ten_thousand_objects(void)
{
    enum { N = 10000, ROUNDS = 100 };
    g_autoptr(ObjectStore) store = object_store_new(&thing_type);
    char name[16];

    for (uint32_t i = 0; i < N; i++) {
        g_snprintf(name, sizeof(name), "t%u", i);
        store_add(store, name, i);
    }
    g_assert_cmpuint(object_store_count(store), ==, N);
    for (uint32_t i = 0; i < N * ROUNDS; i++) {
        Thing *thing;

        g_snprintf(name, sizeof(name), "t%u", i % N);
        thing = object_store_find_name(store, name);
        g_assert_nonnull(thing);
        object_unref(thing);
    }
    for (uint32_t i = 0; i < N; i += 2) {
        Thing *thing;

        g_snprintf(name, sizeof(name), "t%u", i);
        thing = object_store_find_name(store, name);
        object_store_remove(store, &thing->object);
        object_unref(thing);
    }
    g_assert_cmpuint(object_store_count(store), ==, N / 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/objects/found-by-either-key", test_found_by_either_key);
    g_test_add_func("/objects/missing-name", test_missing_name_says_so);
    g_test_add_func("/objects/missing-uuid", test_missing_uuid_says_so);
    g_test_add_func("/objects/name-twice", test_name_twice_is_refused);
    g_test_add_func("/objects/uuid-twice", test_uuid_twice_is_refused);
    g_test_add_func("/objects/removed-while-held", test_removed_object_lives_until_it_is_let_go);
    g_test_add_func("/objects/removed-twice", test_removing_twice_does_nothing);
    g_test_add_func("/objects/name-again", test_name_of_removed_object_can_be_had_again);
    g_test_add_func("/objects/rename", test_renamed_object_is_found_by_its_new_name_alone);
    g_test_add_func("/objects/rename-same", test_renaming_to_its_own_name_changes_nothing);
    g_test_add_func("/objects/rename-taken", test_renaming_to_a_name_that_is_taken_is_refused);
    g_test_add_func("/objects/order", test_list_has_order_of_creation);
    g_test_add_func("/objects/list-holds", test_list_keeps_what_is_removed_meanwhile);
    g_test_add_func("/objects/store-free", test_freed_store_lets_go_of_all);
    g_test_add_func("/objects/ten-thousand", test_ten_thousand_objects);
    return g_test_run();
}
