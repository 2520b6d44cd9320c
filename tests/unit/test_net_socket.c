#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "net/address.h"
#include "net/credentials.h"
#include "net_testing.h"

static ssize_t send_text(NetSocket *socket, const char *text, const int *fds, size_t n_fds)
{
    struct iovec iov = testing_iov(text);

    return net_socket_send(socket, &iov, 1, fds, n_fds);
}

/* Sends one byte with @n_fds copies of one descriptor, as any peer may. */
static void peer_send_fds(int peer, int n_fds)
{
    g_autoptr(NetSocket) sender = net_socket_new(dup(peer));
    int fds[NET_SOCKET_MAX_FDS];

    for (int i = 0; i < n_fds; i++)
        fds[i] = STDERR_FILENO;
    g_assert_cmpint(send_text(sender, "x", fds, (size_t)n_fds), ==, 1);
}

static void test_bytes_arrive_in_order(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    char buffer[16];
    size_t n_fds = 9;
    struct iovec iov[] = { testing_iov("one "), testing_iov("two") };

    g_assert_cmpint(net_socket_send(socket, iov, 2, NULL, 0), ==, 7);
    g_assert_cmpint(read(peer, buffer, sizeof(buffer)), ==, 7);
    g_assert_cmpmem(buffer, 7, "one two", 7);
    g_assert_cmpint(write(peer, "back", 4), ==, 4);
    g_assert_cmpint(net_socket_receive(socket, buffer, sizeof(buffer), NULL, 0, &n_fds), ==, 4);
    g_assert_cmpmem(buffer, 4, "back", 4);
    g_assert_cmpint(n_fds, ==, 0);
    close(peer);
}

static void test_nothing_to_receive_is_again(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    char buffer[4];
    size_t n_fds;

    g_assert_cmpint(net_socket_receive(socket, buffer, 4, NULL, 0, &n_fds), ==, -EAGAIN);
    g_assert_false(net_socket_has_pending(socket));
    g_assert_cmpuint(net_socket_get_events(socket, EPOLLIN), ==, EPOLLIN);
    close(peer);
}

static void test_end_of_stream_is_zero(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    char buffer[4];
    size_t n_fds;

    close(peer);
    g_assert_cmpint(net_socket_receive(socket, buffer, 4, NULL, 0, &n_fds), ==, 0);
}

static void test_sending_to_a_closed_peer_is_an_error_and_no_signal(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);

    close(peer);
    g_assert_cmpint(send_text(socket, "x", NULL, 0), ==, -EPIPE);
}

static void test_full_socket_is_again(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    static char bytes[65536];
    struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
    ssize_t n_sent = 0;
    ssize_t n_total = 0;

    while ((n_sent = net_socket_send(socket, &iov, 1, NULL, 0)) > 0)
        n_total += n_sent;
    g_assert_cmpint(n_sent, ==, -EAGAIN);
    g_assert_cmpint(n_total, >, 0);
    close(peer);
}

static void test_descriptors_arrive_close_on_exec(void)
{
    int peer;
    size_t n_before = testing_count_fds();
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    int fds[8];
    size_t n_fds;
    char buffer[8];

    peer_send_fds(peer, 2);
    g_assert_cmpint(net_socket_receive(socket, buffer, 8, fds, 8, &n_fds), ==, 1);
    g_assert_cmpint(n_fds, ==, 2);
    for (size_t i = 0; i < n_fds; i++) {
        g_assert_cmpint(fcntl(fds[i], F_GETFD), ==, FD_CLOEXEC);
        close(fds[i]);
    }
    g_assert_false(net_socket_has_lost_fds(socket));
    close(peer);
    g_clear_pointer(&socket, net_socket_free);
    g_assert_cmpint(testing_count_fds(), ==, n_before);
}

static void test_descriptors_end_the_bytes_of_one_receive(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    int fds[8];
    size_t n_fds;
    char buffer[8];

    g_assert_cmpint(write(peer, "abc", 3), ==, 3);
    peer_send_fds(peer, 1);
    peer_send_fds(peer, 1);
    g_assert_cmpint(net_socket_receive(socket, buffer, 8, fds, 8, &n_fds), ==, 4);
    g_assert_cmpint(n_fds, ==, 1);
    close(fds[0]);
    g_assert_cmpint(net_socket_receive(socket, buffer, 8, fds, 8, &n_fds), ==, 1);
    g_assert_cmpint(n_fds, ==, 1);
    close(fds[0]);
    close(peer);
}

static void check_surplus_is_closed(int n_sent, size_t max_fds)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    size_t n_before = testing_count_fds();
    int fds[NET_SOCKET_MAX_FDS];
    size_t n_fds;
    char buffer[8];

    peer_send_fds(peer, n_sent);
    g_assert_cmpint(net_socket_receive(socket, buffer, 8, fds, max_fds, &n_fds), ==, 1);
    g_assert_cmpint(n_fds, ==, max_fds);
    g_assert_cmpint(testing_count_fds(), ==, n_before + max_fds);
    g_assert_true(net_socket_has_lost_fds(socket));
    for (size_t i = 0; i < n_fds; i++)
        close(fds[i]);
    close(peer);
}

static void test_descriptors_over_the_limit_are_closed(void)
{
    check_surplus_is_closed(2, 1);
    check_surplus_is_closed(NET_SOCKET_MAX_FDS, 1);
    check_surplus_is_closed(9, 8);
}

static void test_descriptors_that_nobody_expects_are_closed(void)
{
    check_surplus_is_closed(1, 0);
    check_surplus_is_closed(NET_SOCKET_MAX_FDS, 0);
}

