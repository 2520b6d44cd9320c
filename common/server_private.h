/* The inside of a server, for the parts of the kit. */
#pragma once

#include "common/server.h"
#include "common/workers.h"

struct ServerListener {
    Server *server; /* whose it is */
    NetListener *listener; /* NULL for a connection that was handed to us */
    ServerListenerSpec spec;
    sd_event_source *source, *pause_timer;
    uint64_t accept_turn; /* the loop's turn in which somebody came last */
};

struct Server {
    Daemon *daemon; /* outlives it */
    FiberLoop *loop;
    char *name; /* the daemon's, or "admin" */
    ServerLimits limits;
    Workers workers;
    GPtrArray *listeners; /* of ServerListener */
    GPtrArray *programs;  /* of Program */
    GQueue clients;       /* of Client.link, oldest first */
    GQueue rejected;      /* of Client.rejected_link: over a limit, waiting to be told */
    sd_event_source *reject_timer; /* for the oldest in rejected; NULL until the first */
    sd_event_source *trim_timer;
    size_t n_clients_peak; /* since memory was last given back */
    bool has_probed_kernel, reads_identity_late; /* see net_credentials_can_wait() */
    size_t n_anonymous;   /* clients that have not authenticated yet */
    size_t n_calls;       /* of all clients */
    uint64_t next_client_id; /* the last one given; the first client is 1 */
};

Program *server_find_program(Server *server, uint32_t number);
/* The client is authenticated now: it does not count as anonymous any more. Nothing
 * happens when it has gone. */
void server_client_authenticated(Server *server, Client *client);
void server_remove_client(Server *server, Client *client);
