/* What goes where. A call keeps its bytes, serial included, on its way to the sibling: the
 * client's numbering and ours never mix, because our own calls on the same connection have
 * serials that start at RPC_CLIENT_FIRST_SERIAL. Only numbers of callbacks are changed on the
 * way. */
#include "common/router.h"

#include <string.h>

#include "base/error.h"
#include "common/daemon.h"
#include "common/router_callbacks.h"
#include "wire/remote.h"

/* Streams of one client at one sibling. */
#define MAX_STREAMS 256
/* A sibling that does not answer in this time fails the call of SET_IDENTITY, not the
 * connection. */
#define IDENTITY_DEADLINE_MS 30000

/* Calls about the connection that the driver, not the proxy, has the answer to. */
static bool proxy_wants_self(const Message *message)
{
    uint32_t feature;

    if (message->header.program != REMOTE_PROGRAM)
        return false;
    switch (message->header.procedure) {
    case REMOTE_PROC_CONNECT_GET_TYPE:
    case REMOTE_PROC_CONNECT_GET_URI:
    case REMOTE_PROC_CONNECT_GET_HOSTNAME:
        return true;
    case REMOTE_PROC_CONNECT_SUPPORTS_FEATURE:
        if (message->payload_length != sizeof(feature))
            return false;
        memcpy(&feature, message->payload, sizeof(feature));
        feature = GUINT32_FROM_BE(feature);
        /* How we talk (descriptors, keepalive, callbacks) is ours; migration is not. */
        return feature != 8 && feature != 10 && feature != 14 && feature != 15;
    default:
        return false;
    }
}

bool router_wants(const Client *client, const WireProcedure *wire, const Message *message)
{
    const DaemonSpec *spec = daemon_get_spec(client_get_daemon((Client *)client));

    if (!spec->routes_calls || !client->is_open)
        return false;
    if (wire->owner == WIRE_OWNER_SELF)
        return spec->is_proxy && proxy_wants_self(message);
    if (spec->is_proxy)
        return true;
    return wire->owner != WIRE_OWNER_PRIMARY && wire->owner != spec->owner;
}

/* Whom a call of @wire goes to. On a connection to a secondary driver everything goes to
 * that driver's daemon, which says what it does not support. */
static const Sibling *router_pick(const Client *client, const WireProcedure *wire)
{
    const Sibling *opened = sibling_find_uri(client->uri);

    if (opened && (opened->owner != WIRE_OWNER_DOMAIN || wire->owner == WIRE_OWNER_SELF ||
                   wire->owner == WIRE_OWNER_PRIMARY || wire->owner == WIRE_OWNER_DOMAIN))
        return opened;
    return sibling_find_owner((WireOwner)wire->owner);
}

/* Made at the first call that needs it; most clients of a hypervisor never need more than one
 * or two. */
static Upstream *router_get_upstream(Client *client, const Sibling *sibling)
{
    Upstream **place;

    if (!client->router)
        client->router = g_new0(RouterClient, 1);
    place = &client->router->upstreams[sibling - siblings];
    if (!*place)
        *place = upstream_new(client, sibling);
    return *place;
}

/* Entered before the call is answered: a client may send data right behind its call. */
static bool router_add_stream(Upstream *upstream, const Message *message, GError **error)
{
    gpointer key = GUINT_TO_POINTER(message->header.serial);
    guint n_streams = g_hash_table_size(upstream->streams);
    RouterStream *stream;

    if (n_streams >= MAX_STREAMS || g_hash_table_contains(upstream->streams, key)) {
        error_set(error, VIR_FROM_STREAMS, VIR_ERR_RESOURCE_BUSY,
                  "%u streams to %s are open on this connection, at most %d may be, each with a "
                  "serial of its own",
                  n_streams, upstream->sibling->program, MAX_STREAMS);
        return false;
    }
    stream = g_new0(RouterStream, 1);
    stream->header = message->header;
    g_hash_table_insert(upstream->streams, key, stream);
    return true;
}

/* A callback is taken back while its sibling is away: then it is gone already, or dropped as soon as
 * it is there again. The client need not wait for that. */
static void router_deregister_locally(Upstream *upstream, const Message *message, int32_t key)
{
    FrameHeader header = message->header;

    router_callbacks_take_back(upstream, key, &message->header);
    header.type = VIR_NET_REPLY;
    client_send_frame(upstream->client, &header, NULL, NULL, NULL, 0, NULL);
}

/* A deregister call has one word as its argument, the number, which is replaced by the
 * sibling's. */
static void router_send_call(Upstream *upstream, const Message *message, const RouterCall *call)
{
    struct iovec iov[2] = { { (void *)message->bytes, message->length } };
    RouterCallback *callback;
    uint32_t number;

    if (call->wire->kind != WIRE_DEREGISTER) {
        upstream_send(upstream, iov, 1, message);
        return;
    }
    callback = router_callbacks_find(upstream, call->callback);
    number = GUINT32_TO_BE((uint32_t)callback->sibling_number);
    iov[0].iov_len = message->length - sizeof(number);
    iov[1] = (struct iovec){ &number, sizeof(number) };
    upstream_send(upstream, iov, 2, message);
}

