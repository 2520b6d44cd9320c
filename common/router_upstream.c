/* The life of one client's connection to one sibling: CLOSED → OPENING → OPEN, and back to
 * CLOSED whenever it breaks. */
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"

#include "base/error.h"
#include "common/daemon.h"
#include "common/router_callbacks.h"
#include "common/server_private.h"

#include "base/log.h"

LOG_INIT("rpc.router");

/* A sibling is there at once or not at all; this is for one that was stopped, or is so
 * busy that it would be of no use. */
#define OPEN_DEADLINE_MS 30000
/* Pauses double from the first to the second: a daemon that restarts is found quickly, one
 * that is gone costs a system call or two in two seconds. */
#define RETRY_FIRST_US (100 * 1000)
#define RETRY_MAX_US (2 * G_USEC_PER_SEC)

/* A frame that waits for the connection. */
typedef struct PendingFrame {
    size_t length;
    MessageFds *fds; /* NULL: none */
    uint8_t bytes[];
} PendingFrame;

static void pending_frame_free(void *data)
{
    PendingFrame *frame = data;

    for (size_t i = 0; frame->fds && i < frame->fds->n_fds; i++) {
        if (frame->fds->fds[i] >= 0)
            close(frame->fds->fds[i]);
    }
    /* There may be a password in it. */
    wipe(frame->bytes, frame->length);
    g_free(frame->fds);
    g_free(frame);
}

Upstream *upstream_new(Client *client, const Sibling *sibling)
{
    Upstream *upstream = g_new0(Upstream, 1);

    upstream->n_refs = 1;
    upstream->client = client_ref(client);
    upstream->sibling = sibling;
    upstream->calls = g_hash_table_new(NULL, NULL);
    upstream->streams = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    upstream->numbers = g_hash_table_new(NULL, NULL);
    return upstream;
}

static Upstream *upstream_ref(Upstream *upstream)
{
    upstream->n_refs++;
    return upstream;
}

void upstream_unref(Upstream *upstream)
{
    /* References: the client's table, and the fiber that opens. */
    if (!upstream || --upstream->n_refs > 0)
        return;
    g_hash_table_unref(upstream->calls);
    g_hash_table_unref(upstream->streams);
    g_hash_table_unref(upstream->numbers);
    client_unref(upstream->client);
    g_free(upstream);
}

void upstream_let_client_read(Upstream *upstream)
{
    if (!upstream->has_paused_client)
        return;
    upstream->has_paused_client = false;
    channel_resume(upstream->client->channel);
}

/* What waits for the connection goes with it: the calls it belongs to fail, or the client has
 * gone. The client must not stay paused for a sibling that will never drain. */
static void upstream_disconnect(Upstream *upstream)
{
    if (upstream->rpc)
        rpc_client_close(upstream->rpc);
    g_clear_pointer(&upstream->rpc, rpc_client_unref);
    g_queue_clear_full(&upstream->pending, pending_frame_free);
    g_queue_clear_full(&upstream->early_events, (GDestroyNotify)g_bytes_unref);
    upstream->early_bytes = 0;
    upstream->pending_stream_bytes = 0;
    upstream->is_paused = false;
    upstream->state = UPSTREAM_CLOSED;
    upstream_let_client_read(upstream);
}

/* Registrations stay, without their numbers: they are made again with the next connection. */
void upstream_fail(Upstream *upstream, const GError *error)
{
    upstream_disconnect(upstream);
    if (upstream->has_ended)
        return;
    router_callbacks_forget_numbers(upstream);
    upstream_fail_calls(upstream, error);
}

/* The fiber may be in the middle of opening: it holds a reference, sees has_ended, and touches
 * nothing of the client's router any more, which is gone by then. */
void upstream_end(Upstream *upstream)
{
    upstream->has_ended = true;
    upstream_disconnect(upstream);
    upstream_fail_calls(upstream, NULL);
    if (upstream->fiber)
        fiber_cancel(upstream->fiber);
    upstream_unref(upstream);
}

/* In the order in which the client sent them; what it sends from now on goes behind them,
 * directly. */
static void upstream_send_pending(Upstream *upstream)
{
    Channel *channel = rpc_client_get_channel(upstream->rpc);
    PendingFrame *frame;

    channel_cork(channel);
    while ((frame = g_queue_pop_head(&upstream->pending))) {
        struct iovec iov = { frame->bytes, frame->length };

        channel_send(channel, &iov, 1, frame->fds ? frame->fds->fds : NULL,
                     frame->fds ? frame->fds->n_fds : 0);
        pending_frame_free(frame);
    }
    upstream->pending_stream_bytes = 0;
    channel_uncork(channel);
    if (channel_get_queued_bytes(channel) <= CHANNEL_HIGH_WATER_BYTES)
        upstream_let_client_read(upstream);
}

/* The client may have been given another identity while the connection was being opened
 * with the old one: its calls must not be made in the name of whoever it was before. */
SUSPENDS static bool upstream_update_identity(Upstream *upstream, unsigned n_identities,
                                              uint64_t deadline_us, GError **error)
{
    Client *client = upstream->client;
    g_autoptr(RpcClient) rpc = rpc_client_ref(upstream->rpc);

    while (!upstream->has_ended && client->n_identities != n_identities) {
        g_autoptr(Identity) identity = identity_copy(client_get_identity(client));

        n_identities = client->n_identities;
        if (!sibling_set_identity(rpc, identity, client->is_read_only, deadline_us, error))
            return false;
    }
    return true;
}

