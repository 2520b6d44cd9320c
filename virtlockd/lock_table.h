/* The locks that are held, as data: lock spaces, the resources in them, who has which of them
 * locked, and how. No files are touched here and nothing waits.
 *
 * A lock space is a name: "" is the direct one, where a resource is named by the path of the file
 * that is locked; any other is the path of a folder, and a resource the name of a file in it.
 * Whoever locks a resource gets a descriptor of its own, also when it is shared.
 *
 * All of it survives a restart (lock_state.h), but connections do not. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/uuid.h"
#include "fiber/sync.h"

typedef struct LockTable LockTable;

/* Stands for the start time of a process that this daemon cannot see, because its clients live in
 * another pid namespace: no guest has started in the first hundredth of a second of its host. */
#define LOCK_OWNER_UNSEEN 1

/* A guest, or whoever else has locks. It is there while locks or connections are its own. */
typedef struct LockOwner {
    unsigned n_refs;
    LockTable *table;
    Uuid uuid;
    char *name;
    unsigned id;
    pid_t pid;
    uint64_t start_time; /* field 22 of /proc/PID/stat; 0: there was no such process */
    bool has_ended;
    unsigned n_connections;     /* that speak for it */
    unsigned n_own_connections; /* those of them that its process has made itself */
    GPtrArray *locks; /* of Lock, borrowed */
    /* owner_watch.c's */
    struct LockDaemon *lockd;
    int pid_fd;
    struct sd_event_source *end;
    bool is_being_killed;
} LockOwner;

typedef struct LockResource {
    unsigned n_refs;
    LockTable *table;
    char *space, *name;
    char *path;       /* of the file */
    FiberMutex mutex; /* held by who changes anything about it, over waits */
    GPtrArray *locks; /* of Lock, its own; several only when all are shared */
} LockResource;

typedef struct Lock {
    uint64_t id;
    LockResource *resource;
    LockOwner *owner;
    bool is_shared;
    bool owns_file; /* the file goes with the last lock on it */
    int fd;         /* borrowed from the kept descriptors */
    uint64_t device, inode;
    bool is_local; /* the file's file system cannot hang */
    char *kept_name; /* of the descriptor */
    char *facts;     /* its entry in the state file, made once */
} Lock;

LockTable *lock_table_new(void);
/* No reference of anybody's may be left. */
void lock_table_free(LockTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LockTable, lock_table_free)

bool lock_table_has_space(const LockTable *table, const char *space);
void lock_table_add_space(LockTable *table, const char *space);
/* Of const char *, sorted, without the direct one. To be freed with the array alone. */
GPtrArray *lock_table_get_spaces(const LockTable *table);
size_t lock_table_get_n_locks(const LockTable *table);
bool lock_table_has_id(const LockTable *table, uint64_t id);
/* All locks, in the order of their making. To be freed with the array alone. */
GPtrArray *lock_table_get_locks(const LockTable *table);

/* The owner that these say, a new reference; @name and @id are for people to read, the newest
 * count. */
LockOwner *lock_table_get_owner(LockTable *table, const Uuid *uuid, const char *name, unsigned id,
                                pid_t pid, uint64_t start_time);
LockOwner *lock_owner_ref(LockOwner *owner);
void lock_owner_unref(LockOwner *owner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LockOwner, lock_owner_unref)
/* "'vm1' (UUID …, process 17)"; to be freed. */
char *lock_owner_describe(const LockOwner *owner);

/* A new reference; the resource is made when there is none, for a caller that will lock it. */
LockResource *lock_table_get_resource(LockTable *table, const char *space, const char *name);
LockResource *lock_resource_ref(LockResource *resource);
void lock_resource_unref(LockResource *resource);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LockResource, lock_resource_unref)
/* NULL when it has none of that id. */
Lock *lock_resource_get(const LockResource *resource, uint64_t id);
/* One of @owner's, NULL when it has none. */
Lock *lock_resource_find(const LockResource *resource, const LockOwner *owner);
/* A lock that stands in the way of one that is (not) shared; NULL: none does. */
const Lock *lock_resource_find_conflict(const LockResource *resource, bool is_shared);
/* A lock on the same file, by whatever name. */
const Lock *lock_table_find_file(const LockTable *table, uint64_t device, uint64_t inode);

/* @id 0: the next. The lock is its resource's own. */
Lock *lock_table_add(LockTable *table, LockResource *resource, LockOwner *owner, uint64_t id,
                     bool is_shared, bool owns_file);
void lock_table_remove(LockTable *table, Lock *lock);
