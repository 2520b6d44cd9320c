/* The client side of the protocol, for calls to sibling daemons from fibers: one
 * connection, any number of calls in flight on it, each with a deadline of its own. A
 * sibling that does not answer delays only those who wait for it.
 *
 * Frames that answer none of our calls (events, streams, what the router forwarded) go to
 * the owner. Nothing survives a restart, and nothing is connected again by itself. */
#pragma once

#include "common/channel.h"
#include "wire/codec.h"

typedef struct RpcClient RpcClient;

/* Our own calls have serials from here on; whoever forwards frames of others over the same
 * connection has the rest. */
#define RPC_CLIENT_FIRST_SERIAL 0x80000000U

/* Any of these may be NULL. They are called by the loop, not in a fiber. */
typedef struct RpcClientHandler {
    void (*message)(RpcClient *rpc, const Message *message, void *owner);
    /* Once, when the connection breaks by itself: @reason is NULL when the peer closed it.
     * Calls in flight have failed already. Not called after rpc_client_close(). */
    void (*closed)(RpcClient *rpc, const GError *reason, void *owner);
    void (*drained)(RpcClient *rpc, void *owner); /* see ChannelHandler */
} RpcClientHandler;

/* Connects to the unix socket @path; @handler may be NULL. Errors: those of
 * net_connect_unix(), and errno as there. */
SUSPENDS RpcClient *rpc_client_open(ChannelPool *pool, const char *path,
                                    const RpcClientHandler *handler, void *owner,
                                    uint64_t deadline_us, GError **error);
/* The same over a socket that is connected already; takes @socket. */
RpcClient *rpc_client_new(ChannelPool *pool, NetSocket *socket, const RpcClientHandler *handler,
                          void *owner, GError **error);
RpcClient *rpc_client_ref(RpcClient *rpc);
void rpc_client_unref(RpcClient *rpc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcClient, rpc_client_unref)
/* Ends the connection; calls in flight fail. */
void rpc_client_close(RpcClient *rpc);
bool rpc_client_is_closed(const RpcClient *rpc);
Channel *rpc_client_get_channel(RpcClient *rpc);

/* One call: its number, codecs and values. @ret must be zeroed and is filled on success,
 * to be freed by its codec. Both codecs may be NULL: no payload is sent, the payload of the
 * reply is not looked at. */
typedef struct RpcCall {
    uint32_t program, version;
    int32_t procedure;
    xdrproc_t args_codec, ret_codec;
    const void *args;
    void *ret;
    const int *fds; /* sent along, still the caller's */
    size_t n_fds;
    MessageFds *ret_fds; /* descriptors of the reply, the caller's; NULL: they are closed */
} RpcCall;

/* Calls and waits for the reply; many fibers may do so at once.
 * Errors: what the peer answered, as it is; RPC when the connection is or gets lost;
 * OPERATION_TIMEOUT at @deadline_us (the reply is dropped when it comes later). */
SUSPENDS bool rpc_client_call(RpcClient *rpc, const RpcCall *call, uint64_t deadline_us,
                              GError **error);

/* The same in two steps, so that several calls can be under way before the first wait.
 * Every reply has to be given to rpc_reply_wait() or rpc_reply_free(). */
typedef struct RpcReply RpcReply;
RpcReply *rpc_client_send(RpcClient *rpc, const RpcCall *call, GError **error);
/* Sends arguments that are encoded already. */
RpcReply *rpc_client_send_payload(RpcClient *rpc, const RpcCall *call, const uint8_t *payload,
                                  size_t length);
/* Waits for the answer to @call and frees @reply. */
SUSPENDS bool rpc_reply_wait(RpcReply *reply, const RpcCall *call, uint64_t deadline_us,
                             GError **error);
void rpc_reply_free(RpcReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcReply, rpc_reply_free)
