/* The objects of a driver (domains, networks, pools, secrets …): each has a name and a uuid
 * that no other of its kind has, and is found by either at once. A driver's type begins with
 * an Object. Everyone who holds an object over a wait holds a reference: an object that is
 * removed meanwhile stays whole until the last one goes, and says that it is gone. What is
 * here lives in memory; a driver reads it from its state folders when it starts. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "base/error.h"
#include "base/uuid.h"

typedef struct ObjectStore ObjectStore;

typedef struct Object {
    unsigned n_refs;
    void (*free)(void *object); /* of the whole, after the last reference */
    ObjectStore *store;         /* NULL when it is in none (any more) */
    char *name;
    Uuid uuid;
    GList link; /* in the store's order of creation */
} Object;

/* What a store holds, for errors and for telling that something is not there. */
typedef struct ObjectType {
    const char *noun;       /* "domain" */
    ErrorFrom from;
    ErrorCode missing_code; /* VIR_ERR_NO_DOMAIN */
} ObjectType;

/* Initialises the head of a zeroed object with one reference, the caller's. @free frees
 * what the driver has added, and the object's memory; may be g_free. */
void object_init(Object *object, const char *name, const Uuid *uuid, void (*free)(void *object));
/* @object: any struct that begins with an Object. Returns it. */
void *object_ref(void *object);
/* NULL is nothing. */
void object_unref(void *object);
/* False when it has been removed: then nobody can find it, and nothing is to begin with it. */
bool object_is_in_store(const Object *object);

/* @type is the caller's, static. */
ObjectStore *object_store_new(const ObjectType *type);
/* Removes all objects. */
void object_store_free(ObjectStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ObjectStore, object_store_free)

/* Adds @object behind all others; the store takes a reference of its own.
 * Errors: OPERATION_FAILED, naming both, when its name or its uuid is another one's. */
bool object_store_add(ObjectStore *store, Object *object, GError **error);
/* Takes it out. Nothing happens when it is not in @store. */
void object_store_remove(ObjectStore *store, Object *object);
/* Errors: OPERATION_INVALID when another object has that name. */
bool object_store_rename(ObjectStore *store, Object *object, const char *name, GError **error);

/* A new reference; NULL when there is none. */
void *object_store_find_name(const ObjectStore *store, const char *name);
void *object_store_find_uuid(const ObjectStore *store, const Uuid *uuid);
/* The same, and the type's missing_code is the error. @name (may be NULL) is what the
 * caller knows of the object besides its uuid. */
void *object_store_get_name(const ObjectStore *store, const char *name, GError **error);
void *object_store_get_uuid(const ObjectStore *store, const Uuid *uuid, const char *name,
                            GError **error);

size_t object_store_count(const ObjectStore *store);
/* All objects in order of creation, with a reference each: safe to wait in between. */
GPtrArray *object_store_list(const ObjectStore *store);
/* The same without references, for loops that neither wait nor change the store:
 * the first object's link; link->data is the object. */
GList *object_store_first(const ObjectStore *store);
