/* Opening a connection to a sibling. */
#include <errno.h>

#include "base/error.h"
#include "common/sibling.h"
#include "wire/api_host.h"
#include "wire/remote.h"
#include "wire/remote_connect.h"

#include "base/log.h"

LOG_INIT("rpc.sibling");

#define FEATURE_KEEPALIVE 10

/* What a handshake sends, in this order. */
typedef enum HandshakeStep {
    STEP_AUTH_LIST,
    STEP_OPEN,
    STEP_SET_IDENTITY,
    STEP_KEEPALIVE,
    N_STEPS,
} HandshakeStep;

typedef struct Handshake {
    const Sibling *sibling;
    RpcClient *rpc;
    uint64_t deadline_us;
    bool is_read_only;
    RpcCall calls[N_STEPS];
    RpcReply *replies[N_STEPS];
    remote_auth_list_ret auth;
    remote_connect_supports_feature_ret keepalive;
} Handshake;

/* Replies that were not waited for are dropped when they come. */
static void handshake_clear(Handshake *handshake)
{
    for (int i = 0; i < N_STEPS; i++)
        rpc_reply_free(handshake->replies[i]);
    rpc_client_unref(handshake->rpc);
    codec_free(XDR_PROC(remote_auth_list_ret), &handshake->auth);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Handshake, handshake_clear)

/* A step whose procedure is 0 is left out. */
static bool handshake_send(Handshake *handshake, HandshakeStep step, GError **error)
{
    RpcCall *call = &handshake->calls[step];

    if (call->procedure == 0)
        return true;
    call->program = REMOTE_PROGRAM;
    call->version = REMOTE_PROTOCOL_VERSION;
    handshake->replies[step] = rpc_client_send(handshake->rpc, call, error);
    return handshake->replies[step] != NULL;
}

/* A sibling that carries out the calls of one connection side by side may look at the
 * second before the first is done, and refuse it. Then the step is made once more, now that
 * those before it are known to be over. */
SUSPENDS static bool handshake_step(Handshake *handshake, HandshakeStep step, GError **error)
{
    RpcCall *call = &handshake->calls[step];
    g_autoptr(GError) refusal = NULL;

    if (call->procedure == 0)
        return true;
    if (rpc_reply_wait(g_steal_pointer(&handshake->replies[step]), call, handshake->deadline_us,
                       &refusal))
        return true;
    if (rpc_client_is_closed(handshake->rpc) || refusal->code == VIR_ERR_OPERATION_TIMEOUT ||
        refusal->code == VIR_ERR_OPERATION_ABORTED || step == STEP_AUTH_LIST) {
        g_propagate_error(error, g_steal_pointer(&refusal));
        return false;
    }
    return handshake_send(handshake, step, error) &&
           rpc_reply_wait(g_steal_pointer(&handshake->replies[step]), call,
                          handshake->deadline_us, error);
}

/* Siblings offer "none" to root and to those whose configuration says so; passwords and agents
 * are for people. */
static bool handshake_check_auth(const Handshake *handshake, GError **error)
{
    for (u_int i = 0; i < handshake->auth.types.types_len; i++) {
        if (handshake->auth.types.types_val[i] == REMOTE_AUTH_NONE)
            return true;
    }
    error_set(error, VIR_FROM_RPC, VIR_ERR_AUTH_UNAVAILABLE,
              "%s wants this daemon to authenticate itself, which it cannot: let it run as root, "
              "or set auth_unix_rw (auth_unix_ro) to \"none\" in %s.conf",
              handshake->sibling->program, handshake->sibling->program);
    return false;
}

/* Whether a sibling may go on without knowing for whom it works: one that is too old to be
 * told, and one that tells nobody anything but what anybody may see. */
static bool identity_is_optional(const GError *refusal, bool is_read_only)
{
    return refusal->code == VIR_ERR_NO_SUPPORT ||
           (is_read_only && refusal->code == VIR_ERR_OPERATION_DENIED);
}

/* Going on without it would carry out the client's calls in our own name, which has more
 * rights: that is only allowed where it makes no difference. */
