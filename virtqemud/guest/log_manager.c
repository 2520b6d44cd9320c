/* Calls to virtlogd. A connection that was lost is noticed by the call that uses it next: that one
 * is made once more over a new connection, since virtlogd has kept all that it was told. */
#include "virtqemud/guest/log_manager.h"

#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "common/sibling.h"
#include "wire/log.h"

#define DRIVER "qemu"
/* A file whose last writer has just gone may be taken for open a moment longer. */
#define BUSY_STEP_MS 50
#define BUSY_STEPS 20

struct LogManager {
    Daemon *daemon;
    RpcClient *rpc; /* NULL: not connected */
};

LogManager *log_manager_new(Daemon *daemon)
{
    LogManager *manager = g_new0(LogManager, 1);

    manager->daemon = daemon;
    return manager;
}

static void forget_connection(LogManager *manager)
{
    RpcClient *rpc = g_steal_pointer(&manager->rpc);

    if (!rpc)
        return;
    rpc_client_close(rpc);
    rpc_client_unref(rpc);
}

void log_manager_free(LogManager *manager)
{
    if (!manager)
        return;
    forget_connection(manager);
    g_free(manager);
}

/* A reference. Several may connect at the same time: the first that succeeds serves all. */
SUSPENDS static RpcClient *get_connection(LogManager *manager, uint64_t deadline_us, GError **error)
{
    g_autoptr(RpcClient) rpc = NULL;

    if (manager->rpc && rpc_client_is_closed(manager->rpc))
        forget_connection(manager);
    if (manager->rpc)
        return rpc_client_ref(manager->rpc);
    rpc = sibling_connect(manager->daemon, &sibling_log, NULL, NULL, deadline_us, error);
    if (rpc && !manager->rpc)
        manager->rpc = rpc_client_ref(rpc);
    return g_steal_pointer(&rpc);
}

SUSPENDS static bool call_once(LogManager *manager, RpcCall *call, uint64_t deadline_us,
                               bool *ret_is_lost, GError **error)
{
    g_autoptr(RpcClient) rpc = get_connection(manager, deadline_us, error);
    GError *reason = NULL;

    *ret_is_lost = false;
    if (!rpc)
        return false;
    if (rpc_client_call(rpc, call, deadline_us, &reason))
        return true;
    *ret_is_lost = rpc_client_is_closed(rpc);
    if (reason->code == VIR_ERR_OPERATION_TIMEOUT) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
                  "virtlogd, which owns the logs of guests, does not answer");
        g_error_free(reason);
    } else {
        g_propagate_error(error, reason);
    }
    return false;
}

SUSPENDS static bool call(LogManager *manager, RpcCall *call, uint64_t deadline_us, GError **error)
{
    g_autoptr(GError) reason = NULL;
    bool is_lost;

    call->program = VIR_LOG_MANAGER_PROTOCOL_PROGRAM;
    call->version = VIR_LOG_MANAGER_PROTOCOL_PROGRAM_VERSION;
    if (call_once(manager, call, deadline_us, &is_lost, &reason) ||
        (is_lost && call_once(manager, call, deadline_us, &is_lost, error)))
        return true;
    if (error && !*error)
        g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

static void domain_set(virLogManagerProtocolDomain *domain, const LogOwner *owner)
{
    memcpy(domain->uuid, owner->uuid, sizeof(domain->uuid));
    domain->name = (char *)owner->name;
}

SUSPENDS static int open_once(LogManager *manager, const LogOwner *owner, const char *path,
                              bool is_emptied, uint64_t deadline_us, GError **error)
{
    virLogManagerProtocolDomainOpenLogFileArgs args = {
        .driver = (char *)DRIVER,
        .path = (char *)path,
        .flags = is_emptied ? VIR_LOG_MANAGER_PROTOCOL_DOMAIN_OPEN_LOG_FILE_TRUNCATE : 0,
    };
    virLogManagerProtocolDomainOpenLogFileRet ret = { 0 };
    MessageFds fds = { 0 };
    RpcCall open = {
        .procedure = VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_OPEN_LOG_FILE,
        .args_codec = XDR_PROC(virLogManagerProtocolDomainOpenLogFileArgs),
        .args = &args,
        .ret_codec = XDR_PROC(virLogManagerProtocolDomainOpenLogFileRet),
        .ret = &ret,
        .ret_fds = &fds,
    };

    domain_set(&args.dom, owner);
    if (!call(manager, &open, deadline_us, error))
        return -1;
    if (fds.n_fds == 1)
        return fds.fds[0];
    message_fds_close(&fds);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "virtlogd gave %zu descriptors for the log '%s', not 1", fds.n_fds, path);
    return -1;
}

