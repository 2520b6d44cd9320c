/* Locks by way of virtlockd. Each operation is a connection of its own, since virtlockd takes what
 * is said on one to be about the owner that was named first. The guest's process has a further
 * one, which QEMU inherits and never uses: it ends with QEMU, whatever has become of this daemon. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "common/sibling.h"
#include "virtqemud/lock/lock_manager.h"
#include "virtqemud/lock/lockd_plan.h"
#include "wire/lock.h"

#include "base/log.h"

LOG_INIT("qemu.lock.lockd");

/* Flags of ACQUIRE_RESOURCE, as existing daemons send them. */
#define ACQUIRE_SHARED 1
#define ACQUIRE_MAKES_FILE 2

typedef struct Session {
    RpcClient *rpc;
    uint64_t deadline_us;
    const LockOwner *owner;
} Session;

static void session_clear(Session *session)
{
    if (session->rpc)
        rpc_client_close(session->rpc);
    g_clear_pointer(&session->rpc, rpc_client_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

/* ---- Calls ---- */

static RpcCall call_of(int procedure, xdrproc_t codec, const void *args)
{
    return (RpcCall){ .program = VIR_LOCK_SPACE_PROTOCOL_PROGRAM,
                      .version = VIR_LOCK_SPACE_PROTOCOL_PROGRAM_VERSION,
                      .procedure = procedure,
                      .args_codec = codec,
                      .args = args };
}

SUSPENDS static bool session_call(Session *session, int procedure, xdrproc_t codec,
                                  const void *args, GError **error)
{
    RpcCall call = call_of(procedure, codec, args);
    GError *reason = NULL;

    if (rpc_client_call(session->rpc, &call, session->deadline_us, &reason))
        return true;
    if (reason->code == VIR_ERR_OPERATION_TIMEOUT) {
        error_set(error, VIR_FROM_LOCKING, VIR_ERR_OPERATION_TIMEOUT,
                  "virtlockd, which owns the locks of guests, does not answer");
        g_error_free(reason);
    } else {
        g_propagate_error(error, reason);
    }
    return false;
}

SUSPENDS static bool session_register(Session *session, GError **error)
{
    const LockOwner *owner = session->owner;
    virLockSpaceProtocolRegisterArgs args = {
        .owner = { .name = (char *)owner->name,
                   .id = (unsigned)owner->id,
                   .pid = (unsigned)owner->pid },
    };

    memcpy(args.owner.uuid, owner->uuid, sizeof(args.owner.uuid));
    return session_call(session, VIR_LOCK_SPACE_PROTOCOL_PROC_REGISTER,
                        XDR_PROC(virLockSpaceProtocolRegisterArgs), &args, error);
}

SUSPENDS static bool session_open(Session *session, Driver *driver, GError **error)
{
    session->rpc = sibling_connect(driver->daemon, &sibling_lock, NULL, NULL,
                                   session->deadline_us, error);
    return session->rpc && session_register(session, error);
}

/* ---- One lock ---- */

SUSPENDS static bool acquire_once(Session *session, const LockRequest *request, GError **error)
{
    virLockSpaceProtocolAcquireResourceArgs args = {
        .path = request->space,
        .name = request->name,
        .flags = (request->is_shared ? ACQUIRE_SHARED : 0) |
                 (request->makes_file ? ACQUIRE_MAKES_FILE : 0),
    };

    return session_call(session, VIR_LOCK_SPACE_PROTOCOL_PROC_ACQUIRE_RESOURCE,
                        XDR_PROC(virLockSpaceProtocolAcquireResourceArgs), &args, error);
}

SUSPENDS static bool release_one(Session *session, const LockRequest *request, GError **error)
{
    virLockSpaceProtocolReleaseResourceArgs args = { request->space, request->name, 0 };

    return session_call(session, VIR_LOCK_SPACE_PROTOCOL_PROC_RELEASE_RESOURCE,
                        XDR_PROC(virLockSpaceProtocolReleaseResourceArgs), &args, error);
}

/* virtlockd has no lock spaces before somebody makes them, and says no more than an internal error
 * for one that it has already: whether this was of use shows when something is locked. */
SUSPENDS static void make_space(Session *session, const char *space)
{
    virLockSpaceProtocolCreateLockSpaceArgs args = { (char *)space };
    g_autoptr(GError) error = NULL;

    if (!session_call(session, VIR_LOCK_SPACE_PROTOCOL_PROC_CREATE_LOCKSPACE,
                      XDR_PROC(virLockSpaceProtocolCreateLockSpaceArgs), &args, &error))
        LOG_DEBUG("lock space %s: %s", space, error->message);
}

/* The folder of a lease is the operator's to make: a shared file system that is not mounted must
 * not become an empty folder in which everybody gets every lock. */
SUSPENDS static bool check_lease_folder(Driver *driver, Session *session,
                                        const LockRequest *request, GError **error)
{
    g_auto(FileAnswer) answer = { 0 };

    if (!file_workers_call(driver->file_workers, FILE_OP_HEAD, 0, request->space, NULL, NULL,
                           session->deadline_us, &answer, error))
        return false;
    if (answer.reply.errnum == 0 && !S_ISDIR(answer.reply.mode))
        answer.reply.errnum = ENOTDIR;
    if (answer.reply.errnum == 0)
        return true;
    error_set_errno(error, VIR_FROM_LOCKING, answer.reply.errnum,
                    "the folder of its lock space, %s (target and lockspace), cannot be used",
                    request->space);
    return false;
}

/* A lease's file is made if need be, and stays. */
SUSPENDS static bool acquire_lease(Driver *driver, Session *session, const LockRequest *request,
                                   GError **error)
{
    virLockSpaceProtocolCreateResourceArgs args = { request->space, request->name, 0 };
    g_autoptr(GError) reason = NULL;

    if (!check_lease_folder(driver, session, request, error))
        return false;
    make_space(session, request->space);
    if (acquire_once(session, request, &reason))
        return true;
    if (reason->code != VIR_ERR_SYSTEM_ERROR) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    return session_call(session, VIR_LOCK_SPACE_PROTOCOL_PROC_CREATE_RESOURCE,
                        XDR_PROC(virLockSpaceProtocolCreateResourceArgs), &args, error) &&
           acquire_once(session, request, error);
}

SUSPENDS static bool acquire_one(Driver *driver, Session *session, const LockRequest *request,
                                 GError **error)
{
    GError *reason = NULL;

    if (*request->space && !request->is_lease)
        make_space(session, request->space);
    if (request->is_lease ? acquire_lease(driver, session, request, &reason)
                          : acquire_once(session, request, &reason))
        return true;
    error_set(error, VIR_FROM_LOCKING, (ErrorCode)reason->code,
              "%s of domain '%s' cannot be locked in %s%s: %s", request->subject,
              session->owner->name, *request->space ? "lock space " : "the direct lock space",
              request->space, error_detail(reason));
    g_error_free(reason);
    return false;
}

/* ---- The manager ---- */

static bool acquire(Driver *driver, const LockOwner *owner, const GPtrArray *requests,
                    uint64_t deadline_us, GError **error)
{
    g_auto(Session) session = { .deadline_us = deadline_us, .owner = owner };

    if (!session_open(&session, driver, error))
        return false;
    for (guint i = 0; i < requests->len; i++) {
        if (acquire_one(driver, &session, g_ptr_array_index(requests, i), error))
            continue;
        while (i-- > 0)
            release_one(&session, g_ptr_array_index(requests, i), NULL);
        return false;
    }
    return true;
}

/* Nobody has the lock, or somebody else, who could only get it when the owner had it no more. */
static bool is_gone(const GError *reason)
{
    return reason->code == VIR_ERR_RESOURCE_BUSY ||
           (reason->code == VIR_ERR_INTERNAL_ERROR && strstr(reason->message, "does not hold"));
}

static bool release(Driver *driver, const LockOwner *owner, const GPtrArray *requests,
                    uint64_t deadline_us, GError **error)
{
    g_auto(Session) session = { .deadline_us = deadline_us, .owner = owner };
    bool is_good = session_open(&session, driver, error);

    for (guint i = 0; session.rpc && i < requests->len; i++) {
        g_autoptr(GError) reason = NULL;

        if (release_one(&session, g_ptr_array_index(requests, i), &reason) || is_gone(reason))
            continue;
        if (is_good)
            g_propagate_error(error, g_steal_pointer(&reason));
        is_good = false;
    }
    return is_good;
}

/* By connecting: the error is the one that names what to start. */
static char *find_socket(Driver *driver, uint64_t deadline_us, GError **error)
{
    g_autoptr(RpcClient) rpc =
        sibling_connect(driver->daemon, &sibling_lock, NULL, NULL, deadline_us, error);

    return rpc ? sibling_socket_path(driver->daemon, &sibling_lock, false, error) : NULL;
}

/* Restricted: QEMU, which has this connection, could give back what it holds otherwise. */
static bool enter(Driver *driver, const LockOwner *owner, int socket_fd, uint64_t deadline_us,
                  GError **error)
{
    static const virLockSpaceProtocolRestrictArgs args = { 0 };
    g_auto(Session) session = { .deadline_us = deadline_us, .owner = owner };

    session.rpc = rpc_client_new(daemon_get_channel_pool(driver->daemon),
                                 net_socket_new(socket_fd), NULL, NULL, error);
    return session.rpc && session_register(&session, error) &&
           session_call(&session, VIR_LOCK_SPACE_PROTOCOL_PROC_RESTRICT,
                        XDR_PROC(virLockSpaceProtocolRestrictArgs), &args, error);
}

const LockManager lock_manager_lockd = {
    .name = "lockd",
    .plan = lockd_plan,
    .find_socket = find_socket,
    .enter = enter,
    .acquire = acquire,
    .release = release,
};
