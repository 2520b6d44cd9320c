/* Commands and their replies. A command lives while it has an owner or a place among those in
 * flight; whoever drops the second of them frees it. QEMU answers in the order in which it was
 * asked, but replies are matched by id, which is the only thing that is sure. */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "json/get.h"
#include "json/write.h"
#include "virtqemud/qemu/qmp_private.h"

LOG_INIT("qemu.qmp");

static void command_release(QmpCommand *command)
{
    if (command->has_owner || command->is_in_flight)
        return;
    if (command->text)
        g_string_free(command->text, TRUE);
    if (command->fd >= 0)
        close(command->fd);
    json_free(command->reply);
    g_clear_error(&command->failure);
    g_free(command->name);
    g_free(command);
}

static bool command_has_room(const QmpSession *session, gsize length, GError **error)
{
    if (session->why) {
        g_propagate_error(error, g_error_copy(session->why));
        return false;
    }
    if (session->in_flight.length >= QMP_IN_FLIGHT_MAX) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "%s owes answers to %u commands already", session->whose,
                  session->in_flight.length);
        return false;
    }
    if (length > QMP_UNSENT_BYTES_MAX - session->unsent_bytes) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "%s does not read its monitor, or the command is too long", session->whose);
        return false;
    }
    return true;
}

static GString *request_write(const JsonValue *request)
{
    GString *text = g_string_new(NULL);

    json_write_to(request, text);
    g_string_append(text, "\r\n");
    return text;
}

/* A mute peer gets nothing more; its command fails with the end that is about to be read. */
static void command_enqueue(QmpSession *session, QmpCommand *command)
{
    command->is_in_flight = true;
    g_queue_push_tail(&session->in_flight, command);
    if (session->is_mute)
        return;
    session->unsent_bytes += command->text->len;
    g_queue_push_tail(&session->unsent, command);
    if (session->unsent.length == 1)
        qmp_session_flush(session);
}

QmpCommand *qmp_command_start(QmpSession *session, const char *name, JsonValue *request, int fd,
                              GError **error)
{
    g_autoptr(JsonValue) taken = request;
    GString *text;
    QmpCommand *command;

    session->last_id++;
    if (json_type(taken) == JSON_OBJECT) /* what else a client sends, QEMU complains about */
        json_object_put_uint64(taken, "id", session->last_id);
    text = request_write(taken);
    if (!command_has_room(session, text->len, error)) {
        g_string_free(text, TRUE);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    command = g_new0(QmpCommand, 1);
    command->session = session;
    command->id = session->last_id;
    command->name = g_strdup(name);
    command->text = text;
    command->fd = fd;
    command->sent_us = fiber_now_us();
    command->has_owner = true;
    command_enqueue(session, command);
    return command;
}

QmpCommand *qmp_send_fd(QmpSession *session, const char *command, JsonValue *arguments, int fd,
                        GError **error)
{
    JsonValue *request = json_object();

    json_object_put_string(request, "execute", command);
    if (arguments)
        json_object_put(request, "arguments", arguments);
    return qmp_command_start(session, command, request, fd, error);
}

QmpCommand *qmp_send(QmpSession *session, const char *command, JsonValue *arguments, GError **error)
{
    return qmp_send_fd(session, command, arguments, -1, error);
}

void qmp_command_fail(QmpCommand *command, const GError *why)
{
    command->session = NULL;
    command->is_in_flight = false;
    command->failure = g_error_copy(why);
    fiber_completion_signal(&command->answered);
    command_release(command);
}

/* Without an id it answers what QEMU could not read as a request at all: that can only have
 * been a client's own words. */
static GList *command_find(QmpSession *session, const JsonValue *reply)
{
    bool has_id = json_object_peek(reply, "id") != NULL;
    uint64_t id;

    if (has_id && !json_object_get_uint64(reply, "id", &id, NULL))
        return NULL;
    for (GList *link = session->in_flight.head; link; link = link->next) {
        const QmpCommand *command = link->data;

        if (has_id ? command->id == id : command->is_raw)
            return link;
    }
    return NULL;
}

/* Keeps the reply for the command's owner. */
static void command_keep(QmpCommand *command, JsonValue *reply, gsize bytes)
{
    command->is_in_flight = false;
    command->reply = reply;
    command->reply_bytes = bytes;
    command->session->held_bytes += bytes;
    g_queue_push_tail(&command->session->answered, command);
    fiber_completion_signal(&command->answered);
}

static void command_overflow(QmpCommand *command)
{
    g_autoptr(GError) why = NULL;

    error_set(&why, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
              "%s: too many replies wait to be fetched", command->session->whose);
    qmp_command_fail(command, why);
}

/* A reply can overtake its own request only when the peer is no QEMU; the rest of the text
 * must still go out whole, so the answer is not believed. */
void qmp_command_take_reply(QmpSession *session, JsonValue *reply, gsize bytes)
{
    g_autoptr(JsonValue) taken = reply;
    GList *link = command_find(session, taken);
    QmpCommand *command = link ? link->data : NULL;

    if (!command || command->text) {
        LOG_DEBUG("'%s' sent a reply that nobody waits for", session->name);
        return;
    }
    g_queue_delete_link(&session->in_flight, link);
    if (!command->has_owner) {
        command->is_in_flight = false;
        command_release(command);
    } else if (bytes > QMP_HELD_BYTES_MAX - session->held_bytes)
        command_overflow(command);
    else
        command_keep(command, g_steal_pointer(&taken), bytes);
}

/* The owner has what it wanted, or gives up. */
static void command_leave(QmpCommand *command)
{
    if (command->session && command->reply) {
        command->session->held_bytes -= command->reply_bytes;
        g_queue_remove(&command->session->answered, command);
    }
    command->has_owner = false;
    command_release(command);
}

void qmp_command_forget(QmpCommand *command)
{
    if (command)
        command_leave(command);
}

/* What was not begun to be sent need not be: it would be carried out at an hour when nobody
 * expects it any more. */
static void command_withdraw(QmpCommand *command)
{
    QmpSession *session = command->session;
    GList *link = command->text && command->text_sent == 0
                      ? g_queue_find(&session->unsent, command)
                      : NULL;

    if (!link)
        return;
    g_queue_delete_link(&session->unsent, link);
    session->unsent_bytes -= command->text->len;
    g_queue_remove(&session->in_flight, command);
    command->is_in_flight = false;
}

/* QEMU owes an answer since the oldest command that is in flight. */
static void command_expire(QmpCommand *command, GError **error)
{
    QmpSession *session = command->session;
    QmpCommand *oldest;

    command->is_overdue = true;
    command_withdraw(command);
    oldest = g_queue_peek_head(&session->in_flight);
    if (oldest)
        oldest->is_overdue = true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT,
              "%s did not answer command '%s' within %.1f s", session->whose, command->name, (double) (fiber_now_us() - command->sent_us) / G_USEC_PER_SEC);
}

