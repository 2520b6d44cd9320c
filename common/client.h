/* A client of one of our servers: its connection, who it is, what it may do, and the
 * account of all that it has caused (calls, bytes, streams, callbacks, descriptors).
 * What it holds goes when its connection goes; calls that still run keep the struct. */
#pragma once

#include "common/identity.h"
#include "common/message.h"
#include "common/procedure.h"

typedef struct Client Client;
typedef struct Daemon Daemon;
typedef struct Server Server;

Client *client_ref(Client *client);
void client_unref(Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_unref)

uint64_t client_get_id(const Client *client);
Server *client_get_server(Client *client);
Daemon *client_get_daemon(Client *client);
/* Valid until the next suspension: SET_IDENTITY replaces it. */
const Identity *client_get_identity(Client *client);
bool client_is_read_only(const Client *client);
/* The connection is gone or going: nothing sent arrives. */
bool client_is_closed(const Client *client);
/* The URI it has opened, NULL before CONNECT_OPEN. */
const char *client_get_uri(const Client *client);

/* Whether the process at the other end (never what it says of itself) is one of ours. */
bool client_is_trusted(const Client *client);
/* Whether it is a sibling's own driver that asks: a trusted process has said so of this very
 * connection. A connection that carries calls of that sibling's clients never is one. */
bool client_is_driver(const Client *client);

/* Ends the connection at once; @reason is for the log. */
void client_close(Client *client, const char *reason);

/* Encodes and sends a frame; false leaves nothing sent (a value that cannot be encoded). */
bool client_send_frame(Client *client, const FrameHeader *header, xdrproc_t codec, const void *value,
                       const int *fds, size_t n_fds, GError **error);
/* Sends an error as the reply to @call_header (also for a stream's frame). Logs it once. */
void client_send_error(Client *client, const FrameHeader *call_header, const GError *error);

/* Runs once when the connection ends, newest first: for what drivers keep per connection
 * (auto-destroy, open consoles). When it has ended already, it runs at once. */
typedef void (*ClientCloseFunc)(Client *client, void *data);
void client_add_close_func(Client *client, ClientCloseFunc func, void *data);
void client_remove_close_func(Client *client, ClientCloseFunc func, void *data);
