/* The inside of a client, for the parts of the kit. */
#pragma once

#include "common/channel.h"
#include "common/client.h"
#include "common/server.h"

/* Calls of one client that may be there at once, running, stuck and waiting together. */
#define CLIENT_MAX_CALLS 8192
#define CLIENT_MAX_CALL_BYTES (64 * 1024 * 1024)
/* Frames of a client that is not let in yet, or will not be: all that it may say is short.
 * The longest is a step of SASL, 64 KiB (REMOTE_AUTH_SASL_DATA_MAX). */
#define CLIENT_MAX_STRANGER_FRAME_BYTES (128 * 1024)
/* Who is over a limit has one call to make, whatever it is, and there may be thousands of them. */
#define CLIENT_MAX_REJECTED_FRAME_BYTES (8 * 1024)
/* Descriptors that came with them: all clients together share what the daemon may have. */
#define CLIENT_MAX_CALL_FDS 128

typedef enum ClientAuth {
    /* The only way is forward, but for a question that was answered with no: it may be put
     * again. */
    CLIENT_AUTH_NEEDED,
    CLIENT_AUTH_RUNNING, /* polkit has been asked */
    CLIENT_AUTH_DONE,
} ClientAuth;

struct Client {
    unsigned n_refs; /* the connection's, and one of each call and stream */
    Server *server; /* outlives all its clients */
    const ServerListener *listener; /* the socket it came in by */
    uint64_t id; /* never used again by this server */
    int64_t connected_at_s; /* wall clock */
    Channel *channel;
    GList link;       /* in the server's clients */
    GList rejected_link;
    bool is_rejected; /* over a limit: gets @rejection as the answer to its first call */
    GError *rejection;
    uint64_t reject_deadline_us;

    ClientAuth auth;
    bool has_peer_uid;
    uid_t peer_uid; /* from the kernel; @identity may be somebody else's */
    /* is_open: between CONNECT_OPEN and CONNECT_CLOSE. is_closing: the next reply is the last.
     * has_closed: client_close() has begun, nothing can be sent. */
    bool is_read_only, is_open, has_close_callback, is_closing, has_closed;
    char *uri;
    Identity *identity; /* see client_get_identity(): completed when first asked for */
    bool is_identity_complete;
    unsigned n_identities; /* how often it was set: who waits can see that it has changed */
    char *address; /* of the peer, for TCP and TLS */
    sd_event_source *greeting_timer; /* until the first message, for TCP and TLS */
    sd_event_source *stranger_timer; /* until it has authenticated, for unix sockets */

    unsigned n_slots; /* calls that hold a worker */
    GQueue waiting_calls;
    GList turn; /* in the workers' waiting clients */
    GQueue running_calls; /* of Call.client_link: have a fiber */
    /* Over all calls that have not been answered, ours and forwarded ones; checked before a
     * call is taken (dispatch.c). */
    size_t n_calls, n_call_bytes, n_call_fds;

    GHashTable *streams;        /* serial → Stream, NULL until the first */
    unsigned n_streams;         /* also those that are not in there any more, and still run */
    GHashTable *callbacks;      /* number → EventCallback, NULL until the first */
    int32_t next_callback;      /* also of callbacks that siblings have */
    struct RouterClient *router; /* upstream connections, NULL until the first */
    GArray *close_funcs; /* of CloseFunc, in the order of adding */
};

/* For a connection just accepted; takes @socket. */
Client *client_new(Server *server, const ServerListener *listener, NetSocket *socket,
                   GError **error);
/* Lets it send frames of the server's limit, and descriptors, or not yet. */
void client_update_limits(Client *client);
void client_charge_call(Client *client, size_t bytes);
void client_discharge_call(Client *client, size_t bytes);
unsigned client_get_max_requests(const Client *client);
int client_duplicate_fd(int fd, GError **error);
/* A number for a callback that no other callback of this client has. */
int32_t client_new_callback_id(Client *client);
/* Sends bytes that are a frame already. */
void client_send_raw(Client *client, const struct iovec *iov, int n_iov, const int *fds,
                     size_t n_fds);

/* What a trusted sibling says; takes @identity. */
void client_set_identity(Client *client, Identity *identity);
/* Ends the connection when the reply that is about to be made has been sent. */
void client_close_after_reply(Client *client);

/* client_remote.c: a client that came over the network is anonymous, and has little time,
 * until its first message: then TLS has let it in, and it speaks the protocol. */
bool client_remote_begin(Client *client, GError **error);
void client_remote_greeted(Client *client);
/* It came to nothing: for the log. */
void client_remote_failed(const Client *client, const GError *reason);

/* dispatch.c: what a client says. */
void client_dispatch(Client *client, const Message *message);