static void test_descriptors_without_room_in_the_process_are_noticed(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    struct rlimit limit;
    struct rlimit tight;
    int fds[8];
    size_t n_fds;
    char buffer[8];

    peer_send_fds(peer, 3);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    int next = dup(peer);
    close(next);
    tight = (struct rlimit){ .rlim_cur = (rlim_t)next + 1, .rlim_max = limit.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &tight), ==, 0);
    g_assert_cmpint(net_socket_receive(socket, buffer, 8, fds, 8, &n_fds), ==, 1);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    g_assert_cmpint(n_fds, <, 3);
    g_assert_true(net_socket_has_lost_fds(socket));
    for (size_t i = 0; i < n_fds; i++)
        close(fds[i]);
    close(peer);
}

static void test_too_many_descriptors_are_not_sent(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    int fds[NET_SOCKET_MAX_FDS + 1] = { 0 };

    g_assert_cmpint(send_text(socket, "x", fds, G_N_ELEMENTS(fds)), ==, -EINVAL);
    close(peer);
}

/* A connected pair of TCP sockets on the loopback. */
static NetSocket *tcp_pair(int *ret_peer)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t length = sizeof(any);
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (void *)&any, sizeof(any)) < 0) {
        g_test_skip("no IPv6 here");
        return NULL;
    }
    g_assert_cmpint(listen(listener, 1), ==, 0);
    g_assert_cmpint(getsockname(listener, (void *)&any, &length), ==, 0);
    *ret_peer = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(*ret_peer, (void *)&any, sizeof(any)), ==, 0);
    int fd = accept(listener, NULL, NULL);
    close(listener);
    return net_socket_new(fd);
}

static void test_tcp_carries_no_descriptors(void)
{
    int peer;
    g_autoptr(NetSocket) socket = tcp_pair(&peer);
    int fd = STDERR_FILENO;

    if (!socket)
        return;
    g_assert_false(net_socket_is_unix(socket));
    g_assert_cmpint(send_text(socket, "x", &fd, 1), ==, -EOPNOTSUPP);
    g_assert_cmpint(send_text(socket, "x", NULL, 0), ==, 1);
    close(peer);
}

static void test_tcp_address_has_brackets_and_port(void)
{
    int peer;
    g_autoptr(NetSocket) socket = tcp_pair(&peer);

    if (!socket)
        return;
    g_autofree char *seen = net_address_peer(net_socket_get_fd(socket));
    g_autofree char *own = net_address_local(peer);
    g_assert_true(g_str_has_prefix(seen, "[::1]:"));
    g_assert_cmpstr(seen, ==, own);
    close(peer);
}

static void test_credentials_of_a_peer_are_its_own(void)
{
    int peer;
    g_autoptr(NetSocket) socket = testing_socket_pair(&peer);
    g_auto(NetCredentials) credentials = { 0 };
    gid_t groups[256];
    int n_groups = getgroups(G_N_ELEMENTS(groups), groups);

    g_assert_true(net_socket_is_unix(socket));
    g_assert_true(net_credentials_read(peer, &credentials, NULL));
    net_credentials_complete(peer, &credentials);
    g_assert_true(credentials.has_pid);
    g_assert_cmpint(credentials.pid, ==, getpid());
    g_assert_cmpuint(credentials.uid, ==, geteuid());
    g_assert_cmpuint(credentials.gid, ==, getegid());
    g_assert_cmpuint(credentials.process_start_time, >, 0);
    g_assert_cmpint(credentials.n_groups, ==, n_groups);
    for (int i = 0; i < n_groups; i++)
        g_assert_true(net_credentials_has_group(&credentials, groups[i]));
    g_assert_false(net_credentials_has_group(&credentials, 3999999));
    close(peer);
}

static void test_credentials_copy_is_independent(void)
{
    NetCredentials first = { .uid = 7, .groups = g_new0(gid_t, 2), .n_groups = 2 };
    g_auto(NetCredentials) copy = { 0 };

    first.groups[1] = 42;
    first.selinux_label = g_strdup("user_u:role_r:type_t:s0");
    net_credentials_copy(&first, &copy);
    net_credentials_clear(&first);
    g_assert_cmpuint(copy.uid, ==, 7);
    g_assert_true(net_credentials_has_group(&copy, 42));
    g_assert_cmpstr(copy.selinux_label, ==, "user_u:role_r:type_t:s0");
}

static void test_credentials_of_tcp_are_an_error(void)
{
    int peer;
    g_autoptr(NetSocket) socket = tcp_pair(&peer);
    NetCredentials credentials;
    GError *error = NULL;

    if (!socket)
        return;
    g_assert_false(net_credentials_read(peer, &credentials, &error));
    testing_assert_error(error, VIR_ERR_SYSTEM_ERROR, "other end");
    close(peer);
}

#define ADD(name) g_test_add_func("/net/socket/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(bytes_arrive_in_order);
    ADD(nothing_to_receive_is_again);
    ADD(end_of_stream_is_zero);
    ADD(sending_to_a_closed_peer_is_an_error_and_no_signal);
    ADD(full_socket_is_again);
    ADD(descriptors_arrive_close_on_exec);
    ADD(descriptors_end_the_bytes_of_one_receive);
    ADD(descriptors_over_the_limit_are_closed);
    ADD(descriptors_that_nobody_expects_are_closed);
    ADD(descriptors_without_room_in_the_process_are_noticed);
    ADD(too_many_descriptors_are_not_sent);
    ADD(tcp_carries_no_descriptors);
    ADD(tcp_address_has_brackets_and_port);
    ADD(credentials_of_a_peer_are_its_own);
    ADD(credentials_copy_is_independent);
    ADD(credentials_of_tcp_are_an_error);
    return g_test_run();
}
