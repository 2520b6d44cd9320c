/* A QMP session against peers that do everything a QEMU can do wrong, over a socket pair. */
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fiber_fixture.h"
#include "fiber/sync.h"
#include "json/parse.h"
#include "json/get.h"
#include "virtqemud/qemu/qmp_private.h"

#define GREETING "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n"

typedef struct Fixture {
    FiberLoop *loop;
    QmpSession *session;
    int peer;
    GString *events, *closed;
    bool closes_in_event;
    void (*body)(struct Fixture *fixture);
} Fixture;

static void on_event(void *user, const char *name, const JsonValue *data, int64_t seconds,
                     int64_t micros)
{
    Fixture *fixture = user;

    g_string_append_printf(fixture->events, "%s/%s/%" PRId64 ".%" PRId64 " ", name,
                           data ? json_type_name(json_type(data)) : "-", seconds, micros);
    if (fixture->closes_in_event)
        qmp_session_close(fixture->session);
}

static void on_closed(void *user, const GError *why)
{
    Fixture *fixture = user;

    g_string_append_printf(fixture->closed, "[%s]", why->message);
}

static const QmpHandlers handlers = { on_event, on_closed };

static void peer_say(Fixture *fixture, const char *text)
{
    g_assert_cmpint(write(fixture->peer, text, strlen(text)), ==, (ssize_t) strlen(text));
}

/* Reads requests until there are @count lines; the text of all. */
static char *peer_read(Fixture *fixture, guint count)
{
    GString *text = g_string_new(NULL);

    while (count > 0) {
        char byte;

        g_assert_true(fiber_wait_fd(fixture->peer, EPOLLIN, fiber_deadline_ms(5000), NULL, NULL));
        g_assert_cmpint(read(fixture->peer, &byte, 1), ==, 1);
        g_string_append_c(text, byte);
        count -= byte == '\n';
    }
    return g_string_free(text, FALSE);
}

static void peer_greet(Fixture *fixture)
{
    g_autofree char *request = NULL;
    g_autoptr(GError) error = NULL;

    peer_say(fixture, GREETING);
    request = peer_read(fixture, 1);
    g_assert_cmpstr(request, ==, "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n");
    peer_say(fixture, "{\"return\":{},\"id\":1}\r\n");
    g_assert_true(qmp_session_negotiate(fixture->session, fiber_deadline_ms(5000), &error));
    g_assert_no_error(error);
}

static void run_body(void *data)
{
    Fixture *fixture = data;

    fixture->body(fixture);
}

/* The body runs in a fiber with a fresh session. */
static void test_in_session(gconstpointer body)
{
    Fixture fixture = { .loop = fixture_loop_new(), .body = (void (*)(Fixture *)) body };
    g_autoptr(GError) error = NULL;
    int pair[2];
    Fiber *fiber;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), ==, 0);
    fixture.peer = pair[0];
    fixture.events = g_string_new(NULL);
    fixture.closed = g_string_new(NULL);
    fixture.session = qmp_session_new(fixture.loop, pair[1], "d", &handlers, &fixture, &error);
    g_assert_no_error(error);
    fiber = fixture_spawn(fixture.loop, run_body, &fixture);
    fixture_loop_drain(fixture.loop);
    fiber_unref(fiber);
    qmp_session_free(fixture.session);
    fiber_loop_free(fixture.loop);
    if (fixture.peer >= 0)
        close(fixture.peer);
    g_string_free(fixture.events, TRUE);
    g_string_free(fixture.closed, TRUE);
}

static QmpCommand *send_command(Fixture *fixture, const char *name)
{
    g_autoptr(GError) error = NULL;
    QmpCommand *command = qmp_send(fixture->session, name, NULL, &error);

    g_assert_no_error(error);
    return command;
}

static void assert_wait_fails(QmpCommand *command, uint64_t ms, int code, const char *pattern)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(qmp_command_wait(command, fiber_deadline_ms(ms), NULL, &error));
    assert_error_code(error, code);
    if (!g_pattern_match_simple(pattern, error->message))
        g_error("'%s' is not like '%s'", error->message, pattern);
}

