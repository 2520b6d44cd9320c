/* Accepting connections for one server, up to its limits, and keeping the list of its clients.
 * Who comes over a limit is kept apart for a moment: a connection that is just closed tells
 * nobody why, so its first call is answered with the reason. */
#include "common/server_private.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/error.h"
#include "base/resident.h"
#include "common/client_private.h"
#include "common/daemon.h"
#include "net/credentials.h"

#include "base/log.h"

LOG_INIT("rpc.server");

/* Accepting takes turns with everything else. */
#define ACCEPTS_PER_WAKE_UP 16
/* How many clients over the limit are kept until they can be told, and for how long. */
#define MAX_REJECTED 8192
#define REJECTED_AGE_US (10 * G_USEC_PER_SEC)
/* Clients authenticate at once. Who has not in this time holds a place of max_anonymous_clients for
 * nothing. */
#define STRANGER_AGE_US (30 * G_USEC_PER_SEC)
/* When freed memory is worth the while of giving it back. */
#define TRIM_MIN_CLIENTS 256
#define TRIM_DELAY_US (500 * 1000)
/* Who comes over the network may be anybody, and TLS takes memory. */
#define MAX_REJECTED_REMOTE 64

/* The event sources go before the descriptor that they watch. */
static void server_listener_free(void *data)
{
    ServerListener *listener = data;

    sd_event_source_disable_unref(listener->source);
    sd_event_source_disable_unref(listener->pause_timer);
    net_listener_free(listener->listener);
    g_free(listener);
}

Server *server_new(Daemon *daemon, const char *name, const ServerLimits *limits,
                   unsigned min_workers, unsigned max_workers, unsigned priority_workers)
{
    Server *server = g_new0(Server, 1);

    server->daemon = daemon;
    server->loop = daemon_get_loop(daemon);
    server->name = g_strdup(name);
    server->limits = *limits;
    server->listeners = g_ptr_array_new_with_free_func(server_listener_free);
    server->programs = g_ptr_array_new_with_free_func((GDestroyNotify)program_free);
    workers_init(&server->workers, server->loop, min_workers, max_workers, priority_workers);
    return server;
}

/* Each client takes itself off its list; lists may change in between, by what runs when a
 * client ends. */
void server_close_clients(Server *server)
{
    GList *link;

    while ((link = server->clients.head) || (link = server->rejected.head))
        client_close(link->data, "the server ends");
}

/* Clients may still be held by others, but no call, stream or upstream runs any more: none of
 * them will look at @server again. */
void server_free(Server *server)
{
    if (!server)
        return;
    server_close_clients(server);
    g_ptr_array_unref(server->listeners);
    sd_event_source_disable_unref(server->reject_timer);
    sd_event_source_disable_unref(server->trim_timer);
    workers_clear(&server->workers);
    g_ptr_array_unref(server->programs);
    g_free(server->name);
    g_free(server);
}

void server_add_program(Server *server, uint32_t number)
{
    if (!server_find_program(server, number))
        g_ptr_array_add(server->programs, program_new(number));
}

void server_add_table(Server *server, const ProcedureTable *table)
{
    server_add_program(server, table->program);
    program_add_table(server_find_program(server, table->program), table);
}

Program *server_find_program(Server *server, uint32_t number)
{
    for (guint i = 0; i < server->programs->len; i++) {
        Program *program = g_ptr_array_index(server->programs, i);

        if (program_get_wire(program)->number == number)
            return program;
    }
    return NULL;
}

/* Drops the clients that have been waiting for too long to be told that they are too many. */
static int server_on_reject_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
    Server *server = userdata;
    GList *link;

    while ((link = server->rejected.head)) {
        Client *client = link->data;

        if (client->reject_deadline_us > now_us) {
            sd_event_source_set_time(source, client->reject_deadline_us);
            sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
            break;
        }
        client_close(client, "over the limit, and silent");
    }
    return 0;
}

/* Freed memory of thousands of clients is spread over the heap, which gives it back only
 * when asked to: a moment after most of them have gone. */
static int server_on_trim(sd_event_source *source, uint64_t usec, void *userdata)
{
    Server *server = userdata;

    server->n_clients_peak = server->clients.length + server->rejected.length;
    resident_give_back();
    return 0;
}