static bool router_forward_call(Upstream *upstream, const WireProcedure *wire,
                                const Message *message, GError **error)
{
    RouterCall call = { .header = message->header, .wire = wire,
                        .charged_bytes = message->length, .n_fds = message->fds->n_fds };
    RouterCall *kept;

    if (wire->kind == WIRE_DEREGISTER && message->payload_length != sizeof(uint32_t)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "the arguments of %s are one number",
                  wire_procedure_title(wire));
        return false;
    }
    /* What this reserves of the client's account goes with the call from here on. */
    if (!router_callbacks_classify(upstream, wire, message, &call, error))
        return false;
    if (wire->kind == WIRE_DEREGISTER &&
        (upstream->state != UPSTREAM_OPEN ||
         router_callbacks_find(upstream, call.callback)->sibling_number < 0)) {
        router_deregister_locally(upstream, message, call.callback);
        return true;
    }
    if (wire->stream != WIRE_STREAM_NONE && !router_add_stream(upstream, message, error))
        return false;
    /* Accounted for before it is sent: sending may fail all calls of the upstream, and free
     * this one. */
    kept = g_memdup2(&call, sizeof(call));
    upstream_add_call(upstream, kept);
    router_send_call(upstream, message, kept);
    return true;
}

/* In the loop, straight from the receive buffer: never waits. What cannot be sent yet is kept
 * by the upstream. */
void router_forward(Client *client, const WireProcedure *wire, const Message *message)
{
    const Sibling *sibling = router_pick(client, wire);
    g_autoptr(GError) error = NULL;

    if (!sibling)
        error_set(&error, VIR_FROM_RPC, VIR_ERR_NO_SUPPORT, "%s", wire_procedure_title(wire));
    else if (router_forward_call(router_get_upstream(client, sibling), wire, message, &error))
        return;
    client_send_error(client, &message->header, error);
}

/* A sibling that does not take what a stream sends: the client is not read from. */
static void router_check_pressure(Upstream *upstream)
{
    size_t n_bytes = upstream->pending_stream_bytes;

    if (upstream->state == UPSTREAM_OPEN)
        n_bytes = channel_get_queued_bytes(rpc_client_get_channel(upstream->rpc));
    if (n_bytes <= CHANNEL_HIGH_WATER_BYTES || upstream->has_paused_client)
        return;
    upstream->has_paused_client = true;
    channel_pause(upstream->client->channel);
}

/* A client has few upstreams; each knows its streams by serial. */
bool router_forward_stream(Client *client, const Message *message)
{
    struct iovec iov = { (void *)message->bytes, message->length };

    for (size_t i = 0; client->router && i < n_siblings; i++) {
        Upstream *upstream = client->router->upstreams[i];
        RouterStream *stream = NULL;

        if (upstream)
            stream = g_hash_table_lookup(upstream->streams,
                                         GUINT_TO_POINTER(message->header.serial));
        if (!stream || stream->header.program != message->header.program ||
            stream->header.procedure != message->header.procedure)
            continue;
        upstream_send(upstream, &iov, 1, message);
        router_check_pressure(upstream);
        return true;
    }
    return false;
}

bool router_open(Client *client, const char *uri, GError **error)
{
    const Sibling *sibling = sibling_find_uri(uri);
    Upstream *upstream;

    if (!sibling) {
        g_set_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_NO_CONNECT,
                    "no connection driver available for %s", uri);
        return false;
    }
    if (client->has_closed) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_ABORTED, "the client has gone");
        return false;
    }
    upstream = router_get_upstream(client, sibling);
    return upstream_open_now(upstream, error);
}

/* One after the other. An upstream that is just being opened finds the new identity by itself
 * at the end of that, see upstream_update_identity(). */
/* The connection @rpc may have been replaced by now, or gone with the client. */
static void drop_connection(Client *client, size_t i, const RpcClient *rpc, const GError *cause)
{
    Upstream *upstream = client->router ? client->router->upstreams[i] : NULL;

    if (upstream && upstream->rpc == rpc)
        upstream_lose(upstream, cause);
}

bool router_set_identity(Client *client, GError **error)
{
    GError *first = NULL;

    for (size_t i = 0; client->router && i < n_siblings; i++) {
        Upstream *upstream = client->router->upstreams[i];
        g_autoptr(Identity) identity = identity_copy(client_get_identity(client));
        g_autoptr(RpcClient) rpc = NULL;
        g_autoptr(GError) cause = NULL;

        if (!upstream || upstream->state != UPSTREAM_OPEN)
            continue;
        /* The client may go in the wait, and its upstreams with it; client->router is read
         * anew each time round. */
        rpc = rpc_client_ref(upstream->rpc);
        if (sibling_set_identity(rpc, identity, client->is_read_only,
                                 fiber_deadline_ms(IDENTITY_DEADLINE_MS), &cause))
            continue;
        drop_connection(client, i, rpc, cause);
        if (!first)
            first = g_steal_pointer(&cause);
    }
    if (first)
        g_propagate_error(error, first);
    return !first;
}

/* Callbacks first: they look at their upstreams. client->router must stay until the upstreams
 * have settled their accounts in it. */
void router_client_closed(Client *client)
{
    RouterClient *router = client->router;

    if (!router)
        return;
    g_clear_pointer(&router->callbacks, g_hash_table_unref);
    for (size_t i = 0; i < n_siblings; i++) {
        if (router->upstreams[i])
            upstream_end(g_steal_pointer(&router->upstreams[i]));
    }
    client->router = NULL;
    g_free(router);
}

/* The counterpart of the pause in router_reply.c. */
void router_client_on_drained(Client *client)
{
    for (size_t i = 0; client->router && i < n_siblings; i++) {
        Upstream *upstream = client->router->upstreams[i];

        if (!upstream || !upstream->is_paused)
            continue;
        upstream->is_paused = false;
        channel_resume(rpc_client_get_channel(upstream->rpc));
    }
}
