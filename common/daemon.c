/* What the rest of the program may ask a daemon. All of it lives in the one struct; there is
 * no other place for state. */
#include "common/daemon_private.h"

#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common/events.h"
#include "common/privileges.h"

/* Nearly every reply fits; the largest may have 32 MiB. */
#define ENCODE_BUFFER_KEPT_BYTES (256 * 1024)

const DaemonSpec *daemon_get_spec(const Daemon *daemon)
{
    return daemon->spec;
}

FiberLoop *daemon_get_loop(const Daemon *daemon)
{
    return daemon->loop;
}

sd_event *daemon_get_event(const Daemon *daemon)
{
    return fiber_loop_get_event(daemon->loop);
}

const Paths *daemon_get_paths(const Daemon *daemon)
{
    return daemon->paths;
}

const DaemonConfig *daemon_get_config(const Daemon *daemon)
{
    return daemon->config;
}

void *daemon_get_driver_data(const Daemon *daemon)
{
    return daemon->driver_data;
}

EventRegistry *daemon_get_events(Daemon *daemon)
{
    return daemon->events;
}

ChannelPool *daemon_get_channel_pool(Daemon *daemon)
{
    return daemon->channel_pool;
}

KeptFds *daemon_get_kept_fds(Daemon *daemon)
{
    return daemon->kept;
}

bool daemon_is_ending(const Daemon *daemon)
{
    return daemon->is_stopping;
}

GByteArray *daemon_get_encode_buffer(Daemon *daemon)
{
    /* One huge reply is no reason to keep its memory for ever. */
    if (daemon->encode_buffer->len > ENCODE_BUFFER_KEPT_BYTES) {
        g_byte_array_unref(daemon->encode_buffer);
        daemon->encode_buffer = g_byte_array_sized_new(DAEMON_ENCODE_ROOM_BYTES);
    }
    return daemon->encode_buffer;
}

const char *daemon_get_uri(const Daemon *daemon)
{
    return daemon->uri;
}

bool daemon_trusts_user(const Daemon *daemon, uid_t uid)
{
    const GArray *uids = daemon->config->trusted_uids;

    /* Whoever is not of this user namespace has the same, though it may be our own as well. */
    if (daemon->has_unknown_uid && uid == daemon->unknown_uid)
        return false;
    for (guint i = 0; i < uids->len; i++) {
        if (g_array_index(uids, uid_t, i) == uid)
            return true;
    }
    return false;
}

bool daemon_has_driver(const Daemon *daemon)
{
    return daemon->has_started && !daemon->start_error;
}

bool daemon_wait_started(Daemon *daemon, GError **error)
{
    /* Forever: the start has deadlines of its own, and a client may wait for it. */
    if (!daemon->has_started &&
        !fiber_completion_wait(&daemon->started, FIBER_FOREVER, error))
        return false;
    if (!daemon->start_error)
        return true;
    if (error)
        *error = g_error_copy(daemon->start_error);
    return false;
}

/* A handful at most: no table. */
Server *daemon_find_server(Daemon *daemon, const char *name)
{
    if (g_strcmp0(name, daemon->spec->legacy_server_name) == 0)
        name = daemon->spec->name;
    for (guint i = 0; i < daemon->servers->len; i++) {
        Server *server = g_ptr_array_index(daemon->servers, i);

        if (strcmp(server_get_name(server), name) == 0)
            return server;
    }
    return NULL;
}

GPtrArray *daemon_get_servers(Daemon *daemon)
{
    return daemon->servers;
}

/* By hand, root makes the sockets and gives them to a group, below a root folder that may be
 * somebody else's; the service manager has done both before. */
bool daemon_limit_privileges(const Daemon *daemon, GError **error)
{
    uint64_t capabilities = daemon->spec->capabilities;

    if (geteuid() != 0)
        return true;
    if (!daemon_is_activated(daemon) || daemon->paths->root)
        capabilities |= UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_OVERRIDE;
    return privileges_limit(capabilities, error);
}