static void server_check_trim(Server *server)
{
    if (server->n_clients_peak < TRIM_MIN_CLIENTS ||
        server->clients.length + server->rejected.length > server->n_clients_peak / 2)
        return;
    if (!server->trim_timer) {
        sd_event_add_time_relative(fiber_loop_get_event(server->loop), &server->trim_timer,
                                   CLOCK_MONOTONIC, TRIM_DELAY_US, 0, server_on_trim, server);
        return;
    }
    sd_event_source_set_time_relative(server->trim_timer, TRIM_DELAY_US);
    sd_event_source_set_enabled(server->trim_timer, SD_EVENT_ONESHOT);
}

/* Takes @rejection. The list is in the order of deadlines, because all wait for the same time:
 * one timer, for its head, is enough. */
static void server_reject(Server *server, Client *client, GError *rejection)
{
    /* A crowd is worth one line. */
    if (server->rejected.length == 0)
        LOG_WARN("%s", rejection->message);
    client->is_rejected = true;
    client_update_limits(client);
    client->rejection = rejection;
    /* Not in the server's clients: it is no client as far as the admin interface, limits and
     * idle time-outs are concerned. */
    client->rejected_link.data = client;
    client->reject_deadline_us = fiber_now_us() + REJECTED_AGE_US;
    g_queue_push_tail_link(&server->rejected, &client->rejected_link);
    if (!server->reject_timer) {
        sd_event_add_time(fiber_loop_get_event(server->loop), &server->reject_timer,
                          CLOCK_MONOTONIC, client->reject_deadline_us, 0, server_on_reject_timer,
                          server);
    } else if (server->rejected.length == 1) {
        sd_event_source_set_time(server->reject_timer, client->reject_deadline_us);
        sd_event_source_set_enabled(server->reject_timer, SD_EVENT_ONESHOT);
    }
}

/* Whether somebody who has just connected has to prove who it is: not one whom we trust by its user.
 * Strangers who say nothing must not keep root and the other daemons out. */
static bool server_is_anonymous(const Server *server, const ServerListenerSpec *spec,
                                const NetSocket *socket)
{
    NetCredentials peer;

    if (spec->transport != SERVER_UNIX)
        return true;
    return spec->auth != SERVER_AUTH_NONE &&
           !(net_credentials_read(net_socket_get_fd(socket), &peer, NULL) &&
             daemon_trusts_user(server->daemon, peer.uid));
}

/* Why there is no room for one client more; NULL when there is. */
static GError *server_check_room(Server *server, const ServerListenerSpec *spec,
                                 const NetSocket *socket)
{
    const ServerLimits *limits = &server->limits;

    if (server->clients.length >= limits->max_clients)
        return g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_RESOURCE_BUSY,
                           "Too many clients of server '%s': %u are connected, '%s' allows %u",
                           server->name, server->clients.length, limits->max_clients_key,
                           limits->max_clients);
    if (limits->max_anonymous_clients > 0 &&
        server->n_anonymous >= limits->max_anonymous_clients &&
        server_is_anonymous(server, spec, socket))
        return g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_RESOURCE_BUSY,
                           "Too many clients of server '%s' have not authenticated: %zu are "
                           "connected, '%s' allows %u",
                           server->name, server->n_anonymous,
                           limits->max_anonymous_clients_key, limits->max_anonymous_clients);
    return NULL;
}

static int server_on_stranger_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Client *client = userdata;

    /* It is being asked for a password, which may take as long as people do. */
    if (client->n_calls > 0) {
        sd_event_source_set_time_relative(source, STRANGER_AGE_US);
        sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
    }
    LOG_INFO("client %" G_GUINT64_FORMAT " of server %s has not authenticated in time", client->id,
             client->server->name);
    client_close(client, "not authenticated");
    return 0;
}

/* Those of the network have a deadline of their own (client_remote.c). */
static void server_count_stranger(Server *server, Client *client)
{
    server->n_anonymous++;
    if (client->listener->spec.transport == SERVER_UNIX)
        sd_event_add_time_relative(fiber_loop_get_event(server->loop), &client->stranger_timer,
                                   CLOCK_MONOTONIC, STRANGER_AGE_US, 0, server_on_stranger_timer,
                                   client);
}