SUSPENDS static bool handshake_identity(Handshake *handshake, GError **error)
{
    g_autoptr(GError) refusal = NULL;

    if (handshake_step(handshake, STEP_SET_IDENTITY, &refusal))
        return true;
    if (rpc_client_is_closed(handshake->rpc) ||
        !identity_is_optional(refusal, handshake->is_read_only)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&refusal),
                                   "%s does not let this daemon speak for its clients: ",
                                   handshake->sibling->program);
        return false;
    }
    LOG_DEBUG("%s was not told for whom it works: %s", handshake->sibling->program,
              refusal->message);
    return true;
}

SUSPENDS static bool handshake_run(Handshake *handshake, GError **error)
{
    Channel *channel = rpc_client_get_channel(handshake->rpc);

    channel_cork(channel);
    for (int step = 0; step < N_STEPS; step++) {
        if (!handshake_send(handshake, step, error)) {
            channel_uncork(channel);
            return false;
        }
    }
    channel_uncork(channel);
    return handshake_step(handshake, STEP_AUTH_LIST, error) &&
           handshake_check_auth(handshake, error) &&
           handshake_step(handshake, STEP_OPEN, error) && handshake_identity(handshake, error) &&
           handshake_step(handshake, STEP_KEEPALIVE, error);
}

/* Names what is missing and what to do about it; errno's text stays last. */
static void sibling_set_missing(const Daemon *daemon, const Sibling *sibling, const char *path,
                                int reason, GError **error)
{
    const char *program = sibling->program;

    if (reason != ENOENT && reason != ECONNREFUSED)
        error_set_errno(error, VIR_FROM_RPC, reason,
                        "Failed to connect socket to '%s' of %s, which owns %s", path, program,
                        sibling->what);
    else if (daemon_get_paths(daemon)->is_session)
        error_set_errno(error, VIR_FROM_RPC, reason,
                        "Failed to connect socket to '%s': %s, which owns %s, is not running "
                        "(start the program %s)",
                        path, program, sibling->what, program);
    else
        error_set_errno(error, VIR_FROM_RPC, reason,
                        "Failed to connect socket to '%s': %s, which owns %s, is not running "
                        "(start %s.socket, or the program %s)",
                        path, program, sibling->what, program, program);
}

/* Nobody is started from here: socket activation does that where it is wanted. */
SUSPENDS static RpcClient *sibling_connect_socket(Daemon *daemon, const Sibling *sibling,
                                                  bool is_read_only,
                                                  const RpcClientHandler *handler, void *owner,
                                                  uint64_t deadline_us, GError **error)
{
    g_autofree char *path = sibling_socket_path(daemon, sibling, is_read_only, error);
    RpcClient *rpc;

    if (!path)
        return NULL;
    rpc = rpc_client_open(daemon_get_channel_pool(daemon), path, handler, owner, deadline_us,
                          NULL);
    if (!rpc)
        sibling_set_missing(daemon, sibling, path, errno, error);
    return rpc;
}

RpcClient *sibling_connect(Daemon *daemon, const Sibling *sibling, const RpcClientHandler *handler,
                           void *owner, uint64_t deadline_us, GError **error)
{
    return sibling_connect_socket(daemon, sibling, false, handler, owner, deadline_us, error);
}

/* What the sibling answered is its own to say; for the rest it is named. */
static void handshake_set_failure(const Handshake *handshake, GError *cause, GError **error)
{
    const char *program = handshake->sibling->program;

    if (rpc_client_is_closed(handshake->rpc)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC,
                  "connection to %s was lost while it was being opened: %s", program,
                  error_detail(cause));
    } else if (cause->code == VIR_ERR_OPERATION_TIMEOUT) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_TIMEOUT,
                  "%s has accepted a connection and does not answer", program);
    } else {
        g_propagate_error(error, cause);
        return;
    }
    g_error_free(cause);
}

