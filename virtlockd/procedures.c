#include "virtlockd/procedures.h"

#include <string.h>

#include "base/error.h"
#include "common/call.h"
#include "common/client.h"
#include "fiber/process.h"
#include "virtlockd/lockd.h"
#include "virtlockd/owner_watch.h"
#include "wire/lock.h"

/* Flags of ACQUIRE_RESOURCE. */
#define ACQUIRE_SHARED (1u << 0)
#define ACQUIRE_AUTOCREATE (1u << 1)

/* A connection. */
typedef struct LockClient {
    LockOwner *owner;    /* NULL before it has said for whom it speaks */
    bool is_owners_own;  /* the owner's process has connected itself, says the kernel */
    bool is_restricted;  /* it may not change anything any more */
} LockClient;

static void lock_client_free(void *data)
{
    LockClient *client = data;

    lock_owner_unref(client->owner);
    g_free(client);
}

/* Takes @owner; NULL: the connection is over. */
static void lock_client_speak_for(LockDaemon *lockd, LockClient *client, LockOwner *owner,
                                  bool is_owners_own)
{
    g_autoptr(LockOwner) before = client->owner;
    bool was_owners_own = client->is_owners_own;

    client->owner = owner;
    client->is_owners_own = is_owners_own;
    if (owner)
        owner_connect(owner, is_owners_own);
    if (before)
        owner_disconnect(lockd, before, was_owners_own);
}

GHashTable *lock_clients_new(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, lock_client_free);
}

static void handle_close(Client *connection, void *data)
{
    LockDaemon *lockd = data;
    LockClient *client = g_hash_table_lookup(lockd->clients, connection);
    g_autoptr(LockOwner) owner = client->owner ? lock_owner_ref(client->owner) : NULL;
    bool was_owners_own = client->is_owners_own;

    lock_client_speak_for(lockd, client, NULL, false);
    /* Connections that we end ourselves, because we stop, say nothing about their owners. */
    if (was_owners_own && owner->n_own_connections == 0 && !daemon_is_ending(lockd->daemon))
        owner_end(lockd, owner);
    g_hash_table_remove(lockd->clients, connection);
}

/* What is known of the caller's connection, from its first call on. NULL: the driver has not
 * started, or the connection is restricted. */
SUSPENDS static LockClient *client_of(Call *call, LockDaemon **ret_lockd, GError **error)
{
    Daemon *daemon = call_get_daemon(call);
    Client *connection = call_get_client(call);

    if (!daemon_wait_started(daemon, error))
        return NULL;
    LockDaemon *lockd = daemon_get_driver_data(daemon);
    LockClient *client = g_hash_table_lookup(lockd->clients, connection);
    if (!client) {
        client = g_new0(LockClient, 1);
        g_hash_table_insert(lockd->clients, connection, client);
        client_add_close_func(connection, handle_close, lockd);
        /* One that has gone already is forgotten at once. */
        client = g_hash_table_lookup(lockd->clients, connection);
    }
    *ret_lockd = lockd;
    if (!client)
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the client has gone");
    else if (client->is_restricted)
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_DENIED,
                  "lock manager connection has been restricted");
    else
        return client;
    return NULL;
}

/* The owner for whom the connection speaks, a new reference. */
SUSPENDS static LockOwner *owner_of(Call *call, LockDaemon **ret_lockd, GError **error)
{
    const LockClient *client = client_of(call, ret_lockd, error);

    if (!client)
        return NULL;
    if (client->owner)
        return lock_owner_ref(client->owner);
    error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_INVALID,
              "lock owner details have not been registered");
    return NULL;
}

/* Whether process numbers mean the same to the peer and to us. */
static bool shares_pid_namespace(const Identity *identity)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/pid", (int)identity->pid);
    g_autofree char *theirs = identity->has_process ? g_file_read_link(path, NULL) : NULL;
    g_autofree char *ours = g_file_read_link("/proc/self/ns/pid", NULL);

    /* A user's daemon may not be told this of another's process, or the peer has gone. */
    if (!theirs || !ours)
        return identity->has_process;
    return strcmp(theirs, ours) == 0;
}

static bool register_owner(Call *call, const virLockSpaceProtocolRegisterArgs *args, none *ret,
                           GError **error)
{
    const virLockSpaceProtocolOwner *who = &args->owner;
    LockDaemon *lockd;
    Uuid uuid;

    if (!call_check_flags("virLockSpaceProtocolDispatchRegister", args->flags, 0, error))
        return false;
    LockClient *client = client_of(call, &lockd, error);
    if (!client)
        return false;
    if (who->pid > INT32_MAX) {
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INVALID_ARG,
                  "%u, of '%s', cannot be the number of a process", who->pid, who->name);
        return false;
    }
    memcpy(uuid.bytes, who->uuid, sizeof(uuid.bytes));
    pid_t pid = (pid_t)who->pid;
    const Identity *identity = client_get_identity(call_get_client(call));
    uint64_t start_time = pid == 0                           ? 0
                          : shares_pid_namespace(identity) ? process_start_time(pid)
                                                             : LOCK_OWNER_UNSEEN;
    g_autoptr(LockOwner) owner =
        lock_table_get_owner(lockd->table, &uuid, who->name, who->id, pid, start_time);
    if (!owner_watch(lockd, owner, error))
        return false;
    bool is_owners_own = identity->has_process && identity->pid == pid &&
                         identity->process_start_time == owner->start_time;
    lock_client_speak_for(lockd, client, g_steal_pointer(&owner), is_owners_own);
    return true;
}