/* Takes @socket. NULL: it has been closed. */
static Client *server_accept(Server *server, const ServerListener *listener, NetSocket *socket,
                             GError **error)
{
    GError *rejection = server_check_room(server, &listener->spec, socket);
    bool is_remote = listener->spec.transport != SERVER_UNIX;
    Client *client;

    if (rejection && server->rejected.length >= (is_remote ? MAX_REJECTED_REMOTE : MAX_REJECTED)) {
        g_propagate_error(error, rejection);
        net_socket_free(socket);
        return NULL;
    }
    client = client_new(server, listener, socket, error);
    if (!client) {
        g_clear_error(&rejection);
        return NULL;
    }
    server->n_clients_peak = MAX(server->n_clients_peak,
                                 server->clients.length + server->rejected.length + 1);
    if (rejection) {
        server_reject(server, client, rejection);
        return client;
    }
    g_queue_push_tail_link(&server->clients, &client->link);
    if (client->auth != CLIENT_AUTH_DONE)
        server_count_stranger(server, client);
    daemon_touch(server->daemon);
    return client;
}

/* Whether there are descriptors again only the next accept can tell; it pauses again if not. */
static int server_on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    ServerListener *listener = userdata;

    /* sd-event itself holds the source until this handler returns. */
    listener->pause_timer = sd_event_source_unref(source);
    sd_event_source_set_enabled(listener->source, SD_EVENT_ON);
    return 0;
}

/* No descriptors left: the listener stays readable, and asking again at once would only spin. */
static void server_listener_pause(ServerListener *listener)
{
    if (listener->pause_timer ||
        sd_event_add_time_relative(fiber_loop_get_event(listener->server->loop),
                                   &listener->pause_timer, CLOCK_MONOTONIC, NET_LISTENER_PAUSE_US,
                                   0, server_on_pause_over, listener) < 0)
        return;
    sd_event_source_set_enabled(listener->source, SD_EVENT_OFF);
}

static void server_accept_some(ServerListener *listener, int most)
{
    for (int i = 0; i < most; i++) {
        g_autoptr(GError) error = NULL;
        NetSocket *socket = NULL;
        int result = net_listener_accept(listener->listener, &socket);

        if (result == -EAGAIN)
            break;
        if (result < 0) {
            LOG_ERROR("Cannot accept a connection on %s: %s",
                      net_listener_get_address(listener->listener), g_strerror(-result));
            server_listener_pause(listener);
            break;
        }
        if (!server_accept(listener->server, listener, socket, &error))
            LOG_WARN("%s", error->message);
    }
}

/* Level-triggered: those that are left come in the next round, behind everybody else's input. Mostly
 * somebody comes alone, and to look for another costs as much as to be told of one; but in a crowd,
 * where between two of them the others have had one turn at most, many come at once. */
static int server_on_accept(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    ServerListener *listener = userdata;
    uint64_t before = listener->accept_turn;

    sd_event_get_iteration(sd_event_source_get_event(source), &listener->accept_turn);
    server_accept_some(listener, listener->accept_turn - before <= 2 ? ACCEPTS_PER_WAKE_UP : 1);
    return 0;
}

void server_accept_waiting(Server *server)
{
    for (guint i = 0; i < server->listeners->len; i++) {
        ServerListener *listener = g_ptr_array_index(server->listeners, i);

        if (listener->listener)
            server_accept_some(listener, G_MAXINT);
    }
}

void server_unlink_sockets(Server *server)
{
    for (guint i = 0; i < server->listeners->len; i++) {
        ServerListener *listener = g_ptr_array_index(server->listeners, i);

        if (listener->listener)
            net_listener_unlink(listener->listener);
    }
}

bool server_add_listener(Server *server, NetListener *net_listener,
                         const ServerListenerSpec *spec, GError **error)
{
    ServerListener *listener = g_new0(ServerListener, 1);
    int result;

    listener->server = server;
    listener->listener = net_listener;
    listener->spec = *spec;
    g_ptr_array_add(server->listeners, listener);
    result = sd_event_add_io(fiber_loop_get_event(server->loop), &listener->source,
                             net_listener_get_fd(net_listener), EPOLLIN, server_on_accept,
                             listener);
    if (result < 0) {
        error_set_errno(error, VIR_FROM_RPC, -result, "Cannot watch socket %s",
                        net_listener_get_address(net_listener));
        return false;
    }
    return true;
}

