/* The queue of what a channel still has to send, over a real pair of sockets. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/output_queue.h"

typedef struct Fixture {
    OutputQueue queue;
    NetSocket *socket;
    int peer;
} Fixture;

static void fixture_set_up(Fixture *fixture, gconstpointer data)
{
    int pair[2];
    int size = 4096;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    fixture->queue = (OutputQueue){ 0 };
    fixture->socket = net_socket_new(pair[0]);
    fixture->peer = pair[1];
}

static void fixture_tear_down(Fixture *fixture, gconstpointer data)
{
    output_queue_clear(&fixture->queue);
    net_socket_free(fixture->socket);
    close(fixture->peer);
}

static void append(Fixture *fixture, const char *text, size_t skip)
{
    struct iovec iov = { (void *)text, strlen(text) };

    output_queue_append(&fixture->queue, &iov, 1, skip);
}

static void insert_urgent(Fixture *fixture, const char *text)
{
    output_queue_insert_urgent(&fixture->queue, (const uint8_t *)text, strlen(text));
}

static void assert_arrives(Fixture *fixture, const char *text)
{
    char buffer[256] = "";

    g_assert_cmpint(output_queue_flush(&fixture->queue, fixture->socket), ==, 0);
    g_assert_cmpuint(fixture->queue.n_bytes, ==, 0);
    g_assert_cmpint(recv(fixture->peer, buffer, sizeof(buffer) - 1, 0), >, 0);
    g_assert_cmpstr(buffer, ==, text);
}

static void test_urgent_goes_before_what_has_not_begun(Fixture *fixture, gconstpointer data)
{
    append(fixture, "first second", 0);
    insert_urgent(fixture, "urgent ");
    assert_arrives(fixture, "urgent first second");
}

static void test_urgent_waits_for_the_frame_that_has_begun(Fixture *fixture, gconstpointer data)
{
    append(fixture, "first ", 2);
    insert_urgent(fixture, "urgent");
    assert_arrives(fixture, "rst urgent");
}

static void test_urgent_is_not_put_before_descriptors_of_a_frame(Fixture *fixture,
                                                                 gconstpointer data)
{
    append(fixture, "frame", 3);
    output_queue_append_fd(&fixture->queue, dup(fixture->peer));
    insert_urgent(fixture, "urgent");
    g_assert_cmpint(output_queue_flush(&fixture->queue, fixture->socket), ==, 0);
    {
        char buffer[16] = "";

        /* A read ends behind the byte that carries the descriptor. */
        g_assert_cmpint(recv(fixture->peer, buffer, sizeof(buffer), 0), ==, 3);
        g_assert_cmpmem(buffer, 3, "me", 3);
        g_assert_cmpint(recv(fixture->peer, buffer, sizeof(buffer), 0), ==, 6);
        g_assert_cmpmem(buffer, 6, "urgent", 6);
    }
}

static void test_urgent_is_not_put_among_bytes_that_were_offered(Fixture *fixture,
                                                                 gconstpointer data)
{
    append(fixture, "first ", 0);
    fixture->queue.n_offered = fixture->queue.n_bytes;
    insert_urgent(fixture, "urgent");
    assert_arrives(fixture, "first urgent");
}

static void test_full_socket_keeps_the_rest(Fixture *fixture, gconstpointer data)
{
    g_autofree char *large = g_strnfill(1024 * 1024, 'x');
    char buffer[65536];
    size_t n_received = 0;

    append(fixture, large, 0);
    while (n_received < 1024 * 1024) {
        int result = output_queue_flush(&fixture->queue, fixture->socket);
        ssize_t n = recv(fixture->peer, buffer, sizeof(buffer), 0);

        g_assert_true(result == 0 || result == -EAGAIN);
        g_assert_cmpint(n, >, 0);
        n_received += (size_t)n;
    }
    g_assert_null(fixture->queue.first);
    g_assert_cmpuint(fixture->queue.n_bytes, ==, 0);
}

static void test_clear_closes_descriptors(Fixture *fixture, gconstpointer data)
{
    int fd = dup(fixture->peer);

    output_queue_append_fd(&fixture->queue, fd);
    output_queue_clear(&fixture->queue);
    g_assert_cmpint(close(fd), ==, -1);
    g_assert_cmpuint(fixture->queue.n_bytes, ==, 0);
}

#define ADD(NAME)                                                                                  \
    g_test_add("/output_queue/" #NAME, Fixture, NULL, fixture_set_up, test_##NAME,                 \
               fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(urgent_goes_before_what_has_not_begun);
    ADD(urgent_waits_for_the_frame_that_has_begun);
    ADD(urgent_is_not_put_before_descriptors_of_a_frame);
    ADD(urgent_is_not_put_among_bytes_that_were_offered);
    ADD(full_socket_keeps_the_rest);
    ADD(clear_closes_descriptors);
    return g_test_run();
}
