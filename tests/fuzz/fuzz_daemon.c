#include "fuzz_daemon.h"

#include <sys/socket.h>

#include "base/log.h"
#include "common/connect.h"
#include "common/events.h"
#include "wire/qemu.h"

Daemon *fuzz_daemon_new(const DaemonSpec *spec, const char *uri)
{
    ServerLimits limits = {
        .max_clients = 10, .max_anonymous_clients = 10, .max_client_requests = 5,
        .keepalive_interval_s = 5, .keepalive_count = 5, .max_frame_bytes = 65536,
        .max_clients_key = "max_clients", .max_anonymous_clients_key = "max_anonymous_clients",
    };
    Daemon *daemon = g_new0(Daemon, 1);
    Server *server;

    log_set_level(LOG_LEVEL_ERROR, NULL);
    daemon->spec = spec;
    daemon->uri = g_strdup(uri);
    daemon->config = g_new0(DaemonConfig, 1);
    daemon->config->trusted_uids = g_array_new(FALSE, FALSE, sizeof(uid_t));
    daemon->servers = g_ptr_array_new();
    daemon->encode_buffer = g_byte_array_sized_new(DAEMON_ENCODE_ROOM_BYTES);
    daemon->events = events_new();
    daemon->loop = fiber_loop_new(NULL);
    daemon->channel_pool = channel_pool_new(daemon->loop, NULL);
    daemon->has_started = true;
    server = server_new(daemon, spec->name, &limits, 1, 5, 1);
    server_add_table(server, &connect_procedures);
    server_add_program(server, QEMU_PROGRAM);
    g_ptr_array_add(daemon->servers, server);
    return daemon;
}

void fuzz_feed(int fd, const uint8_t *data, size_t size)
{
    size_t sent = 0;

    while (sent < size) {
        ssize_t n = send(fd, data + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n <= 0)
            break;
        sent += (size_t)n;
    }
}