static void test_reply_is_returned(Fixture *fixture)
{
    g_autoptr(JsonValue) value = NULL;
    g_autoptr(GError) error = NULL;
    QmpCommand *command;
    const char *status;

    peer_greet(fixture);
    command = send_command(fixture, "query-status");
    peer_say(fixture, "{\"return\":{\"status\":\"paused\"},\"id\":2}\r\n");
    g_assert_true(qmp_command_wait(command, fiber_deadline_ms(5000), &value, &error));
    g_assert_true(json_object_get_string(value, "status", &status, NULL));
    g_assert_cmpstr(status, ==, "paused");
}

static void test_commands_may_precede_negotiation(Fixture *fixture)
{
    QmpCommand *command = send_command(fixture, "stop");
    g_autofree char *requests = peer_read(fixture, 2);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(strstr(requests, "{\"execute\":\"stop\",\"id\":2}"));
    peer_say(fixture, GREETING "{\"return\":{},\"id\":1}{\"return\":{},\"id\":2}");
    g_assert_true(qmp_command_wait(command, fiber_deadline_ms(5000), NULL, &error));
    g_assert_true(qmp_session_negotiate(fixture->session, fiber_deadline_ms(5000), &error));
    g_assert_no_error(error);
}

static void test_replies_are_matched_by_id(Fixture *fixture)
{
    g_autoptr(JsonValue) first = NULL, second = NULL;
    QmpCommand *a, *b;
    const char *text;

    peer_greet(fixture);
    a = send_command(fixture, "a");
    b = send_command(fixture, "b");
    peer_say(fixture, "{\"return\":\"of b\",\"id\":3}{\"return\":\"of a\",\"id\":2}");
    g_assert_true(qmp_command_wait(a, fiber_deadline_ms(5000), &first, NULL));
    g_assert_true(qmp_command_wait(b, fiber_deadline_ms(5000), &second, NULL));
    g_assert_true(json_as_string(first, "a", &text, NULL));
    g_assert_cmpstr(text, ==, "of a");
    g_assert_true(json_as_string(second, "b", &text, NULL));
    g_assert_cmpstr(text, ==, "of b");
}

static void test_qemus_error_is_reported(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    command = send_command(fixture, "cont");
    peer_say(fixture, "{\"id\":2,\"error\":{\"class\":\"GenericError\",\"desc\":\"no way\"}}");
    assert_wait_fails(command, 5000, VIR_ERR_INTERNAL_ERROR,
                      "*: unable to execute QEMU command 'cont': no way");
}

static void test_malformed_error_is_reported(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    command = send_command(fixture, "cont");
    peer_say(fixture, "{\"id\":2,\"error\":[7]}");
    assert_wait_fails(command, 5000, VIR_ERR_INTERNAL_ERROR, "*'cont': it gave no reason");
}

static void test_events_are_handed_out(Fixture *fixture)
{
    peer_greet(fixture);
    peer_say(fixture, "{\"timestamp\":{\"seconds\":7,\"microseconds\":8},\"event\":\"STOP\"}"
                      "{\"event\":\"X\",\"data\":{}}{\"event\":3}{\"event\":\"Y\",\"timestamp\":3}");
    fiber_sleep(20000, NULL);
    g_assert_cmpstr(fixture->events->str, ==, "STOP/-/7.8 X/object/-1.-1 Y/-/-1.-1 ");
}

static void test_deadline_passes(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    g_assert_cmpuint(qmp_session_unanswered_since_us(fixture->session), ==, 0);
    command = send_command(fixture, "query-status");
    assert_wait_fails(command, 20, VIR_ERR_OPERATION_TIMEOUT, "*domain 'd'*'query-status'*");
    g_assert_cmpuint(qmp_session_unanswered_since_us(fixture->session), >, 0);
    peer_say(fixture, "{\"return\":{},\"id\":2}");
    fiber_sleep(20000, NULL);
    g_assert_cmpuint(qmp_session_unanswered_since_us(fixture->session), ==, 0);
    g_assert_true(qmp_session_is_open(fixture->session));
}

