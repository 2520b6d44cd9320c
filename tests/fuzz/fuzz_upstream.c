/* What a sibling sends to the router, on behalf of a client that has calls, streams and
 * event registrations under way. The first byte of the input chooses the router and how
 * well the sibling behaves at first; the rest is what it says: bytes as they are, or
 * records that are made into frames. Afterwards everything is back to where it was. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/sibling.h"
#include "fuzz_daemon.h"
#include "wire/keepalive.h"
#include "wire/qemu.h"
#include "wire/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    IS_PROXY = 1,
    ANSWERS_HANDSHAKE = 2,
    SENDS_RECORDS = 4,
    SENDS_DESCRIPTORS = 8,
    CLIENT_GOES_FIRST = 16,
};

#define CONNECTIONS_MAX 4
#define DESCRIPTORS_MAX 128
#define STEPS 24
#define STEPS_MAX 2000

typedef struct Stage {
    Daemon *daemons[2]; /* virtqemud, virtproxyd */
    int listener;
    int n_sockets; /* when none is open that belongs to an input */
} Stage;

static void append_frame(GByteArray *bytes, int32_t procedure, uint32_t type, uint32_t serial,
                         uint32_t status, const void *payload, size_t length)
{
    const FrameHeader header = { .program = REMOTE_PROGRAM, .version = REMOTE_PROTOCOL_VERSION,
                                 .procedure = procedure, .type = type, .serial = serial,
                                 .status = status };

    g_assert_true(frame_encode_raw(bytes, &header, payload, length, NULL));
}

/* Calls of every kind that a router forwards. It does not look into arguments. */
static GByteArray *client_bytes(void)
{
    static const uint8_t uri[] = "\0\0\0\1\0\0\0\16qemu:///system\0\0\0\0\0";
    static const uint8_t zero[8] = { 0 };
    GByteArray *bytes = g_byte_array_new();

    append_frame(bytes, REMOTE_PROC_CONNECT_OPEN, VIR_NET_CALL, 1, VIR_NET_OK, uri, 28);
    append_frame(bytes, REMOTE_PROC_CONNECT_NETWORK_EVENT_REGISTER_ANY, VIR_NET_CALL, 2,
                 VIR_NET_OK, zero, sizeof(zero));
    append_frame(bytes, REMOTE_PROC_CONNECT_NUM_OF_NETWORKS, VIR_NET_CALL, 3, VIR_NET_OK, NULL, 0);
    append_frame(bytes, REMOTE_PROC_STORAGE_VOL_DOWNLOAD, VIR_NET_CALL, 4, VIR_NET_OK, zero, 8);
    append_frame(bytes, REMOTE_PROC_STORAGE_VOL_UPLOAD, VIR_NET_CALL, 5, VIR_NET_OK, zero, 8);
    append_frame(bytes, REMOTE_PROC_STORAGE_VOL_UPLOAD, VIR_NET_STREAM, 5, VIR_NET_CONTINUE, zero,
                 8);
    append_frame(bytes, REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER_ANY, VIR_NET_CALL, 6,
                 VIR_NET_OK, zero, 4);
    append_frame(bytes, REMOTE_PROC_CONNECT_REGISTER_CLOSE_CALLBACK, VIR_NET_CALL, 7, VIR_NET_OK,
                 NULL, 0);
    return bytes;
}

static void append_handshake(GByteArray *bytes)
{
    static const uint8_t auth_none[8] = { 0, 0, 0, 1, 0, 0, 0, 0 };
    static const uint8_t one[4] = { 0, 0, 0, 1 };
    const uint32_t serial = RPC_CLIENT_FIRST_SERIAL;

    append_frame(bytes, REMOTE_PROC_AUTH_LIST, VIR_NET_REPLY, serial, VIR_NET_OK, auth_none, 8);
    append_frame(bytes, REMOTE_PROC_CONNECT_OPEN, VIR_NET_REPLY, serial + 1, VIR_NET_OK, NULL, 0);
    append_frame(bytes, REMOTE_PROC_CONNECT_SET_IDENTITY, VIR_NET_REPLY, serial + 2, VIR_NET_OK,
                 NULL, 0);
    append_frame(bytes, REMOTE_PROC_CONNECT_SUPPORTS_FEATURE, VIR_NET_REPLY, serial + 3,
                 VIR_NET_OK, one, sizeof(one));
}

/* A record: procedure (two bytes), type, serial, status, program, length, payload. Serials
 * from 128 on are those of the router's own calls. */
static void append_records(GByteArray *bytes, const uint8_t *data, size_t size)
{
    static const uint32_t programs[] = { REMOTE_PROGRAM, QEMU_PROGRAM, KEEPALIVE_PROGRAM };

    while (size >= 7) {
        size_t length = MIN(data[6], size - 7);
        const FrameHeader header = {
            .program = programs[data[5] % G_N_ELEMENTS(programs)],
            .version = 1,
            .procedure = data[0] << 8 | data[1],
            .type = data[2],
            .serial = data[3] < 128 ? data[3] : RPC_CLIENT_FIRST_SERIAL + data[3] - 128,
            .status = data[4],
        };

        g_assert_true(frame_encode_raw(bytes, &header, data + 7, length, NULL));
        data += 7 + length;
        size -= 7 + length;
    }
}

