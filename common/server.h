/* A server: a name that the admin interface shows, sockets that it listens on, the
 * programs that it speaks, limits, workers, and its clients. A daemon has its own (named
 * like the daemon) and "admin". */
#pragma once

#include "common/client.h"
#include "fiber/fiber.h"
#include "net/listener.h"
#include "net/stream_socket.h"

typedef enum ServerTransport {
    SERVER_UNIX = 0, /* numbers of virClientTransport */
    SERVER_TCP = 1,
    SERVER_TLS = 2,
} ServerTransport;

typedef enum ServerAuth {
    SERVER_AUTH_NONE = 0, /* numbers of remote_auth_type */
    SERVER_AUTH_SASL = 1,
    SERVER_AUTH_POLKIT = 2,
} ServerAuth;

/* A socket of a server; what comes in by it is read-only or not, and authenticates so. */
typedef struct ServerListener ServerListener;
typedef struct ServerListenerSpec {
    ServerTransport transport;
    ServerAuth auth;
    bool is_read_only;
} ServerListenerSpec;

typedef struct ServerLimits {
    unsigned max_clients, max_anonymous_clients, max_client_requests;
    unsigned keepalive_interval_s, keepalive_count;
    bool keepalive_required;
    size_t max_frame_bytes;
    /* The configuration keys of the limits, for error texts ("max_clients"). */
    const char *max_clients_key, *max_anonymous_clients_key;
} ServerLimits;

Server *server_new(Daemon *daemon, const char *name, const ServerLimits *limits,
                   unsigned min_workers, unsigned max_workers, unsigned priority_workers);
/* Closes all sockets and clients. No call may still run. */
void server_free(Server *server);

void server_add_table(Server *server, const ProcedureTable *table);
/* Knows the program's procedures, though no table has any: for the router. */
void server_add_program(Server *server, uint32_t number);
/* Takes @listener. Accepting begins at once. */
bool server_add_listener(Server *server, NetListener *listener, const ServerListenerSpec *spec,
                         GError **error);
/* A connection that is there already (socketpair in tests, an inherited descriptor). */
Client *server_add_connection(Server *server, const ServerListenerSpec *spec, NetSocket *socket,
                              GError **error);
/* Stops accepting; what is connected goes on. */
void server_stop_listening(Server *server);

/* The sockets go on listening, and nobody is accepted: for whoever serves them next. */
void server_pause_listening(Server *server);

/* Takes what waits in the sockets' queues now. */
void server_accept_waiting(Server *server);
/* Own unix sockets vanish from the file system; what has connected is still accepted. */
void server_unlink_sockets(Server *server);
void server_close_clients(Server *server);

const char *server_get_name(const Server *server);
const ServerLimits *server_get_limits(const Server *server);
/* Takes effect at once, also when the number of clients is over it already. */
void server_set_limits(Server *server, const ServerLimits *limits);
size_t server_get_n_clients(const Server *server);
size_t server_get_n_anonymous_clients(const Server *server);
size_t server_get_n_calls(const Server *server);
/* What its clients have not taken yet. */
size_t server_get_queued_bytes(const Server *server);
/* The daemon is about to end: who answered a PING then would write to a closed socket, and SIGPIPE ends
 * clients that do not mind it. */
void server_stop_pinging(Server *server);
Client *server_find_client(Server *server, uint64_t id);
