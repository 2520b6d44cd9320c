#include "common/rpc_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/sibling.h"
#include "fiber_fixture.h"
#include "wire/remote.h"
#include "wire/remote_connect.h"
#include "wire/wire_error.h"

/* A client and, on the other end of a socket pair, a peer whose answers the test decides. */
typedef struct Fixture {
    FiberLoop *loop;
    ChannelPool *pool;
    RpcClient *rpc;
    Channel *peer;
    bool is_silent, answers_with_error, answers_wrongly, answers_with_fd;
    FrameHeader last; /* what the peer received */
    size_t n_received, n_others, n_closed;
    GPtrArray *held; /* of FrameHeader: calls that a silent peer will answer later */
} Fixture;

static void peer_send(Fixture *fixture, const FrameHeader *call, uint32_t status, xdrproc_t codec,
                      const void *value)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();
    FrameHeader header = *call;
    struct iovec iov;
    int fd = STDERR_FILENO;

    header.type = fixture->answers_with_fd ? VIR_NET_REPLY_WITH_FDS : VIR_NET_REPLY;
    header.status = status;
    if (fixture->answers_with_fd)
        g_assert_true(frame_encode_with_fds(frame, &header, 1, codec, value, NULL));
    else
        g_assert_true(frame_encode(frame, &header, codec, value, NULL));
    iov = (struct iovec){ frame->data, frame->len };
    channel_send(fixture->peer, &iov, 1, &fd, fixture->answers_with_fd ? 1 : 0);
}

