/* The inside of the router: upstreams (router_upstream.c), what they say (router_reply.c),
 * and event registrations (router_callbacks.h). All of it belongs to one client and goes
 * with its connection. */
#pragma once

#include "common/client_private.h"
#include "common/router.h"
#include "common/sibling.h"
#include "fiber/sync.h"

typedef enum UpstreamState {
    UPSTREAM_CLOSED,  /* the next call opens it */
    UPSTREAM_OPENING, /* what is sent meanwhile waits */
    UPSTREAM_OPEN,
} UpstreamState;

/* What a good reply to a call means for the client's registrations. */
typedef enum RouterEffect {
    ROUTER_EFFECT_NONE,
    ROUTER_EFFECT_ADD,        /* a callback, whose number the reply tells */
    ROUTER_EFFECT_ADD_LEGACY, /* a registration without a number */
    ROUTER_EFFECT_REMOVE,
} RouterEffect;

/* A forwarded call that has not been answered. */
typedef struct RouterCall {
    struct RouterCall *next; /* with the same serial, in the order of sending */
    struct RouterCall *last; /* of that list; valid in its first call */
    FrameHeader header;
    const WireProcedure *wire;
    size_t charged_bytes, n_fds; /* of the client's account */
    RouterEffect effect;
    int32_t callback; /* ADD_LEGACY, REMOVE: whose key it is */
    GBytes *record;   /* ADD, ADD_LEGACY: the arguments */
} RouterCall;

typedef struct RouterStream {
    FrameHeader header; /* of the call */
    bool is_open;       /* the call has been answered */
} RouterStream;

/* An event registration as it was made, so that it can be made again. Those of the older
 * form have no numbers: their keys are negative. */
typedef struct RouterCallback {
    struct Upstream *upstream;
    int32_t key;            /* the client's number for it */
    int32_t sibling_number; /* -1: none now */
    FrameHeader header;     /* of the register call */
    GBytes *record;
    guint renewal; /* its place in the upstream's renewals */
} RouterCallback;

/* One client's connection to one sibling. */
typedef struct Upstream {
    unsigned n_refs;
    Client *client; /* a reference */
    const Sibling *sibling;
    UpstreamState state;
    RpcClient *rpc;      /* NULL when there is no connection */
    Fiber *fiber;        /* opens it, again and again if need be; NULL: none runs */
    FiberCond wake;      /* ends the fiber's pause */
    GHashTable *calls;   /* serial → the first RouterCall with it */
    GHashTable *streams; /* serial → RouterStream */
    GHashTable *numbers; /* the sibling's number → RouterCallback */
    size_t n_callbacks;  /* registrations, with and without numbers */
    GArray *renewals;    /* of Renewal, while registrations are being made again */
    GQueue pending;      /* of PendingFrame, sent when it is open */
    size_t pending_stream_bytes; /* of frames in pending that no account limits */
    GQueue early_events; /* of GBytes, frames: see upstream_pass_early_events() */
    size_t early_bytes;  /* of them */
    bool has_paused_client, is_paused;
    bool has_ended; /* the client has gone */
} Upstream;

typedef struct RouterClient {
    Upstream *upstreams[SIBLING_MAX]; /* by index into siblings */
    GHashTable *callbacks;            /* key → RouterCallback, NULL until the first */
    size_t n_record_bytes;            /* of callbacks, and of register calls under way */
} RouterClient;

/* router_upstream.c */
Upstream *upstream_new(Client *client, const Sibling *sibling);
void upstream_unref(Upstream *upstream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Upstream, upstream_unref)
/* Opens the connection in the calling fiber. */
SUSPENDS bool upstream_open_now(Upstream *upstream, GError **error);
/* Starts opening in a fiber of its own, or hurries the one that pauses. */
void upstream_start(Upstream *upstream);
/* Closes the connection; calls and streams of it end with @error. */
void upstream_fail(Upstream *upstream, const GError *error);
/* The client has gone. Drops the router's reference. */
void upstream_end(Upstream *upstream);
/* Sends a frame, or keeps it (and its descriptors) until there is a connection. */
void upstream_send(Upstream *upstream, const struct iovec *iov, int n_iov,
                   const Message *message);
void upstream_let_client_read(Upstream *upstream);

/* router_reply.c */
extern const RpcClientHandler upstream_handler;
void upstream_add_call(Upstream *upstream, RouterCall *call);
/* Events that came while registrations were being made again: whose they are is known now. */
void upstream_pass_early_events(Upstream *upstream);
/* An open connection is no more: its calls fail, its client is told, and its registrations are made
 * again. */
void upstream_lose(Upstream *upstream, const GError *error);
/* Answers all calls with @error (NULL: the client is not there to be told). */
void upstream_fail_calls(Upstream *upstream, const GError *error);
