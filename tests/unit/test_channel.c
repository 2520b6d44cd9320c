#include "common/channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fiber_fixture.h"

/* A channel whose peer, a bare descriptor, reads only when the test says so. */
typedef struct Fixture {
    FiberLoop *loop;
    ChannelPool *pool;
    Channel *channel;
    int peer;
    unsigned n_messages, n_drained, n_closed;
    bool closes_when_drained;
} Fixture;

static void on_message(Channel *channel, const Message *message, void *owner)
{
    ((Fixture *)owner)->n_messages++;
}

static void on_closed(Channel *channel, const GError *reason, void *owner)
{
    ((Fixture *)owner)->n_closed++;
}

static void on_drained(Channel *channel, void *owner)
{
    Fixture *fixture = owner;

    fixture->n_drained++;
    if (fixture->closes_when_drained)
        channel_close(channel);
}

static const ChannelHandler handler = {
    .message = on_message,
    .closed = on_closed,
    .drained = on_drained,
};

static void fixture_set_up(Fixture *fixture, const void *data)
{
    const ChannelLimits limits = { 65536, 64 * 1024 * 1024 };
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
    fixture->loop = fixture_loop_new();
    fixture->pool = channel_pool_new(fixture->loop, NULL);
    fixture->peer = fds[0];
    fixture->channel = channel_new(fixture->pool, net_socket_new(fds[1]), &limits, &handler,
                                   fixture);
    g_assert_true(channel_start(fixture->channel, NULL));
}

static void fixture_tear_down(Fixture *fixture, const void *data)
{
    channel_close(fixture->channel);
    channel_unref(fixture->channel);
    close(fixture->peer);
    channel_pool_free(fixture->pool);
    fiber_loop_free(fixture->loop);
}

static void send_bytes(Fixture *fixture, size_t length)
{
    g_autofree uint8_t *bytes = g_malloc0(length);
    struct iovec iov = { bytes, length };

    channel_send(fixture->channel, &iov, 1, NULL, 0);
}

static void peer_read_all(Fixture *fixture)
{
    char buffer[65536];

    while (read(fixture->peer, buffer, sizeof(buffer)) > 0)
        ;
}

static void step(Fixture *fixture)
{
    g_assert_true(fiber_loop_step(fixture->loop, 1000, NULL));
}

static void test_drained_is_not_called_inside_of_a_send(Fixture *fixture, const void *data)
{
    send_bytes(fixture, 4 * CHANNEL_HIGH_WATER_BYTES);
    while (channel_get_queued_bytes(fixture->channel) >= CHANNEL_LOW_WATER_BYTES) {
        peer_read_all(fixture);
        send_bytes(fixture, 1);
        g_assert_cmpuint(fixture->n_drained, ==, 0);
    }
    while (fixture->n_drained == 0) {
        step(fixture);
        peer_read_all(fixture);
    }
    for (int i = 0; i < 5; i++)
        step(fixture);
    g_assert_cmpuint(fixture->n_drained, ==, 1);
}

static void test_handler_of_drained_may_close_the_channel(Fixture *fixture, const void *data)
{
    fixture->closes_when_drained = true;
    send_bytes(fixture, 4 * CHANNEL_HIGH_WATER_BYTES);
    /* The rest of a round, reading, must not happen any more. */
    g_assert_cmpint(write(fixture->peer, "\0\0\0", 3), ==, 3);
    while (fixture->n_drained == 0) {
        peer_read_all(fixture);
        step(fixture);
    }
    g_assert_true(channel_is_closed(fixture->channel));
    g_assert_cmpuint(fixture->n_closed, ==, 0);
}

static void peer_send_calls(Fixture *fixture, unsigned n_calls)
{
    FrameHeader header = { .length = FRAME_HEADER_SIZE, .program = 1, .type = VIR_NET_CALL };
    uint8_t bytes[FRAME_HEADER_SIZE];

    frame_header_encode(&header, bytes);
    for (unsigned i = 0; i < n_calls; i++)
        g_assert_cmpint(write(fixture->peer, bytes, sizeof(bytes)), ==, sizeof(bytes));
}

static void test_last_words_are_heard_in_a_pause(Fixture *fixture, const void *data)
{
    channel_pause(fixture->channel);
    peer_send_calls(fixture, 3);
    for (int i = 0; i < 5; i++)
        step(fixture);
    g_assert_cmpuint(fixture->n_messages, ==, 0);
    close(fixture->peer);
    fixture->peer = -1;
    while (fixture->n_closed == 0)
        step(fixture);
    g_assert_cmpuint(fixture->n_messages, ==, 3);
}

static void test_peer_that_only_stops_sending_waits_for_the_end_of_a_pause(Fixture *fixture,
                                                                           const void *data)
{
    channel_pause(fixture->channel);
    peer_send_calls(fixture, 3);
    g_assert_cmpint(shutdown(fixture->peer, SHUT_WR), ==, 0);
    for (int i = 0; i < 5; i++)
        step(fixture);
    g_assert_cmpuint(fixture->n_messages + fixture->n_closed, ==, 0);
    channel_resume(fixture->channel);
    while (fixture->n_closed == 0)
        step(fixture);
    g_assert_cmpuint(fixture->n_messages, ==, 3);
}

#define ADD(NAME)                                                                                  \
    g_test_add("/channel/" #NAME, Fixture, NULL, fixture_set_up, test_##NAME, fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(drained_is_not_called_inside_of_a_send);
    ADD(handler_of_drained_may_close_the_channel);
    ADD(last_words_are_heard_in_a_pause);
    ADD(peer_that_only_stops_sending_waits_for_the_end_of_a_pause);
    return g_test_run();
}