static void peer_answer(Fixture *fixture, const FrameHeader *call)
{
    remote_connect_supports_feature_ret ret = { (int)call->serial };
    remote_connect_get_type_ret wrong = { (char *)"not a number" };
    g_autoptr(GError) error = NULL;
    virNetMessageError wire_error;

    if (fixture->answers_wrongly) {
        peer_send(fixture, call, VIR_NET_OK, XDR_PROC(remote_connect_get_type_ret), &wrong);
    } else if (fixture->answers_with_error) {
        error_set(&error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no such thing");
        wire_error_from_gerror(error, &wire_error);
        peer_send(fixture, call, VIR_NET_ERROR, XDR_PROC(virNetMessageError), &wire_error);
        wire_error_clear(&wire_error);
    } else {
        peer_send(fixture, call, VIR_NET_OK, XDR_PROC(remote_connect_supports_feature_ret), &ret);
    }
}

static void peer_on_message(Channel *channel, const Message *message, void *owner)
{
    Fixture *fixture = owner;

    fixture->last = message->header;
    fixture->n_received++;
    if (fixture->is_silent)
        g_ptr_array_add(fixture->held, g_memdup2(&message->header, sizeof(FrameHeader)));
    else
        peer_answer(fixture, &message->header);
}

static void client_on_message(RpcClient *rpc, const Message *message, void *owner)
{
    ((Fixture *)owner)->n_others++;
}

static void client_on_closed(RpcClient *rpc, const GError *reason, void *owner)
{
    ((Fixture *)owner)->n_closed++;
}

static void fixture_run_with(void (*test)(void *data))
{
    static const ChannelHandler peer_handler = { .message = peer_on_message };
    static const RpcClientHandler handler = { .message = client_on_message,
                                              .closed = client_on_closed };
    const ChannelLimits limits = { FRAME_LENGTH_ORDINARY_MAX, 1024 * 1024 };
    Fixture fixture = { .loop = fixture_loop_new() };
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    fixture.held = g_ptr_array_new_with_free_func(g_free);
    fixture.pool = channel_pool_new(fixture.loop, NULL);
    fixture.peer = channel_new(fixture.pool, net_socket_new(fds[0]), &limits, &peer_handler,
                               &fixture);
    g_assert_true(channel_start(fixture.peer, NULL));
    fixture.rpc = rpc_client_new(fixture.pool, net_socket_new(fds[1]), &handler, &fixture, NULL);
    g_assert_nonnull(fixture.rpc);
    fiber_unref(fixture_spawn(fixture.loop, test, &fixture));
    fixture_loop_drain(fixture.loop);
    rpc_client_unref(fixture.rpc);
    channel_unref(fixture.peer);
    channel_pool_free(fixture.pool);
    g_ptr_array_unref(fixture.held);
    fiber_loop_free(fixture.loop);
}

typedef struct FeatureCall {
    remote_connect_supports_feature_args args;
    remote_connect_supports_feature_ret ret;
    RpcCall call;
} FeatureCall;

static RpcCall *feature_call_init(FeatureCall *feature)
{
    *feature = (FeatureCall){
        .call = { .program = REMOTE_PROGRAM,
                  .version = REMOTE_PROTOCOL_VERSION,
                  .procedure = REMOTE_PROC_CONNECT_SUPPORTS_FEATURE,
                  .args_codec = XDR_PROC(remote_connect_supports_feature_args),
                  .ret_codec = XDR_PROC(remote_connect_supports_feature_ret) },
    };
    feature->call.args = &feature->args;
    feature->call.ret = &feature->ret;
    return &feature->call;
}

SUSPENDS static void assert_call_fails(Fixture *fixture, uint64_t patience_ms, int code)
{
    FeatureCall feature;
    g_autoptr(GError) error = NULL;

    g_assert_false(rpc_client_call(fixture->rpc, feature_call_init(&feature),
                                   fiber_deadline_ms(patience_ms), &error));
    assert_error_code(error, code);
}

SUSPENDS static void assert_call_works(Fixture *fixture)
{
    FeatureCall feature;
    g_autoptr(GError) error = NULL;

    rpc_client_call(fixture->rpc, feature_call_init(&feature), fiber_deadline_ms(5000), &error);
    g_assert_no_error(error);
    g_assert_cmpuint((uint32_t)feature.ret.supported, ==, fixture->last.serial);
}

static void call_returns_the_reply(void *data)
{
    assert_call_works(data);
}

static void error_reply_is_the_error(void *data)
{
    Fixture *fixture = data;

    fixture->answers_with_error = true;
    assert_call_fails(fixture, 5000, VIR_ERR_NO_NETWORK);
}

static void reply_of_another_type_is_an_error(void *data)
{
    Fixture *fixture = data;

    fixture->answers_wrongly = true;
    assert_call_fails(fixture, 5000, VIR_ERR_RPC);
}

static void late_reply_is_dropped(void *data)
{
    Fixture *fixture = data;

    fixture->is_silent = true;
    assert_call_fails(fixture, 20, VIR_ERR_OPERATION_TIMEOUT);
    fixture->is_silent = false;
    peer_answer(fixture, g_ptr_array_index(fixture->held, 0));
    assert_call_works(fixture);
    g_assert_cmpuint(fixture->n_others, ==, 1);
}

static void calls_in_flight_are_answered_in_any_order(void *data)
{
    Fixture *fixture = data;
    FeatureCall features[100];
    RpcReply *replies[G_N_ELEMENTS(features)];

    fixture->is_silent = true;
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++)
        replies[i] = rpc_client_send(fixture->rpc, feature_call_init(&features[i]), NULL);
    while (fixture->n_received < G_N_ELEMENTS(features))
        g_assert_true(fiber_sleep(1000, NULL));
    for (guint i = fixture->held->len; i > 0; i--)
        peer_answer(fixture, g_ptr_array_index(fixture->held, i - 1));
    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        g_autoptr(GError) error = NULL;

        rpc_reply_wait(replies[i], &features[i].call, fiber_deadline_ms(5000), &error);
        g_assert_no_error(error);
        g_assert_cmpuint((uint32_t)features[i].ret.supported, ==, RPC_CLIENT_FIRST_SERIAL + i);
    }
}

static void peer_that_goes_fails_the_calls_in_flight(void *data)
{
    Fixture *fixture = data;
    FeatureCall feature;
    g_autoptr(GError) error = NULL;
    RpcReply *reply = rpc_client_send(fixture->rpc, feature_call_init(&feature), NULL);

    channel_close(fixture->peer);
    g_assert_false(rpc_reply_wait(reply, &feature.call, fiber_deadline_ms(5000), &error));
    assert_error_code(error, VIR_ERR_RPC);
    g_assert_cmpuint(fixture->n_closed, ==, 1);
    assert_call_fails(fixture, 5000, VIR_ERR_RPC);
}

