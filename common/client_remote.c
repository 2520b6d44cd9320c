/* Clients from the network, up to their first message. */
#include "base/error.h"
#include "common/client_private.h"
#include "common/daemon.h"
#include "common/server_private.h"

#include "base/log.h"

LOG_INIT("rpc.client");

/* For TLS's handshake and the first message; clients send it at once. */
#define GREETING_AGE_US (30 * G_USEC_PER_SEC)

/* A finished TLS handshake is not enough: what counts is a whole message. */
static int client_on_silence(sd_event_source *source, uint64_t usec, void *userdata)
{
    Client *client = userdata;

    LOG_INFO("client %" G_GUINT64_FORMAT " at %s did not say anything in time", client->id,
             client->address);
    client_close(client, "silent");
    return 0;
}

bool client_remote_begin(Client *client, GError **error)
{
    sd_event *event = daemon_get_event(client->server->daemon);
    int result = sd_event_add_time_relative(event, &client->greeting_timer, CLOCK_MONOTONIC,
                                            GREETING_AGE_US, 0, client_on_silence, client);

    client->auth = CLIENT_AUTH_NEEDED;
    if (result >= 0)
        return true;
    error_set_errno(error, VIR_FROM_RPC, -result, "Cannot limit the time of the client at %s",
                    client->address);
    return false;
}

/* Only now is the name on the certificate known, and proved: TLS hands out no byte before
 * that. */
void client_remote_greeted(Client *client)
{
    const char *name = net_socket_get_peer_name(channel_get_socket(client->channel));

    client->greeting_timer = sd_event_source_disable_unref(client->greeting_timer);
    client->identity->x509_dname = g_strdup(name);
    if (client->listener->spec.auth == SERVER_AUTH_NONE)
        server_client_authenticated(client->server, client);
    LOG_INFO("client %" G_GUINT64_FORMAT " at %s: %s", client->id, client->address,
             name ? name : "no certificate");
}

void client_remote_failed(const Client *client, const GError *reason)
{
    LOG_WARN("client %" G_GUINT64_FORMAT " at %s: %s", client->id, client->address,
             reason->message);
}