/* Waits until the command has its reply or a failure. */
static SUSPENDS bool command_settle(QmpCommand *command, uint64_t deadline_us, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!fiber_completion_wait(&command->answered, deadline_us, &why) && !command->reply &&
        !command->failure) {
        if (why->code == VIR_ERR_OPERATION_TIMEOUT)
            command_expire(command, error);
        else {
            command_withdraw(command);
            g_propagate_error(error, g_steal_pointer(&why));
        }
        return false;
    }
    if (command->failure)
        g_propagate_error(error, g_steal_pointer(&command->failure));
    return command->reply != NULL;
}

/* "error" in a reply, as an error. */
static void command_report(const QmpCommand *command, const JsonValue *failure, GError **error)
{
    const char *description = NULL;

    if (json_type(failure) != JSON_OBJECT ||
        !json_object_opt_string(failure, "desc", NULL, &description, NULL) || !description)
        description = "it gave no reason";
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "unable to execute QEMU command '%s': %s", command->name, description);
}

static bool command_fetch(QmpCommand *command, JsonValue **ret_return, GError **error)
{
    const JsonValue *failure = json_object_peek(command->reply, "error");

    if (failure) {
        command_report(command, failure, error);
        return false;
    }
    if (ret_return)
        *ret_return = json_object_steal(command->reply, "return");
    return true;
}

bool qmp_command_wait(QmpCommand *command, uint64_t deadline_us, JsonValue **ret_return,
                      GError **error)
{
    bool is_done = command_settle(command, deadline_us, error) &&
                   command_fetch(command, ret_return, error);

    command_leave(command);
    return is_done;
}

bool qmp_execute_fd(QmpSession *session, const char *command, JsonValue *arguments, int fd,
                    uint64_t deadline_us, JsonValue **ret_return, GError **error)
{
    QmpCommand *sent = qmp_send_fd(session, command, arguments, fd, error);

    return sent && qmp_command_wait(sent, deadline_us, ret_return, error);
}

bool qmp_execute(QmpSession *session, const char *command, JsonValue *arguments,
                 uint64_t deadline_us, JsonValue **ret_return, GError **error)
{
    return qmp_execute_fd(session, command, arguments, -1, deadline_us, ret_return, error);
}

bool qmp_execute_hmp(QmpSession *session, const char *line, uint64_t deadline_us, char **ret_text,
                     GError **error)
{
    JsonValue *arguments = json_object();
    g_autoptr(JsonValue) answer = NULL;
    const char *text;

    json_object_put_string(arguments, "command-line", line);
    if (!qmp_execute(session, "human-monitor-command", arguments, deadline_us, &answer, error) ||
        !json_as_string(answer, "the answer of the human monitor", &text, error))
        return false;
    *ret_text = g_strdup(text);
    return true;
}

/* The request as it is sent: with an id of ours in place of the client's own. */
static JsonValue *raw_parse(const char *json_text, JsonValue **ret_id, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(JsonValue) request = json_parse(json_text, &why);

    if (!request) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "cannot parse json %s: %s",
                  json_text, error_detail(why));
        return NULL;
    }
    if (json_type(request) == JSON_OBJECT)
        *ret_id = json_object_steal(request, "id");
    return g_steal_pointer(&request);
}

/* The reply as the client would have got it from QEMU itself. */
static char *raw_write_reply(JsonValue *reply, JsonValue *id)
{
    if (id)
        json_object_put(reply, "id", id);
    else
        json_free(json_object_steal(reply, "id"));
    return json_write(reply);
}

bool qmp_execute_raw(QmpSession *session, const char *json_text, int fd, uint64_t deadline_us,
                     char **ret_reply, GError **error)
{
    g_autoptr(JsonValue) id = NULL;
    JsonValue *request = raw_parse(json_text, &id, error);
    QmpCommand *command;
    bool is_done;

    if (!request) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    command = qmp_command_start(session, "of a client", request, fd, error);
    if (!command)
        return false;
    command->is_raw = true;
    is_done = command_settle(command, deadline_us, error);
    if (is_done)
        *ret_reply = raw_write_reply(command->reply, g_steal_pointer(&id));
    command_leave(command);
    return is_done;
}
