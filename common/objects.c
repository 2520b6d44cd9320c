/* Objects of a driver by name and by uuid. The tables hold pointers into the objects (their
 * names and uuids are the keys), so an object must not change either while it is in a store,
 * but by object_store_rename(). */
#include "common/objects.h"

struct ObjectStore {
    const ObjectType *type;
    GHashTable *by_name; /* char * → Object; the objects own the keys */
    GHashTable *by_uuid; /* Uuid * → Object */
    GQueue order;        /* of Object.link */
};

void object_init(Object *object, const char *name, const Uuid *uuid, void (*free)(void *object))
{
    object->n_refs = 1;
    object->free = free;
    object->name = g_strdup(name);
    object->uuid = *uuid;
    object->link.data = object;
}

void *object_ref(void *data)
{
    Object *object = data;

    object->n_refs++;
    return object;
}

/* A store has a reference of its own: an object in one never gets here with 0. */
void object_unref(void *data)
{
    Object *object = data;

    if (!object || --object->n_refs > 0)
        return;
    g_assert(!object->store);
    g_clear_pointer(&object->name, g_free);
    object->free(object);
}

bool object_is_in_store(const Object *object)
{
    return object->store != NULL;
}

ObjectStore *object_store_new(const ObjectType *type)
{
    ObjectStore *store = g_new0(ObjectStore, 1);

    store->type = type;
    store->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    store->by_uuid = g_hash_table_new(uuid_hash, uuid_equal);
    return store;
}

/* Objects that others still hold live on outside of any store. */
void object_store_free(ObjectStore *store)
{
    if (!store)
        return;
    while (store->order.head)
        object_store_remove(store, store->order.head->data);
    g_hash_table_unref(store->by_name);
    g_hash_table_unref(store->by_uuid);
    g_free(store);
}

bool object_store_add(ObjectStore *store, Object *object, GError **error)
{
    const Object *twin = g_hash_table_lookup(store->by_name, object->name);
    char text[UUID_TEXT_SIZE];

    g_assert(!object->store);
    if (twin) {
        error_set(error, store->type->from, VIR_ERR_OPERATION_FAILED,
                  "%s '%s' already exists with uuid %s", store->type->noun, twin->name,
                  uuid_format(&twin->uuid, text));
        return false;
    }
    twin = g_hash_table_lookup(store->by_uuid, &object->uuid);
    if (twin) {
        error_set(error, store->type->from, VIR_ERR_OPERATION_FAILED,
                  "%s '%s' is already defined with uuid %s", store->type->noun, twin->name,
                  uuid_format(&twin->uuid, text));
        return false;
    }
    object->store = store;
    g_hash_table_insert(store->by_name, object->name, object);
    g_hash_table_insert(store->by_uuid, &object->uuid, object);
    g_queue_push_tail_link(&store->order, &object->link);
    object_ref(object);
    return true;
}

/* @object may be freed by this, unless the caller has a reference. */
void object_store_remove(ObjectStore *store, Object *object)
{
    if (object->store != store)
        return;
    g_hash_table_remove(store->by_name, object->name);
    g_hash_table_remove(store->by_uuid, &object->uuid);
    g_queue_unlink(&store->order, &object->link);
    object->store = NULL;
    object_unref(object);
}

bool object_store_rename(ObjectStore *store, Object *object, const char *name, GError **error)
{
    const Object *twin = g_hash_table_lookup(store->by_name, name);
    char *copy;

    g_assert(object->store == store);
    /* To its own name: nothing to do. */
    if (twin == object)
        return true;
    if (twin) {
        error_set(error, store->type->from, VIR_ERR_OPERATION_INVALID,
                  "%s with name '%s' already exists", store->type->noun, name);
        return false;
    }
    /* @name may be the object's own text. */
    copy = g_strdup(name);
    g_hash_table_remove(store->by_name, object->name);
    g_free(object->name);
    object->name = copy;
    g_hash_table_insert(store->by_name, object->name, object);
    return true;
}

void *object_store_find_name(const ObjectStore *store, const char *name)
{
    Object *object = g_hash_table_lookup(store->by_name, name);

    return object ? object_ref(object) : NULL;
}

void *object_store_find_uuid(const ObjectStore *store, const Uuid *uuid)
{
    Object *object = g_hash_table_lookup(store->by_uuid, uuid);

    return object ? object_ref(object) : NULL;
}

void *object_store_get_name(const ObjectStore *store, const char *name, GError **error)
{
    void *object = object_store_find_name(store, name);

    if (!object)
        error_set(error, store->type->from, store->type->missing_code,
                  "no %s with matching name '%s'", store->type->noun, name);
    return object;
}

void *object_store_get_uuid(const ObjectStore *store, const Uuid *uuid, const char *name,
                            GError **error)
{
    void *object = object_store_find_uuid(store, uuid);
    char text[UUID_TEXT_SIZE];

    if (!object)
        error_set(error, store->type->from, store->type->missing_code,
                  name ? "no %s with matching uuid '%s' (%s)" : "no %s with matching uuid '%s'",
                  store->type->noun, uuid_format(uuid, text), name);
    return object;
}

size_t object_store_count(const ObjectStore *store)
{
    return store->order.length;
}

/* A snapshot: what is removed meanwhile is still in the list, see object_is_in_store(). */
GPtrArray *object_store_list(const ObjectStore *store)
{
    GPtrArray *list = g_ptr_array_new_full(store->order.length, object_unref);

    for (GList *link = store->order.head; link; link = link->next)
        g_ptr_array_add(list, object_ref(link->data));
    return list;
}

GList *object_store_first(const ObjectStore *store)
{
    return store->order.head;
}