/* Sockets only: libFuzzer opens pipes of its own, to a program that finds names. What is sent
 * along as a descriptor is a socket, too. */
static int count_sockets(void)
{
    struct stat status;
    int count = 0;

    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        count += fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
    return count;
}

static char *stage_make_root(void)
{
    char *root = g_strdup("/tmp/fuzz-upstream-XXXXXX");

    g_assert_nonnull(mkdtemp(root));
    return root;
}

/* Every sibling is at the same socket. */
static int stage_listen(const Paths *paths)
{
    g_autofree char *path = paths_join(paths->run_dir, "s");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_assert_cmpint(g_mkdir_with_parents(paths->run_dir, 0700), ==, 0);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 64), ==, 0);
    for (size_t i = 0; i < n_siblings; i++) {
        g_autofree char *name = paths_socket(paths->run_dir, siblings[i].program, SOCKET_MAIN, NULL);

        g_assert_cmpint(symlink("s", name), ==, 0);
    }
    return fd;
}

static Stage *stage_new(void)
{
    static const DaemonSpec specs[] = {
        { .name = "virtqemud", .uri_scheme = "qemu", .driver_type = "QEMU",
          .owner = WIRE_OWNER_DOMAIN, .routes_calls = true },
        { .name = "virtproxyd", .uri_scheme = "qemu", .owner = WIRE_OWNER_DOMAIN,
          .routes_calls = true, .is_proxy = true },
    };
    g_autofree char *root = stage_make_root();
    Stage *stage = g_new0(Stage, 1);

    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        stage->daemons[i] = fuzz_daemon_new(&specs[i], "qemu:///system");
        stage->daemons[i]->paths = paths_new(true, root, NULL);
        stage->daemons[i]->config->limits.keepalive_interval_s = 5;
        stage->daemons[i]->config->limits.keepalive_count = 5;
    }
    stage->listener = stage_listen(stage->daemons[0]->paths);
    stage->n_sockets = count_sockets();
    return stage;
}

static void step(Daemon *daemon, int count)
{
    for (int i = 0; i < count; i++)
        fiber_loop_step(daemon->loop, 0, NULL);
}

static void send_descriptor(int fd, const uint8_t *byte)
{
    struct iovec iov = { (void *)byte, 1 };
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    *(int *)CMSG_DATA(header) = fd;
    sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One connection of the router's: the sibling says its part and hangs up. */
static void sibling_speak(Daemon *daemon, int fd, const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) handshake = g_byte_array_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint8_t options = data[0];

    append_handshake(handshake);
    if (options & ANSWERS_HANDSHAKE) {
        fuzz_feed(fd, handshake->data, handshake->len);
        step(daemon, 8);
    }
    if (options & SENDS_RECORDS)
        append_records(bytes, data + 1, size - 1);
    else
        g_byte_array_append(bytes, data + 1, (guint)size - 1);
    for (guint i = 0; i < bytes->len;) {
        guint length = MIN(bytes->len - i, options & SENDS_DESCRIPTORS ? 64 : bytes->len);

        fuzz_feed(fd, bytes->data + i, length - 1);
        if (options & SENDS_DESCRIPTORS)
            send_descriptor(fd, bytes->data + i + length - 1);
        else
            fuzz_feed(fd, bytes->data + i + length - 1, 1);
        i += length;
    }
    step(daemon, 8);
    shutdown(fd, SHUT_WR);
}

static void run(Stage *stage, const uint8_t *data, size_t size)
{
    static const ServerListenerSpec spec = { SERVER_UNIX, SERVER_AUTH_NONE, false };
    Daemon *daemon = stage->daemons[data[0] & IS_PROXY];
    Server *server = g_ptr_array_index(daemon->servers, 0);
    g_autoptr(GByteArray) calls = client_bytes();
    int connections[CONNECTIONS_MAX], n_connections = 0, pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    server_add_connection(server, &spec, net_socket_new(pair[0]), NULL);
    fuzz_feed(pair[1], calls->data, calls->len);
    for (int i = 0; i < STEPS; i++) {
        int fd = accept4(stage->listener, NULL, NULL, SOCK_CLOEXEC);

        step(daemon, 1);
        if (fd >= 0 && n_connections < CONNECTIONS_MAX) {
            connections[n_connections++] = fd;
            sibling_speak(daemon, fd, data, size);
        } else if (fd >= 0) {
            close(fd);
        }
        if (i == STEPS / 2 && data[0] & CLIENT_GOES_FIRST)
            shutdown(pair[1], SHUT_RDWR);
    }
    close(pair[1]);
    for (int i = 0; i < n_connections; i++)
        close(connections[i]);
    for (int i = 0; i < STEPS_MAX && server_get_n_clients(server) + server_get_n_calls(server) > 0;
         i++)
        fiber_loop_step(daemon->loop, 1000, NULL);
    step(daemon, 8);
    g_assert_cmpuint(server_get_n_clients(server), ==, 0);
    g_assert_cmpuint(server_get_n_calls(server), ==, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Stage *stage;
    int fd;

    if (!stage)
        stage = stage_new();
    if (size < 1)
        return 0;
    run(stage, data, size);
    while ((fd = accept4(stage->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(fd);
    g_assert_cmpint(count_sockets(), ==, stage->n_sockets);
    return 0;
}
