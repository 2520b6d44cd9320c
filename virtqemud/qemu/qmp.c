/* The session: reading, writing, events, its end. Reading and the handlers run in the loop. */
#include "virtqemud/qemu/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "json/get.h"
#include "virtqemud/qemu/qmp_private.h"

LOG_INIT("qemu.qmp");

/* One read; a peer that never stops sending is given that much at a time. */
#define READ_BYTES (64 * 1024)
/* Commands that go out with one write, at most. */
#define GATHER_MAX 16

/* Drops everything, wakes everyone. */
static void session_end(QmpSession *session, const GError *why)
{
    QmpCommand *command;

    if (session->fd < 0)
        return;
    session->why = g_error_copy(why);
    session->source = sd_event_source_disable_unref(session->source);
    close(session->fd);
    session->fd = -1;
    g_queue_clear(&session->unsent);
    session->unsent_bytes = 0;
    while ((command = g_queue_pop_head(&session->in_flight)))
        qmp_command_fail(command, why);
    /* Replies that came are still their owners'. */
    while ((command = g_queue_pop_head(&session->answered)))
        command->session = NULL;
}

/* The connection ended by itself; @why is freed. */
static void session_break(QmpSession *session, GError *why)
{
    void (*closed)(void *, const GError *) = session->handlers.closed;

    if (session->fd >= 0) {
        LOG_DEBUG("monitor of '%s' ended: %s", session->name, why->message);
        session_end(session, why);
        session->handlers = (QmpHandlers){ NULL, NULL };
        if (closed)
            closed(session->user, why);
    }
    g_error_free(why);
}

static void session_refuse(QmpSession *session, const char *what)
{
    GError *why = NULL;

    error_set(&why, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "%s sent something else than QMP: %s", session->whose, what);
    session_break(session, why);
}

static void session_take_event(QmpSession *session, const char *name, const JsonValue *message)
{
    const JsonValue *timestamp = json_object_peek(message, "timestamp");
    const JsonValue *data = json_object_peek(message, "data");
    int64_t seconds, micros;

    if (!timestamp || json_type(timestamp) != JSON_OBJECT ||
        !json_object_get_int64(timestamp, "seconds", &seconds, NULL) ||
        !json_object_get_int64(timestamp, "microseconds", &micros, NULL))
        seconds = micros = -1;
    LOG_DEBUG("event %s of '%s'", name, session->name);
    if (session->handlers.event)
        session->handlers.event(session->user, name, data, seconds, micros);
}

/* The greeting comes before everything else. */
static bool session_greet(QmpSession *session, const JsonValue *message)
{
    if (session->is_greeted)
        return true;
    if (!json_object_peek(message, "QMP")) {
        session_refuse(session, "there is no greeting");
        return false;
    }
    session->is_greeted = true;
    return true;
}

static void session_take_message(QmpSession *session, JsonValue *value, gsize bytes)
{
    g_autoptr(JsonValue) message = value;
    const char *event;

    if (json_type(message) != JSON_OBJECT) {
        session_refuse(session, json_type_name(json_type(message)));
        return;
    }
    if (!session_greet(session, message))
        return;
    if (json_object_peek(message, "return") || json_object_peek(message, "error"))
        qmp_command_take_reply(session, g_steal_pointer(&message), bytes);
    else if (json_object_opt_string(message, "event", NULL, &event, NULL) && event)
        session_take_event(session, event, message);
    else
        LOG_DEBUG("a message of '%s' is neither reply nor event", session->name);
}

/* What was complete before garbage still counts. */
static void session_feed(QmpSession *session, const char *bytes, gsize length)
{
    GError *why = NULL;
    bool is_sane = json_stream_feed(session->stream, bytes, length, &why);
    JsonValue *value;

    session->stream_bytes += length;
    while (session->fd >= 0 && (value = json_stream_pop(session->stream))) {
        session_take_message(session, value, session->stream_bytes);
        session->stream_bytes = 0;
    }
    if (!is_sane && session->fd >= 0)
        session_refuse(session, error_detail(why));
    g_clear_error(&why);
}

static void session_read(QmpSession *session)
{
    char buffer[READ_BYTES];
    ssize_t length = recv(session->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    GError *why = NULL;

    if (length > 0) {
        session_feed(session, buffer, (gsize) length);
        return;
    }
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length == 0 || errno == ECONNRESET)
        error_set(&why, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "End of file from qemu monitor (vm='%s')", session->name);
    else
        error_set_errno(&why, VIR_FROM_QEMU, errno, "%s: unable to read from the monitor",
                        session->whose);
    session_break(session, why);
}

static int session_on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    QmpSession *session = qmp_session_ref(data);

    if (revents & EPOLLOUT)
        qmp_session_flush(session);
    if (revents & ~(uint32_t) EPOLLOUT)
        session_read(session);
    qmp_session_unref(session);
    return 0;
}

/* The texts that may go out together: up to the next one with a descriptor, which goes with the
 * first byte of its own. */
static size_t session_gather(const QmpSession *session, struct iovec *parts)
{
    size_t n = 0;

    for (GList *link = session->unsent.head; link && n < GATHER_MAX; link = link->next) {
        const QmpCommand *command = link->data;

        if (n > 0 && command->fd >= 0)
            break;
        parts[n++] = (struct iovec){ command->text->str + command->text_sent,
                                     command->text->len - command->text_sent };
    }
    return n;
}