static void test_strange_messages_are_ignored(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    command = send_command(fixture, "a");
    peer_say(fixture, "{}{\"return\":1}{\"return\":1,\"id\":99}{\"return\":1,\"id\":\"2\"}"
                      "{\"return\":1,\"id\":{}}{\"error\":{}}" GREETING "{\"return\":1,\"id\":1}");
    peer_say(fixture, "{\"return\":{},\"id\":2}");
    g_assert_true(qmp_command_wait(command, fiber_deadline_ms(5000), NULL, NULL));
    peer_say(fixture, "{\"return\":{},\"id\":2}"); /* again */
    fiber_sleep(20000, NULL);
    g_assert_true(qmp_session_is_open(fixture->session));
}

static void test_garbage_ends_the_session(Fixture *fixture)
{
    QmpCommand *command;
    g_autoptr(GError) error = NULL;

    peer_greet(fixture);
    command = send_command(fixture, "a");
    peer_say(fixture, "{\"event\":\"BEFORE\"} what is this");
    assert_wait_fails(command, 5000, VIR_ERR_INTERNAL_ERROR, "*domain 'd' sent something else*");
    g_assert_cmpstr(fixture->events->str, ==, "BEFORE/-/-1.-1 ");
    g_assert_nonnull(strstr(fixture->closed->str, "something else than QMP"));
    g_assert_null(qmp_send(fixture->session, "b", NULL, &error));
    assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
}

static void test_value_that_is_no_object_ends_the_session(Fixture *fixture)
{
    peer_greet(fixture);
    peer_say(fixture, "[]");
    fiber_sleep(20000, NULL);
    g_assert_cmpstr(fixture->closed->str, !=, "");
}

static void test_peer_that_does_not_greet_is_refused(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    peer_say(fixture, "{\"return\":{},\"id\":1}");
    g_assert_false(qmp_session_negotiate(fixture->session, fiber_deadline_ms(5000), &error));
    g_assert_nonnull(strstr(error->message, "no greeting"));
}

