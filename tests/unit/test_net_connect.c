#include <errno.h>

#include "net/address.h"
#include "net/connect.h"
#include "net/listener.h"
#include "net_testing.h"

typedef struct Fixture {
    char *folder;
    char *path;
    NetListener *listener;
    FiberLoop *loop;
    uint64_t timeout_ms;
    /* What connecting gave. */
    const char *port; /* not NULL: TCP */
    NetSocket *socket;
    int reason;
    GError *error;
} Fixture;

static void fixture_set_up(Fixture *fixture, const void *data)
{
    NetUnixOptions options = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1, .backlog = 1 };

    fixture->folder = testing_make_folder();
    fixture->path = g_build_filename(fixture->folder, "sock", NULL);
    fixture->listener = net_listener_new_unix(fixture->path, &options, NULL);
    fixture->loop = fiber_loop_new(NULL);
    fixture->timeout_ms = 5000;
    g_assert_nonnull(fixture->loop);
}

static void fixture_tear_down(Fixture *fixture, const void *data)
{
    fiber_loop_free(fixture->loop);
    net_socket_free(fixture->socket);
    net_listener_free(fixture->listener);
    g_free(fixture->path);
    testing_remove_folder(fixture->folder);
}

static void connect_fiber(void *data)
{
    Fixture *fixture = data;
    uint64_t deadline_us = fiber_deadline_ms(fixture->timeout_ms);

    fixture->socket =
        fixture->port ? net_connect_tcp("127.0.0.1", fixture->port, deadline_us, &fixture->error)
                      : net_connect_unix(fixture->path, deadline_us, &fixture->error);
    fixture->reason = fixture->socket ? 0 : errno;
    fiber_loop_quit(fixture->loop, 0);
}

static void fixture_connect(Fixture *fixture)
{
    int code;

    g_assert_true(fiber_spawn(fixture->loop, "connect", connect_fiber, fixture, NULL, NULL));
    g_assert_true(fiber_loop_run(fixture->loop, &code, NULL));
}

static void test_listener_is_reached(Fixture *fixture, const void *data)
{
    g_autoptr(NetSocket) accepted = NULL;

    fixture_connect(fixture);
    g_assert_no_error(fixture->error);
    g_assert_cmpint(net_listener_accept(fixture->listener, &accepted), ==, 0);
}

static void test_missing_socket_is_enoent(Fixture *fixture, const void *data)
{
    g_clear_pointer(&fixture->listener, net_listener_free);
    fixture_connect(fixture);
    g_assert_cmpint(fixture->reason, ==, ENOENT);
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, fixture->path);
}

static void test_socket_nobody_listens_at_is_refused(Fixture *fixture, const void *data)
{
    g_auto(NetUnixAddress) address = { .folder_fd = -1 };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_clear_pointer(&fixture->listener, net_listener_free);
    g_assert_true(net_unix_address_init(&address, fixture->path, NULL));
    g_assert_cmpint(bind(fd, (void *)&address.address, address.length), ==, 0);
    fixture_connect(fixture);
    g_assert_cmpint(fixture->reason, ==, ECONNREFUSED);
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, fixture->path);
    close(fd);
    g_unlink(fixture->path);
}

/* Fills the listener's queue (of backlog 1). */
static void fill_queue(Fixture *fixture, NetSocket **ret_sockets, size_t n_sockets)
{
    for (size_t i = 0; i < n_sockets; i++) {
        fixture_connect(fixture);
        g_assert_no_error(fixture->error);
        ret_sockets[i] = g_steal_pointer(&fixture->socket);
    }
}

static void test_full_queue_times_out(Fixture *fixture, const void *data)
{
    NetSocket *waiting[2];

    fill_queue(fixture, waiting, 2);
    fixture->timeout_ms = 50;
    fixture_connect(fixture);
    g_assert_cmpint(fixture->reason, ==, ETIMEDOUT);
    testing_assert_error(fixture->error, VIR_ERR_OPERATION_TIMEOUT, fixture->path);
    net_socket_free(waiting[0]);
    net_socket_free(waiting[1]);
}

static void accept_fiber(void *data)
{
    Fixture *fixture = data;
    NetSocket *accepted = NULL;

    fiber_sleep(20000, NULL);
    g_assert_cmpint(net_listener_accept(fixture->listener, &accepted), ==, 0);
    net_socket_free(accepted);
}

static void test_full_queue_is_waited_for(Fixture *fixture, const void *data)
{
    NetSocket *waiting[2];

    fill_queue(fixture, waiting, 2);
    g_assert_true(fiber_spawn(fixture->loop, "accept", accept_fiber, fixture, NULL, NULL));
    fixture_connect(fixture);
    g_assert_no_error(fixture->error);
    net_socket_free(waiting[0]);
    net_socket_free(waiting[1]);
}

static void test_failures_leave_no_descriptor(Fixture *fixture, const void *data)
{
    size_t n_before = testing_count_fds();

    g_clear_pointer(&fixture->path, g_free);
    fixture->path = g_build_filename(fixture->folder, "other", NULL);
    for (int i = 0; i < 3; i++) {
        fixture_connect(fixture);
        g_assert_cmpint(fixture->reason, ==, ENOENT);
        g_clear_error(&fixture->error);
    }
    g_assert_cmpint(testing_count_fds(), ==, n_before);
}

static void test_tcp_listener_is_reached(Fixture *fixture, const void *data)
{
    g_autoptr(GPtrArray) listeners =
        g_ptr_array_new_with_free_func((GDestroyNotify)net_listener_free);
    g_autoptr(NetSocket) accepted = NULL;

    g_assert_true(net_listener_add_tcp(listeners, "127.0.0.1", "0", 1, NULL));
    fixture->port = strrchr(net_listener_get_address(listeners->pdata[0]), ':') + 1;
    fixture_connect(fixture);
    g_assert_no_error(fixture->error);
    g_assert_cmpint(net_listener_accept(listeners->pdata[0], &accepted), ==, 0);
}

static void test_tcp_port_nobody_listens_at_is_refused(Fixture *fixture, const void *data)
{
    g_autoptr(GPtrArray) listeners =
        g_ptr_array_new_with_free_func((GDestroyNotify)net_listener_free);

    g_assert_true(net_listener_add_tcp(listeners, "127.0.0.1", "0", 1, NULL));
    g_autofree char *address = g_strdup(net_listener_get_address(listeners->pdata[0]));
    g_ptr_array_set_size(listeners, 0);
    fixture->port = strrchr(address, ':') + 1;
    fixture_connect(fixture);
    g_assert_cmpint(fixture->reason, ==, ECONNREFUSED);
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, address);
}

#define ADD(name)                                                                                  \
    g_test_add("/net/connect/" #name, Fixture, NULL, fixture_set_up, test_##name, fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(listener_is_reached);
    ADD(missing_socket_is_enoent);
    ADD(socket_nobody_listens_at_is_refused);
    ADD(full_queue_times_out);
    ADD(full_queue_is_waited_for);
    ADD(failures_leave_no_descriptor);
    ADD(tcp_listener_is_reached);
    ADD(tcp_port_nobody_listens_at_is_refused);
    return g_test_run();
}
