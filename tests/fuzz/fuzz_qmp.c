/* Bytes as the peer of a QMP session, while commands of each kind wait; then the same bytes as
 * answers to a probe's questions and as facts of a cache. The first byte says how the input is
 * cut into writes. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fiber/fiber.h"
#include "json/parse.h"
#include "virtqemud/qemu/caps_answers.h"
#include "virtqemud/qemu/caps_facts.h"
#include "virtqemud/qemu/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Peer {
    FiberLoop *loop;
    QmpSession *session;
    guint n_events;
    bool closes;
} Peer;

static void on_event(void *user, const char *name, const JsonValue *data, int64_t seconds,
                     int64_t micros)
{
    Peer *peer = user;

    peer->n_events += name[0] != '\0';
    if (peer->closes && peer->n_events == 3)
        qmp_session_close(peer->session);
}

static const QmpHandlers handlers = { .event = on_event };

static void ask(void *data)
{
    Peer *peer = data;
    g_autoptr(JsonValue) value = NULL;

    qmp_session_negotiate(peer->session, fiber_deadline_ms(100), NULL);
    qmp_execute(peer->session, "query-status", NULL, fiber_deadline_ms(100), &value, NULL);
}

static void ask_raw(void *data)
{
    Peer *peer = data;
    g_autofree char *reply = NULL;

    qmp_execute_raw(peer->session, "{\"execute\":\"x\",\"id\":{\"my\":1}}", -1,
                    fiber_deadline_ms(100), &reply, NULL);
}

static void ask_human(void *data)
{
    Peer *peer = data;
    g_autofree char *text = NULL;

    qmp_execute_hmp(peer->session, "info status", fiber_deadline_ms(100), &text, NULL);
}

static void talk(Peer *peer, int fd, const uint8_t *data, size_t size, size_t step)
{
    static const FiberFunc asking[] = { ask, ask_raw, ask_human };

    for (gsize i = 0; i < G_N_ELEMENTS(asking); i++)
        fiber_spawn(peer->loop, "ask", asking[i], peer, NULL, NULL);
    for (size_t sent = 0; sent < size; sent += step) {
        if (send(fd, data + sent, MIN(step, size - sent), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
        fiber_loop_step(peer->loop, 0, NULL);
    }
    shutdown(fd, SHUT_WR);
    /* The end is read, and everybody gets an answer. */
    for (FiberStats stats = { .n_fibers = 1 }; stats.n_fibers > 0;) {
        fiber_loop_step(peer->loop, 1000, NULL);
        fiber_loop_get_stats(peer->loop, &stats);
    }
}

static void run_session(const uint8_t *data, size_t size, uint8_t cut)
{
    Peer peer = { .loop = fiber_loop_new(NULL), .closes = cut & 1 };
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        abort();
    peer.session = qmp_session_new(peer.loop, pair[0], "fuzz", &handlers, &peer, NULL);
    if (!peer.session)
        abort();
    talk(&peer, pair[1], data, size, (size_t) (cut >> 1) * 16 + 1);
    qmp_session_free(peer.session);
    close(pair[1]);
    fiber_loop_free(peer.loop);
}

/* Item N of the document answers question N. */
static void read_answers(const JsonValue *document)
{
    g_autoptr(CapsAnswers) answers = caps_answers_new();
    g_autoptr(JsonValue) facts = NULL;
    g_autoptr(EmulatorCaps) caps = NULL, direct = NULL;
    bool has_kvm;

    for (guint i = 0; i < answers->count; i++)
        answers->values[i] = i < json_length(document) ? json_copy(json_at(document, i))
                                                       : json_null();
    facts = caps_answers_to_facts(answers, &has_kvm, NULL);
    if (facts)
        caps = emulator_caps_from_facts("/x", facts, NULL);
    direct = emulator_caps_from_facts("/x", document, NULL);
    if (direct)
        emulator_caps_get_machine(direct, "pc");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonValue) document = NULL;

    if (size < 1 || size > 65536)
        return 0;
    run_session(data + 1, size - 1, data[0]);
    document = json_parse_bytes((const char *) data + 1, size - 1, NULL);
    if (document)
        read_answers(document);
    return 0;
}
