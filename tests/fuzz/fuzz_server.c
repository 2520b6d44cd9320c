/* What a client sends, byte for byte, to a server of the kit: framing, limits, decoding,
 * dispatch, the procedures of the connection. The peer's end of a socket pair gets the
 * input and hangs up; the server must take itself back to where it was. */
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz_daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const DaemonSpec spec = {
        .name = "virtnetworkd", .uri_scheme = "network", .driver_type = "network",
        .owner = WIRE_OWNER_NETWORK,
    };
    static Daemon *daemon;
    static const ServerListenerSpec specs[] = {
        { SERVER_UNIX, SERVER_AUTH_NONE, false },
        { SERVER_UNIX, SERVER_AUTH_NONE, true },
    };
    Server *server;
    int pair[2];

    if (!daemon)
        daemon = fuzz_daemon_new(&spec, "network:///system");
    if (size < 1 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return 0;
    server = g_ptr_array_index(daemon->servers, 0);
    server_add_connection(server, &specs[data[0] & 1], net_socket_new(pair[0]), NULL);
    fuzz_feed(pair[1], data + 1, size - 1);
    shutdown(pair[1], SHUT_WR);
    for (int i = 0; i < STEPS_MAX && server_get_n_clients(server) + server_get_n_calls(server) > 0;
         i++)
        fiber_loop_step(daemon->loop, 1000, NULL);
    g_assert_cmpuint(server_get_n_clients(server), ==, 0);
    g_assert_cmpuint(server_get_n_calls(server), ==, 0);
    close(pair[1]);
    return 0;
}