/* What stands for the socket of connections that came by none. */
static ServerListener *server_find_absent_listener(Server *server, const ServerListenerSpec *spec)
{
    ServerListener *listener;

    for (guint i = 0; i < server->listeners->len; i++) {
        listener = g_ptr_array_index(server->listeners, i);
        if (!listener->listener && listener->spec.transport == spec->transport &&
            listener->spec.auth == spec->auth &&
            listener->spec.is_read_only == spec->is_read_only)
            return listener;
    }
    listener = g_new0(ServerListener, 1);
    listener->server = server;
    listener->spec = *spec;
    g_ptr_array_add(server->listeners, listener);
    return listener;
}

Client *server_add_connection(Server *server, const ServerListenerSpec *spec, NetSocket *socket,
                              GError **error)
{
    return server_accept(server, server_find_absent_listener(server, spec), socket, error);
}

/* The entries stay: clients that came by them ask theirs for transport and authentication. */
void server_stop_listening(Server *server)
{
    for (guint i = 0; i < server->listeners->len; i++) {
        ServerListener *listener = g_ptr_array_index(server->listeners, i);

        listener->source = sd_event_source_disable_unref(listener->source);
        listener->pause_timer = sd_event_source_disable_unref(listener->pause_timer);
        g_clear_pointer(&listener->listener, net_listener_free);
    }
}

void server_pause_listening(Server *server)
{
    for (guint i = 0; i < server->listeners->len; i++) {
        ServerListener *listener = g_ptr_array_index(server->listeners, i);

        listener->source = sd_event_source_disable_unref(listener->source);
        listener->pause_timer = sd_event_source_disable_unref(listener->pause_timer);
    }
}

void server_client_authenticated(Server *server, Client *client)
{
    /* One that has gone was taken off the count then: its last call may still run. */
    if (client->auth == CLIENT_AUTH_DONE || client->has_closed)
        return;
    client->auth = CLIENT_AUTH_DONE;
    client->stranger_timer = sd_event_source_disable_unref(client->stranger_timer);
    client_update_limits(client);
    if (!client->is_rejected)
        server->n_anonymous--;
}

/* Calls that wait for a worker are dropped; those that run end on their own, holding
 * references. */
void server_remove_client(Server *server, Client *client)
{
    workers_drop_client(&server->workers, client);
    server_check_trim(server);
    if (client->is_rejected) {
        g_queue_unlink(&server->rejected, &client->rejected_link);
        return;
    }
    if (client->auth != CLIENT_AUTH_DONE)
        server->n_anonymous--;
    g_queue_unlink(&server->clients, &client->link);
    daemon_touch(server->daemon);
}

const char *server_get_name(const Server *server)
{
    return server->name;
}

const ServerLimits *server_get_limits(const Server *server)
{
    return &server->limits;
}

/* Clients over a lowered limit stay: only new ones are measured by it. */
void server_set_limits(Server *server, const ServerLimits *limits)
{
    server->limits = *limits;
}

size_t server_get_n_clients(const Server *server)
{
    return server->clients.length;
}

size_t server_get_n_anonymous_clients(const Server *server)
{
    return server->n_anonymous;
}

size_t server_get_n_calls(const Server *server)
{
    return server->n_calls;
}

size_t server_get_queued_bytes(const Server *server)
{
    size_t bytes = 0;

    for (GList *link = server->clients.head; link; link = link->next)
        bytes += channel_get_queued_bytes(((Client *)link->data)->channel);
    return bytes;
}

void server_stop_pinging(Server *server)
{
    for (GList *link = server->clients.head; link; link = link->next)
        channel_set_keepalive(((Client *)link->data)->channel, 0, 0);
}

/* Only the admin interface looks clients up, a person at a time: no table is kept for that. */
Client *server_find_client(Server *server, uint64_t id)
{
    for (GList *link = server->clients.head; link; link = link->next) {
        Client *client = link->data;

        if (client->id == id)
            return client;
    }
    return NULL;
}