static void reply_that_nobody_waits_for_any_more_can_be_freed(void *data)
{
    Fixture *fixture = data;
    FeatureCall feature;

    rpc_reply_free(rpc_client_send(fixture->rpc, feature_call_init(&feature), NULL));
    assert_call_works(fixture);
    g_assert_cmpuint(fixture->n_others, ==, 1);
}

static void descriptors_of_a_reply_are_handed_over(void *data)
{
    Fixture *fixture = data;
    FeatureCall feature;
    MessageFds fds = { .n_fds = 0 };
    g_autoptr(GError) error = NULL;

    fixture->answers_with_fd = true;
    feature_call_init(&feature)->ret_fds = &fds;
    rpc_client_call(fixture->rpc, &feature.call, fiber_deadline_ms(5000), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(fds.n_fds, ==, 1);
    close(fds.fds[0]);
}

static void frames_that_answer_nothing_go_to_the_owner(void *data)
{
    Fixture *fixture = data;
    FrameHeader header = { .program = REMOTE_PROGRAM, .serial = 3, .procedure = 1 };

    peer_send(fixture, &header, VIR_NET_OK, NULL, NULL);
    while (fixture->n_others == 0)
        g_assert_true(fiber_sleep(1000, NULL));
}

static void test_uri_names_its_sibling(void)
{
    g_assert_cmpstr(sibling_find_uri("qemu:///system")->program, ==, "virtqemud");
    g_assert_cmpstr(sibling_find_uri("network+unix:///session")->program, ==, "virtnetworkd");
    g_assert_cmpstr(sibling_find_uri("secret://host/system")->program, ==, "virtsecretd");
}

static void test_unknown_uri_names_no_sibling(void)
{
    g_assert_null(sibling_find_uri("nosuch:///system"));
    g_assert_null(sibling_find_uri("qem:///system"));
    g_assert_null(sibling_find_uri("qemux:///system"));
    g_assert_null(sibling_find_uri("qemu"));
    g_assert_null(sibling_find_uri(""));
    g_assert_null(sibling_find_uri("://"));
}

static void test_every_driver_has_a_sibling(void)
{
    for (int owner = WIRE_OWNER_DOMAIN; owner <= WIRE_OWNER_NWFILTER; owner++)
        g_assert_nonnull(sibling_find_owner((WireOwner)owner));
    g_assert_null(sibling_find_owner(WIRE_OWNER_SELF));
    g_assert_null(sibling_find_owner(WIRE_OWNER_PRIMARY));
}

#define FIBER_TEST(NAME)                                                                           \
    static void test_##NAME(void)                                                                  \
    {                                                                                              \
        fixture_run_with(NAME);                                                                    \
    }
FIBER_TEST(call_returns_the_reply)
FIBER_TEST(error_reply_is_the_error)
FIBER_TEST(reply_of_another_type_is_an_error)
FIBER_TEST(late_reply_is_dropped)
FIBER_TEST(calls_in_flight_are_answered_in_any_order)
FIBER_TEST(peer_that_goes_fails_the_calls_in_flight)
FIBER_TEST(reply_that_nobody_waits_for_any_more_can_be_freed)
FIBER_TEST(descriptors_of_a_reply_are_handed_over)
FIBER_TEST(frames_that_answer_nothing_go_to_the_owner)

#define ADD(NAME) g_test_add_func("/rpc-client/" #NAME, test_##NAME)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(call_returns_the_reply);
    ADD(error_reply_is_the_error);
    ADD(reply_of_another_type_is_an_error);
    ADD(late_reply_is_dropped);
    ADD(calls_in_flight_are_answered_in_any_order);
    ADD(peer_that_goes_fails_the_calls_in_flight);
    ADD(reply_that_nobody_waits_for_any_more_can_be_freed);
    ADD(descriptors_of_a_reply_are_handed_over);
    ADD(frames_that_answer_nothing_go_to_the_owner);
    ADD(uri_names_its_sibling);
    ADD(unknown_uri_names_no_sibling);
    ADD(every_driver_has_a_sibling);
    return g_test_run();
}