static bool restrict_client(Call *call, const virLockSpaceProtocolRestrictArgs *args, none *ret,
                            GError **error)
{
    LockDaemon *lockd;

    if (!call_check_flags("virLockSpaceProtocolDispatchRestrict", args->flags, 0, error))
        return false;
    g_autoptr(LockOwner) owner = owner_of(call, &lockd, error);
    if (!owner)
        return false;
    LockClient *client = client_of(call, &lockd, error);
    if (client)
        client->is_restricted = true;
    return client != NULL;
}

static bool new_space(Call *call, const virLockSpaceProtocolNewArgs *args, none *ret,
                      GError **error)
{
    LockDaemon *lockd;

    if (!call_check_flags("virLockSpaceProtocolDispatchNew", args->flags, 0, error))
        return false;
    g_autoptr(LockOwner) owner = owner_of(call, &lockd, error);
    return owner && lockd_create_space(lockd, args->path, error);
}

/* What a hypervisor's daemon calls when it starts, for no guest in particular, and each time. */
static bool create_lock_space(Call *call, const virLockSpaceProtocolCreateLockSpaceArgs *args,
                              none *ret, GError **error)
{
    LockDaemon *lockd;

    if (!client_of(call, &lockd, error))
        return false;
    return lock_table_has_space(lockd->table, args->path) ||
           lockd_create_space(lockd, args->path, error);
}

static bool create_resource(Call *call, const virLockSpaceProtocolCreateResourceArgs *args,
                            none *ret, GError **error)
{
    LockDaemon *lockd;

    if (!call_check_flags("virLockSpaceProtocolDispatchCreateResource", args->flags, 0, error))
        return false;
    g_autoptr(LockOwner) owner = owner_of(call, &lockd, error);
    return owner && lockd_create_resource(lockd, args->path, args->name, error);
}

static bool delete_resource(Call *call, const virLockSpaceProtocolDeleteResourceArgs *args,
                            none *ret, GError **error)
{
    LockDaemon *lockd;

    if (!call_check_flags("virLockSpaceProtocolDispatchDeleteResource", args->flags, 0, error))
        return false;
    g_autoptr(LockOwner) owner = owner_of(call, &lockd, error);
    return owner && lockd_delete_resource(lockd, args->path, args->name, error);
}

static bool acquire_resource(Call *call, const virLockSpaceProtocolAcquireResourceArgs *args,
                             none *ret, GError **error)
{
    LockDaemon *lockd;

    if (!call_check_flags("virLockSpaceProtocolDispatchAcquireResource", args->flags,
                          ACQUIRE_SHARED | ACQUIRE_AUTOCREATE, error))
        return false;
    g_autoptr(LockOwner) owner = owner_of(call, &lockd, error);
    if (!owner || !lockd_acquire(lockd, owner, args->path, args->name,
                                 args->flags & ACQUIRE_SHARED, args->flags & ACQUIRE_AUTOCREATE,
                                 error))
        return false;
    if (!client_is_closed(call_get_client(call)))
        return true;
    /* Nobody will ever know that this lock was got. */
    if (lockd_release(lockd, owner, args->path, args->name, error))
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the client has gone");
    return false;
}

static bool release_resource(Call *call, const virLockSpaceProtocolReleaseResourceArgs *args,
                             none *ret, GError **error)
{
    LockDaemon *lockd;

    if (!call_check_flags("virLockSpaceProtocolDispatchReleaseResource", args->flags, 0, error))
        return false;
    g_autoptr(LockOwner) owner = owner_of(call, &lockd, error);
    return owner && lockd_release(lockd, owner, args->path, args->name, error);
}

static const Procedure procedures[] = {
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_REGISTER, register_owner,
              virLockSpaceProtocolRegisterArgs, none),
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_RESTRICT, restrict_client,
              virLockSpaceProtocolRestrictArgs, none),
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_NEW, new_space, virLockSpaceProtocolNewArgs, none),
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_CREATE_RESOURCE, create_resource,
              virLockSpaceProtocolCreateResourceArgs, none),
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_DELETE_RESOURCE, delete_resource,
              virLockSpaceProtocolDeleteResourceArgs, none),
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_ACQUIRE_RESOURCE, acquire_resource,
              virLockSpaceProtocolAcquireResourceArgs, none),
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_RELEASE_RESOURCE, release_resource,
              virLockSpaceProtocolReleaseResourceArgs, none),
    PROCEDURE(VIR_LOCK_SPACE_PROTOCOL_PROC_CREATE_LOCKSPACE, create_lock_space,
              virLockSpaceProtocolCreateLockSpaceArgs, none),
};

const ProcedureTable lock_procedures = { VIR_LOCK_SPACE_PROTOCOL_PROGRAM, procedures,
                                         G_N_ELEMENTS(procedures) };