/* With the descriptor of the first, if it has one. */
static ssize_t session_write(const QmpSession *session)
{
    const QmpCommand *command = g_queue_peek_head((GQueue *) &session->unsent);
    struct iovec parts[GATHER_MAX];
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct msghdr message = { .msg_iov = parts };

    message.msg_iovlen = session_gather(session, parts);

    if (command->fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                          .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.align), &command->fd, sizeof(int));
    }
    return sendmsg(session->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A write that fails is no end yet: what QEMU said before it died is still to be read, and
 * the end of the file behind it. */
static void session_fall_mute(QmpSession *session)
{
    session->is_mute = true;
    g_queue_clear(&session->unsent);
    session->unsent_bytes = 0;
    shutdown(session->fd, SHUT_RDWR);
}

/* @length bytes have gone out, and the descriptor of the first. */
static void session_sent(QmpSession *session, size_t length)
{
    QmpCommand *command = g_queue_peek_head(&session->unsent);

    if (command->fd >= 0) {
        close(command->fd);
        command->fd = -1;
    }
    session->unsent_bytes -= length;
    for (; command; command = g_queue_peek_head(&session->unsent)) {
        size_t part = MIN(length, command->text->len - command->text_sent);

        command->text_sent += part;
        length -= part;
        if (command->text_sent < command->text->len)
            return;
        g_queue_pop_head(&session->unsent);
        g_string_free(g_steal_pointer(&command->text), TRUE);
    }
}

void qmp_session_flush(QmpSession *session)
{
    if (session->is_held || session->fd < 0)
        return;
    while (session->unsent.length > 0) {
        ssize_t length = session_write(session);

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN)
            break;
        if (length < 0) {
            session_fall_mute(session);
            break;
        }
        session_sent(session, (size_t) length);
    }
    sd_event_source_set_io_events(session->source,
                                  EPOLLIN | (session->unsent.length > 0 ? EPOLLOUT : 0u));
}

void qmp_session_hold(QmpSession *session)
{
    session->is_held = true;
}

void qmp_session_let_go(QmpSession *session)
{
    session->is_held = false;
    qmp_session_flush(session);
}

/* The loop reads from now on. */
static bool session_watch(QmpSession *session, GError **error)
{
    int flags = fcntl(session->fd, F_GETFL);
    int result;

    if (flags < 0 || fcntl(session->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "%s: cannot use the monitor",
                        session->whose);
        return false;
    }
    result = sd_event_add_io(fiber_loop_get_event(session->loop), &session->source, session->fd,
                             EPOLLIN, session_on_io, session);
    if (result < 0) {
        error_set_errno(error, VIR_FROM_QEMU, -result, "%s: cannot watch the monitor",
                        session->whose);
        return false;
    }
    return true;
}

QmpSession *qmp_session_new(FiberLoop *loop, int fd, const char *name, const QmpHandlers *handlers,
                            void *user, GError **error)
{
    g_autoptr(QmpSession) session = g_new0(QmpSession, 1);

    session->references = 1;
    session->loop = loop;
    session->fd = fd;
    session->name = g_strdup(name);
    session->whose = g_strdup_printf(name[0] == '/' ? "Emulator %s" : "QEMU of domain '%s'", name);
    session->user = user;
    session->stream = json_stream_new(QMP_VALUE_BYTES_MAX);
    if (!session_watch(session, error))
        return NULL;
    session->negotiation = qmp_send(session, "qmp_capabilities", NULL, error);
    if (!session->negotiation)
        return NULL;
    if (handlers)
        session->handlers = *handlers;
    return g_steal_pointer(&session);
}

QmpSession *qmp_session_ref(QmpSession *session)
{
    session->references++;
    return session;
}

void qmp_session_unref(QmpSession *session)
{
    if (!session || --session->references > 0)
        return;
    qmp_session_close(session);
    json_stream_free(session->stream);
    g_clear_error(&session->why);
    g_free(session->name);
    g_free(session->whose);
    g_free(session);
}

void qmp_session_close(QmpSession *session)
{
    g_autoptr(GError) why = NULL;

    session->handlers = (QmpHandlers){ NULL, NULL };
    error_set(&why, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "%s: the monitor is closed",
              session->whose);
    session_end(session, why);
    g_clear_pointer(&session->negotiation, qmp_command_forget);
}

void qmp_session_free(QmpSession *session)
{
    if (!session)
        return;
    qmp_session_close(session);
    qmp_session_unref(session);
}

bool qmp_session_negotiate(QmpSession *session, uint64_t deadline_us, GError **error)
{
    if (!session->negotiation) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "%s: the monitor was negotiated already", session->whose);
        return false;
    }
    /* A reply before the greeting would have ended the session. */
    return qmp_command_wait(g_steal_pointer(&session->negotiation), deadline_us, NULL, error);
}

bool qmp_session_is_open(const QmpSession *session)
{
    return session->fd >= 0;
}

uint64_t qmp_session_unanswered_since_us(const QmpSession *session)
{
    for (const GList *link = session->in_flight.head; link; link = link->next) {
        const QmpCommand *command = link->data;

        if (command->is_overdue)
            return command->sent_us;
    }
    return 0;
}