int log_manager_open(LogManager *manager, const LogOwner *owner, const char *path,
                     bool is_emptied, uint64_t deadline_us, GError **error)
{
    for (int step = 0;; step++) {
        GError *reason = NULL;
        int fd = open_once(manager, owner, path, is_emptied, deadline_us, &reason);

        if (fd >= 0)
            return fd;
        if (step == BUSY_STEPS || !strstr(reason->message, g_strerror(EBUSY)) ||
            !fiber_sleep(BUSY_STEP_MS * 1000, NULL)) {
            g_propagate_error(error, reason);
            return -1;
        }
        g_error_free(reason);
    }
}

bool log_manager_append(LogManager *manager, const LogOwner *owner, const char *path,
                        const char *text, uint64_t deadline_us, GError **error)
{
    virLogManagerProtocolDomainAppendLogFileArgs args = {
        .driver = (char *)DRIVER,
        .path = (char *)path,
        .message = (char *)text,
    };
    virLogManagerProtocolDomainAppendLogFileRet ret = { 0 };
    RpcCall append = {
        .procedure = VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_APPEND_LOG_FILE,
        .args_codec = XDR_PROC(virLogManagerProtocolDomainAppendLogFileArgs),
        .args = &args,
        .ret_codec = XDR_PROC(virLogManagerProtocolDomainAppendLogFileRet),
        .ret = &ret,
    };

    domain_set(&args.dom, owner);
    return call(manager, &append, deadline_us, error);
}

bool log_manager_get_position(LogManager *manager, const char *path, LogPosition *ret_position,
                              uint64_t deadline_us, GError **error)
{
    virLogManagerProtocolDomainGetLogFilePositionArgs args = { .path = (char *)path };
    virLogManagerProtocolDomainGetLogFilePositionRet ret = { 0 };
    RpcCall get = {
        .procedure = VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_GET_LOG_FILE_POSITION,
        .args_codec = XDR_PROC(virLogManagerProtocolDomainGetLogFilePositionArgs),
        .args = &args,
        .ret_codec = XDR_PROC(virLogManagerProtocolDomainGetLogFilePositionRet),
        .ret = &ret,
    };

    if (!call(manager, &get, deadline_us, error))
        return false;
    *ret_position = (LogPosition){ ret.pos.inode, ret.pos.offset };
    return true;
}

char *log_manager_read(LogManager *manager, const char *path, const LogPosition *position,
                       uint64_t max_bytes, uint64_t deadline_us, GError **error)
{
    virLogManagerProtocolDomainReadLogFileArgs args = {
        .path = (char *)path,
        .pos = { position->inode, position->offset },
        .maxlen = max_bytes,
    };
    virLogManagerProtocolDomainReadLogFileRet ret = { 0 };
    RpcCall read = {
        .procedure = VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_READ_LOG_FILE,
        .args_codec = XDR_PROC(virLogManagerProtocolDomainReadLogFileArgs),
        .args = &args,
        .ret_codec = XDR_PROC(virLogManagerProtocolDomainReadLogFileRet),
        .ret = &ret,
    };
    char *text;

    if (!call(manager, &read, deadline_us, error))
        return NULL;
    text = g_strdup(ret.data);
    codec_free(XDR_PROC(virLogManagerProtocolDomainReadLogFileRet), &ret);
    return text;
}
