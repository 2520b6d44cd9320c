/* Sibling daemons: which one owns what, where its socket is, and opening a connection to it
 * on somebody's behalf. Siblings may be ours or their namesakes of another make; what
 * either needs is sent to both. */
#pragma once

#include "common/daemon.h"
#include "common/identity.h"
#include "common/rpc_client.h"

/* One kind of daemon. Constant data. */
typedef struct Sibling {
    const char *program; /* "virtnetworkd": also its unit and its socket */
    const char *scheme;  /* of the URI that it answers to: "network" */
    const char *what;    /* what it owns, for error texts: "networks" */
    WireOwner owner;     /* WIRE_OWNER_DOMAIN for every hypervisor */
} Sibling;

/* All that are known; an index into it stands for a sibling. */
extern const Sibling siblings[];
extern const size_t n_siblings;
#define SIBLING_MAX 16

/* virtlogd and virtlockd, which hold things for hypervisor daemons and have no driver. */
extern const Sibling sibling_log, sibling_lock;

/* The daemon of a driver (not SELF, not PRIMARY; for DOMAIN the QEMU one). */
const Sibling *sibling_find_owner(WireOwner owner);
/* The daemon that answers to @uri ("network:///system"), NULL when none does. */
const Sibling *sibling_find_uri(const char *uri);

/* The socket of @sibling beside those of @daemon; to be freed. The read-only one exists for
 * the host's daemons only. Errors: see paths_socket(). */
char *sibling_socket_path(const Daemon *daemon, const Sibling *sibling, bool is_read_only,
                          GError **error);
/* "network:///system" or "network:///session", as the daemon itself is; to be freed. */
char *sibling_uri(const Daemon *daemon, const Sibling *sibling);

typedef struct SiblingOpen {
    const Sibling *sibling;
    const char *uri;          /* NULL: sibling_uri() */
    bool is_read_only;
    const Identity *identity; /* whom we speak for; NULL: ourselves */
    const RpcClientHandler *handler;
    void *owner;
} SiblingOpen;

/* Only connects, for virtlogd and virtlockd, whose programs need no opening. @handler may be NULL.
 * Errors: SYSTEM_ERROR naming the daemon, its socket, what to start, and the reason. */
SUSPENDS RpcClient *sibling_connect(Daemon *daemon, const Sibling *sibling,
                                    const RpcClientHandler *handler, void *owner,
                                    uint64_t deadline_us, GError **error);
/* Connects, authenticates, opens, sets the identity and turns keepalive on: all of it is
 * sent in one go where the sibling can take that. Nothing of what follows may be sent
 * before this has succeeded. Sets @ret_rpc (NULL at first) as soon as there is a
 * connection, so that others can end it meanwhile.
 * Errors: SYSTEM_ERROR naming the sibling, its socket, what to start, and the reason; what
 * the sibling itself answers to the opening; AUTH_UNAVAILABLE when it wants a proof that we
 * cannot give. */
SUSPENDS bool sibling_open(Daemon *daemon, const SiblingOpen *open, uint64_t deadline_us,
                           RpcClient **ret_rpc, GError **error);
/* Tells an open sibling for whom the next calls are. Errors: what it answers. */
SUSPENDS bool sibling_set_identity(RpcClient *rpc, const Identity *identity, bool is_read_only,
                                   uint64_t deadline_us, GError **error);