/* Up to the point where the client's calls may follow. */
SUSPENDS static bool upstream_handshake(Upstream *upstream, GError **error)
{
    Client *client = upstream->client;
    g_autoptr(Identity) identity = identity_copy(client_get_identity(client));
    g_autofree char *uri = NULL;
    uint64_t deadline_us = fiber_deadline_ms(OPEN_DEADLINE_MS);
    unsigned n_identities = client->n_identities;
    SiblingOpen open = {
        .sibling = upstream->sibling,
        .is_read_only = client->is_read_only,
        .identity = identity,
        .handler = &upstream_handler,
        .owner = upstream,
    };

    /* The hypervisor's daemon, or the only one of this connection, gets the client's words. */
    if (sibling_find_uri(client->uri) == upstream->sibling)
        open.uri = uri = g_strdup(client->uri);
    if (!sibling_open(client_get_daemon(client), &open, deadline_us, &upstream->rpc, error))
        return false;
    if (!upstream->has_ended &&
        !router_callbacks_register_again(upstream, deadline_us, error))
        return false;
    /* Last: nothing waits between this and the client's calls. */
    if (!upstream->has_ended &&
        !upstream_update_identity(upstream, n_identities, deadline_us, error))
        return false;
    if (!upstream->has_ended && !rpc_client_is_closed(upstream->rpc))
        return true;
    error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "connection to %s was lost as soon as it was open",
              upstream->sibling->program);
    return false;
}

/* Must be given an @error: it is what the calls that wait are answered with. */
SUSPENDS static bool upstream_open(Upstream *upstream, GError **error)
{
    upstream->state = UPSTREAM_OPENING;
    if (!upstream_handshake(upstream, error)) {
        upstream_fail(upstream, *error);
        return false;
    }
    upstream->state = UPSTREAM_OPEN;
    upstream_pass_early_events(upstream);
    upstream_send_pending(upstream);
    LOG_DEBUG("client %" G_GUINT64_FORMAT " is connected to %s", upstream->client->id,
              upstream->sibling->program);
    return true;
}

bool upstream_open_now(Upstream *upstream_to_keep, GError **error)
{
    g_autoptr(Upstream) upstream = upstream_ref(upstream_to_keep);
    GError *cause = NULL;

    if (upstream_open(upstream, &cause))
        return true;
    g_propagate_error(error, cause);
    return false;
}

/* Opens the connection. As long as the client has registrations there it is tried again and
 * again: they must be back when the sibling is, whether the client calls or not. */
static void upstream_run(void *data)
{
    g_autoptr(Upstream) upstream = data;
    uint64_t pause_us = RETRY_FIRST_US;

    for (;;) {
        g_autoptr(GError) error = NULL;

        if (upstream_open(upstream, &error))
            break;
        if (upstream->has_ended || upstream->n_callbacks == 0)
            break;
        fiber_cond_wait(&upstream->wake, fiber_now_us() + pause_us, NULL);
        pause_us = MIN(pause_us * 2, RETRY_MAX_US);
        if (upstream->has_ended || fiber_is_cancelled(fiber_current()))
            break;
    }
    g_clear_pointer(&upstream->fiber, fiber_unref);
}

/* Called from the loop it may have failed, and all its calls with it, when this returns: the
 * sibling is simply not there. */
void upstream_start(Upstream *upstream)
{
    g_autoptr(GError) error = NULL;

    upstream->state = UPSTREAM_OPENING;
    if (upstream->fiber) {
        fiber_cond_signal(&upstream->wake);
        return;
    }
    if (fiber_spawn(upstream->client->server->loop, "upstream", upstream_run,
                    upstream_ref(upstream), &upstream->fiber, &error))
        return;
    upstream_fail(upstream, error);
    upstream_unref(upstream);
}

/* Takes the descriptors of @message, copies the rest. */
static void upstream_keep(Upstream *upstream, const struct iovec *iov, int n_iov,
                          const Message *message)
{
    PendingFrame *frame = g_malloc(sizeof(*frame) + message->length);

    frame->length = 0;
    frame->fds = NULL;
    for (int i = 0; i < n_iov; i++) {
        memcpy(frame->bytes + frame->length, iov[i].iov_base, iov[i].iov_len);
        frame->length += iov[i].iov_len;
    }
    if (message->fds->n_fds > 0) {
        frame->fds = g_memdup2(message->fds, sizeof(*message->fds));
        message->fds->n_fds = 0;
    }
    g_queue_push_tail(&upstream->pending, frame);
    if (!frame_type_has_fds(message->header.type) && message->header.type != VIR_NET_CALL)
        upstream->pending_stream_bytes += frame->length;
}

void upstream_send(Upstream *upstream, const struct iovec *iov, int n_iov,
                   const Message *message)
{
    if (upstream->state == UPSTREAM_OPEN) {
        channel_send(rpc_client_get_channel(upstream->rpc), iov, n_iov, message->fds->fds,
                     message->fds->n_fds);
        return;
    }
    upstream_keep(upstream, iov, n_iov, message);
    if (upstream->state == UPSTREAM_CLOSED)
        upstream_start(upstream);
}