static void test_silent_peer_runs_into_the_deadline(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(qmp_session_negotiate(fixture->session, fiber_deadline_ms(20), &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
}

static void test_end_of_file_fails_all(Fixture *fixture)
{
    QmpCommand *a, *b;

    peer_greet(fixture);
    a = send_command(fixture, "a");
    b = send_command(fixture, "b");
    peer_say(fixture, "{\"return\":{},\"id\":2}"); /* said before it died */
    close(fixture->peer);
    fixture->peer = -1;
    g_assert_true(qmp_command_wait(a, fiber_deadline_ms(5000), NULL, NULL));
    assert_wait_fails(b, 5000, VIR_ERR_INTERNAL_ERROR, "*End of file from qemu monitor*'d'*");
    g_assert_cmpstr(fixture->closed->str, ==,
                    "[internal error: End of file from qemu monitor (vm='d')]");
    g_assert_false(qmp_session_is_open(fixture->session));
}

static void test_command_to_a_dead_peer_fails(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    close(fixture->peer);
    fixture->peer = -1;
    command = send_command(fixture, "a");
    assert_wait_fails(command, 5000, VIR_ERR_INTERNAL_ERROR, "*End of file*");
}

static void test_closing_fails_waiters_and_calls_nobody(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    command = send_command(fixture, "a");
    qmp_session_close(fixture->session);
    assert_wait_fails(command, 5000, VIR_ERR_OPERATION_FAILED, "*'d': the monitor is closed");
    g_assert_cmpstr(fixture->closed->str, ==, "");
}

static void test_session_may_be_closed_in_a_handler(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    command = send_command(fixture, "a");
    fixture->closes_in_event = true;
    peer_say(fixture, "{\"event\":\"A\"}{\"event\":\"B\"}{\"return\":{},\"id\":2}");
    assert_wait_fails(command, 5000, VIR_ERR_OPERATION_FAILED, "*closed");
    g_assert_cmpstr(fixture->events->str, ==, "A/-/-1.-1 ");
}

static void test_session_may_be_freed_before_its_commands(Fixture *fixture)
{
    QmpCommand *answered, *open;

    peer_greet(fixture);
    answered = send_command(fixture, "a");
    open = send_command(fixture, "b");
    peer_say(fixture, "{\"return\":{},\"id\":2}");
    fiber_sleep(20000, NULL);
    qmp_session_free(g_steal_pointer(&fixture->session));
    g_assert_true(qmp_command_wait(answered, fiber_deadline_ms(5000), NULL, NULL));
    assert_wait_fails(open, 5000, VIR_ERR_OPERATION_FAILED, "*closed");
}

static void test_forgotten_command_is_still_sent(Fixture *fixture)
{
    g_autofree char *request = NULL;

    peer_greet(fixture);
    qmp_command_forget(send_command(fixture, "a"));
    request = peer_read(fixture, 1);
    g_assert_nonnull(strstr(request, "\"a\""));
    peer_say(fixture, "{\"return\":{},\"id\":2}");
    fiber_sleep(20000, NULL);
    g_assert_cmpuint(fixture->session->in_flight.length, ==, 0);
}

/* Fills the socket; how many commands it took until the first had to be queued. */
static void fill_socket(Fixture *fixture)
{
    g_autofree char *filler = g_strnfill(100000, 'x');

    while (fixture->session->unsent.length == 0) {
        JsonValue *arguments = json_object();

        json_object_put(arguments, "a", json_string(filler));
        qmp_command_forget(qmp_send(fixture->session, "fill", arguments, NULL));
    }
}

static void test_command_that_could_not_be_sent_is_withdrawn(Fixture *fixture)
{
    QmpCommand *command;
    guint queued;

    peer_greet(fixture);
    fill_socket(fixture);
    queued = fixture->session->unsent.length;
    command = send_command(fixture, "system_powerdown");
    g_assert_cmpuint(fixture->session->unsent.length, ==, queued + 1);
    assert_wait_fails(command, 20, VIR_ERR_OPERATION_TIMEOUT, "*system_powerdown*");
    g_assert_cmpuint(fixture->session->unsent.length, ==, queued);
    g_assert_cmpuint(qmp_session_unanswered_since_us(fixture->session), >, 0);
}

static void test_peer_that_does_not_read_bounds_what_is_kept(Fixture *fixture)
{
    g_autofree char *filler = g_strnfill(1000000, 'x');
    g_autoptr(GError) error = NULL;
    QmpCommand *command;

    peer_greet(fixture);
    do {
        JsonValue *arguments = json_object();

        json_object_put(arguments, "a", json_string(filler));
        command = qmp_send(fixture->session, "fill", arguments, &error);
        qmp_command_forget(command);
    } while (command);
    assert_error_code(error, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpuint(fixture->session->unsent_bytes, <=, QMP_UNSENT_BYTES_MAX);
    g_assert_cmpuint(fixture->session->in_flight.length, <, 100);
}

static void test_queued_commands_arrive_whole_and_in_order(Fixture *fixture)
{
    g_autofree char *requests = NULL;
    guint count;

    peer_greet(fixture);
    fill_socket(fixture);
    qmp_command_forget(send_command(fixture, "last"));
    count = fixture->session->in_flight.length;
    requests = peer_read(fixture, count);
    g_assert_true(g_str_has_suffix(requests, "\"}}\r\n") || strstr(requests, "\"last\""));
    g_assert_cmpuint(fixture->session->unsent_bytes, ==, 0);
}

static void test_held_commands_go_out_in_one_piece(Fixture *fixture)
{
    char text[256];
    ssize_t length;

    peer_greet(fixture);
    qmp_session_hold(fixture->session);
    qmp_command_forget(send_command(fixture, "a"));
    qmp_command_forget(send_command(fixture, "b"));
    g_assert_cmpint(read(fixture->peer, text, sizeof(text)), <, 0);
    qmp_session_let_go(fixture->session);
    length = read(fixture->peer, text, sizeof(text) - 1);
    g_assert_cmpint(length, >, 0);
    text[length] = 0;
    g_assert_cmpstr(text, ==, "{\"execute\":\"a\",\"id\":2}\r\n{\"execute\":\"b\",\"id\":3}\r\n");
}

static void test_held_session_may_end(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    qmp_session_hold(fixture->session);
    command = send_command(fixture, "a");
    qmp_session_close(fixture->session);
    qmp_session_let_go(fixture->session);
    assert_wait_fails(command, 5000, VIR_ERR_OPERATION_FAILED, "*closed*");
}

static void test_peer_that_never_answers_is_given_a_limit(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    guint count = 0;
    QmpCommand *command;

    peer_greet(fixture);
    while ((command = qmp_send(fixture->session, "a", NULL, &error))) {
        qmp_command_forget(command);
        count++;
    }
    assert_error_code(error, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpuint(count, ==, QMP_IN_FLIGHT_MAX);
}

static void test_giant_value_ends_the_session(Fixture *fixture)
{
    g_autofree char *filler = g_strnfill(100000, 'x');

    peer_greet(fixture);
    peer_say(fixture, "{\"a\":\"");
    for (guint sent = 0; sent < 2 * QMP_VALUE_BYTES_MAX && qmp_session_is_open(fixture->session);) {
        ssize_t length = send(fixture->peer, filler, 100000, MSG_NOSIGNAL);

        if (length > 0)
            sent += (guint) length;
        else
            fiber_sleep(1000, NULL);
    }
    g_assert_false(qmp_session_is_open(fixture->session));
}

/* The next message is @expected and brings one. */
static void assert_descriptor_comes(Fixture *fixture, const char *expected)
{
    char text[256], control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { text, sizeof(text) - 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
    ssize_t length = recvmsg(fixture->peer, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header;
    int fd;

    g_assert_cmpint(length, >, 0);
    text[length] = 0;
    g_assert_cmpstr(text, ==, expected);
    header = CMSG_FIRSTHDR(&message);
    if (header == NULL)
        g_error("no descriptor came");
    g_assert_cmpint(header->cmsg_type, ==, SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    close(fd);
}

static void test_descriptor_is_passed(Fixture *fixture)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    peer_greet(fixture);
    qmp_command_forget(qmp_send_fd(fixture->session, "getfd", NULL, fd, NULL));
    assert_descriptor_comes(fixture, "{\"execute\":\"getfd\",\"id\":2}\r\n");
}

static void test_held_descriptor_goes_with_its_own_command(Fixture *fixture)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_autofree char *first = NULL;

    peer_greet(fixture);
    qmp_session_hold(fixture->session);
    qmp_command_forget(send_command(fixture, "a"));
    qmp_command_forget(qmp_send_fd(fixture->session, "getfd", NULL, fd, NULL));
    qmp_command_forget(send_command(fixture, "b"));
    qmp_session_let_go(fixture->session);
    first = peer_read(fixture, 1);
    g_assert_cmpstr(first, ==, "{\"execute\":\"a\",\"id\":2}\r\n");
    assert_descriptor_comes(fixture, "{\"execute\":\"getfd\",\"id\":3}\r\n"
                                     "{\"execute\":\"b\",\"id\":4}\r\n");
}

static void answer_soon(void *data)
{
    Fixture *fixture = data;

    fiber_sleep(10000, NULL);
    peer_say(fixture, fixture->events->str);
}

static char *execute_raw(Fixture *fixture, const char *request, const char *answer)
{
    g_autoptr(GError) error = NULL;
    char *reply = NULL;

    peer_greet(fixture);
    g_string_assign(fixture->events, answer);
    fiber_unref(fixture_spawn(fixture->loop, answer_soon, fixture));
    g_assert_true(qmp_execute_raw(fixture->session, request, -1, fiber_deadline_ms(5000), &reply,
                                  &error));
    return reply;
}

static void test_raw_reply_does_not_show_our_id(Fixture *fixture)
{
    g_autofree char *reply = execute_raw(fixture, "{\"execute\":\"x\"}",
                                         "{\"return\":{\"b\":1,\"a\":2.50},\"id\":2}");

    g_assert_cmpstr(reply, ==, "{\"return\":{\"b\":1,\"a\":2.50}}");
}

static void test_raw_reply_has_the_clients_id(Fixture *fixture)
{
    g_autofree char *reply = execute_raw(fixture, "{\"id\":[\"mine\"],\"execute\":\"x\"}",
                                         "{\"id\":2,\"error\":{\"desc\":\"no\"}}");
    g_autofree char *request = peer_read(fixture, 1);

    g_assert_cmpstr(request, ==, "{\"execute\":\"x\",\"id\":2}\r\n");
    g_assert_cmpstr(reply, ==, "{\"id\":[\"mine\"],\"error\":{\"desc\":\"no\"}}");
}

/* QEMU does so for what it cannot read as a command. */
static void test_error_without_id_answers_the_raw_command(Fixture *fixture)
{
    g_autofree char *reply = execute_raw(fixture, "{\"foo\":1}", "{\"error\":{\"desc\":\"eh\"}}");

    g_assert_cmpstr(reply, ==, "{\"error\":{\"desc\":\"eh\"}}");
}

static void test_raw_value_that_is_no_object_is_left_to_qemu(Fixture *fixture)
{
    g_autofree char *reply = execute_raw(fixture, "[1]", "{\"error\":{\"desc\":\"no object\"}}");
    g_autofree char *request = peer_read(fixture, 1);

    g_assert_cmpstr(request, ==, "[1]\r\n");
    g_assert_cmpstr(reply, ==, "{\"error\":{\"desc\":\"no object\"}}");
}

static void test_raw_text_that_is_no_json_is_refused(Fixture *fixture)
{
    const char *const texts[] = { "", "garbage", "{", "{}{}" };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        char *reply;

        g_assert_false(qmp_execute_raw(fixture->session, texts[i], -1, FIBER_FOREVER, &reply,
                                       &error));
        assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
    }
}

static void test_human_monitor_answers_text(Fixture *fixture)
{
    g_autofree char *text = NULL, *request = NULL;

    peer_greet(fixture);
    g_string_assign(fixture->events, "{\"return\":\"hi\\r\\n\",\"id\":2}");
    fiber_unref(fixture_spawn(fixture->loop, answer_soon, fixture));
    g_assert_true(qmp_execute_hmp(fixture->session, "info x", fiber_deadline_ms(5000), &text, NULL));
    g_assert_cmpstr(text, ==, "hi\r\n");
    request = peer_read(fixture, 1);
    g_assert_nonnull(strstr(request, "{\"command-line\":\"info x\"}"));
}

static void cancel_soon(void *data)
{
    fiber_sleep(10000, NULL);
    fiber_cancel(data);
}

static void test_cancelled_wait_ends(Fixture *fixture)
{
    QmpCommand *command;

    peer_greet(fixture);
    command = send_command(fixture, "a");
    fiber_unref(fixture_spawn(fixture->loop, cancel_soon, fiber_current()));
    assert_wait_fails(command, 5000, VIR_ERR_OPERATION_ABORTED, "*");
    g_assert_cmpuint(qmp_session_unanswered_since_us(fixture->session), ==, 0);
}

#define ADD(NAME) g_test_add_data_func("/qmp/" #NAME, (gconstpointer) test_##NAME, test_in_session)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(reply_is_returned);
    ADD(commands_may_precede_negotiation);
    ADD(replies_are_matched_by_id);
    ADD(qemus_error_is_reported);
    ADD(malformed_error_is_reported);
    ADD(events_are_handed_out);
    ADD(deadline_passes);
    ADD(strange_messages_are_ignored);
    ADD(garbage_ends_the_session);
    ADD(value_that_is_no_object_ends_the_session);
    ADD(peer_that_does_not_greet_is_refused);
    ADD(silent_peer_runs_into_the_deadline);
    ADD(end_of_file_fails_all);
    ADD(command_to_a_dead_peer_fails);
    ADD(closing_fails_waiters_and_calls_nobody);
    ADD(session_may_be_closed_in_a_handler);
    ADD(session_may_be_freed_before_its_commands);
    ADD(forgotten_command_is_still_sent);
    ADD(command_that_could_not_be_sent_is_withdrawn);
    ADD(peer_that_does_not_read_bounds_what_is_kept);
    ADD(queued_commands_arrive_whole_and_in_order);
    ADD(peer_that_never_answers_is_given_a_limit);
    ADD(giant_value_ends_the_session);
    ADD(held_commands_go_out_in_one_piece);
    ADD(held_session_may_end);
    ADD(descriptor_is_passed);
    ADD(held_descriptor_goes_with_its_own_command);
    ADD(raw_reply_does_not_show_our_id);
    ADD(raw_reply_has_the_clients_id);
    ADD(error_without_id_answers_the_raw_command);
    ADD(raw_value_that_is_no_object_is_left_to_qemu);
    ADD(raw_text_that_is_no_json_is_refused);
    ADD(human_monitor_answers_text);
    ADD(cancelled_wait_ends);
    return g_test_run();
}