/* Fills in what the steps say. */
static void handshake_prepare(Handshake *handshake, const remote_connect_open_args *open,
                              const remote_connect_set_identity_args *identity,
                              bool has_keepalive)
{
    static const remote_connect_supports_feature_args feature = { FEATURE_KEEPALIVE };

    handshake->calls[STEP_AUTH_LIST] = (RpcCall){
        .procedure = REMOTE_PROC_AUTH_LIST,
        .ret_codec = XDR_PROC(remote_auth_list_ret),
        .ret = &handshake->auth,
    };
    handshake->calls[STEP_OPEN] = (RpcCall){
        .procedure = REMOTE_PROC_CONNECT_OPEN,
        .args_codec = XDR_PROC(remote_connect_open_args),
        .args = open,
    };
    if (identity)
        handshake->calls[STEP_SET_IDENTITY] = (RpcCall){
            .procedure = REMOTE_PROC_CONNECT_SET_IDENTITY,
            .args_codec = XDR_PROC(remote_connect_set_identity_args),
            .args = identity,
        };
    if (has_keepalive)
        handshake->calls[STEP_KEEPALIVE] = (RpcCall){
            .procedure = REMOTE_PROC_CONNECT_SUPPORTS_FEATURE,
            .args_codec = XDR_PROC(remote_connect_supports_feature_args),
            .args = &feature,
            .ret_codec = XDR_PROC(remote_connect_supports_feature_ret),
            .ret = &handshake->keepalive,
        };
}

static void identity_to_args(const Identity *identity, remote_connect_set_identity_args *args)
{
    g_autoptr(TypedParams) params = typed_params_new();

    identity_to_params(identity, params);
    typed_params_steal(params, &args->params.params_val, &args->params.params_len);
}

bool sibling_open(Daemon *daemon, const SiblingOpen *open, uint64_t deadline_us,
                  RpcClient **ret_rpc, GError **error)
{
    /* A copy: the configuration may be loaded again while we wait. */
    const ConfigLimits limits = daemon_get_config(daemon)->limits;
    g_autofree char *own_uri = sibling_uri(daemon, open->sibling);
    char *uri = open->uri ? (char *)open->uri : own_uri;
    remote_connect_open_args open_args = { &uri, open->is_read_only ? VIR_CONNECT_RO : 0 };
    remote_connect_set_identity_args identity = { 0 };
    g_auto(Handshake) handshake = {
        .sibling = open->sibling,
        .deadline_us = deadline_us,
        .is_read_only = open->is_read_only,
    };
    GError *cause = NULL;
    bool is_open;

    handshake.rpc = sibling_connect_socket(daemon, open->sibling, open->is_read_only, open->handler,
                                           open->owner, deadline_us, error);
    if (!handshake.rpc)
        return false;
    *ret_rpc = rpc_client_ref(handshake.rpc);
    if (open->identity)
        identity_to_args(open->identity, &identity);
    handshake_prepare(&handshake, &open_args, open->identity ? &identity : NULL,
                      limits.keepalive_interval_s > 0);
    is_open = handshake_run(&handshake, &cause);
    codec_free(XDR_PROC(remote_connect_set_identity_args), &identity);
    if (!is_open) {
        handshake_set_failure(&handshake, cause, error);
        return false;
    }
    if (handshake.keepalive.supported)
        channel_set_keepalive(rpc_client_get_channel(handshake.rpc),
                              (unsigned)limits.keepalive_interval_s, limits.keepalive_count);
    return true;
}

bool sibling_set_identity(RpcClient *rpc, const Identity *identity, bool is_read_only,
                          uint64_t deadline_us, GError **error)
{
    remote_connect_set_identity_args args = { 0 };
    g_autoptr(GError) refusal = NULL;
    RpcCall call = {
        .program = REMOTE_PROGRAM,
        .version = REMOTE_PROTOCOL_VERSION,
        .procedure = REMOTE_PROC_CONNECT_SET_IDENTITY,
        .args_codec = XDR_PROC(remote_connect_set_identity_args),
        .args = &args,
    };
    bool is_set;

    identity_to_args(identity, &args);
    is_set = rpc_client_call(rpc, &call, deadline_us, &refusal) ||
             identity_is_optional(refusal, is_read_only);
    codec_free(XDR_PROC(remote_connect_set_identity_args), &args);
    if (!is_set)
        g_propagate_error(error, g_steal_pointer(&refusal));
    return is_set;
}
