/* The router: calls of another driver go, undecoded, to the daemon that owns them, and
 * replies, streams, events, descriptors and errors come back.
 *
 * One upstream connection per client and sibling, opened at the first call that needs it
 * and closed with the client; the client's identity is set on it once, and a read-only
 * client only ever reaches the sibling's read-only socket. Serials pass through unchanged.
 * Callback numbers (the first word of register replies, deregister calls and callback
 * events) are mapped in place, so that numbers of different siblings never collide.
 * A sibling that dies breaks its own calls and streams; event registrations are made
 * again when it is back. Nothing survives a restart of the router itself. */
#pragma once

#include "common/client.h"
#include "fiber/fiber.h"

/* True when the call @message of @wire on @client's connection is another daemon's business:
 * it has opened a hypervisor URI and @wire is owned by another driver; at the proxy, all but
 * what the connection itself answers. */
bool router_wants(const Client *client, const WireProcedure *wire, const Message *message);
/* Forwards a call; errors are answered to the client. */
void router_forward(Client *client, const WireProcedure *wire, const Message *message);
/* Forwards a stream frame of a forwarded call; false when it belongs to none. */
bool router_forward_stream(Client *client, const Message *message);
/* Opens @uri at the daemon that it belongs to, for CONNECT_OPEN at the proxy: fails with
 * the sibling's own error, or one that says what to start. */
SUSPENDS bool router_open(Client *client, const char *uri, GError **error);
/* The client's identity has changed: the siblings that it is connected to are told. One that does
 * not take it is connected to anew, so that no call is made under the former identity.
 * Errors: what they answer. */
SUSPENDS bool router_set_identity(Client *client, GError **error);
void router_client_closed(Client *client);
void router_client_on_drained(Client *client);
