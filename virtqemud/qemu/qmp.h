/* A QMP session: JSON over a connected stream socket to one QEMU (QEMU's manual, "QEMU
 * Monitor Protocol Reference"). Commands go out at once, as many as wanted without waiting,
 * and their replies come back to whoever waits for them; events go to a handler. What a
 * QEMU sends is never trusted: values, replies and commands in flight are limited, and
 * garbage ends the session. Nothing survives a restart: a new session is made then.
 *
 * Errors: what QEMU answers as an error is INTERNAL_ERROR "unable to execute QEMU command
 * 'X': DESCRIPTION"; a deadline that passes is OPERATION_TIMEOUT; a session that ended
 * fails everything with the error it ended with; all are of VIR_FROM_QEMU and name the
 * domain or command. */
#pragma once

#include "fiber/fiber.h"
#include "json/value.h"

typedef struct QmpSession QmpSession;
/* One command on its way. Its owner must wait for it or forget it, also after the session
 * has ended. */
typedef struct QmpCommand QmpCommand;

/* Called from the loop, not in a fiber: they must not wait, but may spawn fibers, send
 * commands, close the session and drop references. Either may be NULL. */
typedef struct QmpHandlers {
    /* @data may be NULL; it is borrowed. The time is QEMU's (since the epoch), -1 when it
     * sent none. Events are handed out in order, also before negotiation is over. */
    void (*event)(void *user, const char *name, const JsonValue *data, int64_t seconds,
                  int64_t micros);
    /* Once, when the connection ended by itself (not by qmp_session_close()). Waiters have
     * been woken with @why already. */
    void (*closed)(void *user, const GError *why);
} QmpHandlers;

/* @fd is taken (also on failure), @name is for errors: that of the domain, or the path
 * of an emulator that runs none. @handlers is copied. The command qmp_capabilities is sent at once, so further commands may be sent
 * right away, whether or not qmp_session_negotiate() has been called. */
QmpSession *qmp_session_new(FiberLoop *loop, int fd, const char *name, const QmpHandlers *handlers,
                            void *user, GError **error);
QmpSession *qmp_session_ref(QmpSession *session);
void qmp_session_unref(QmpSession *session);
/* Fails all waiters, closes the descriptor, calls no handler any more. */
void qmp_session_close(QmpSession *session);
/* Closes and drops the reference. NULL is ignored. */
void qmp_session_free(QmpSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QmpSession, qmp_session_unref)

/* Waits for the greeting and for the end of the negotiation. */
SUSPENDS bool qmp_session_negotiate(QmpSession *session, uint64_t deadline_us, GError **error);
bool qmp_session_is_open(const QmpSession *session);
/* When the oldest command was sent (monotonic us) that still has no answer although
 * somebody's deadline for it has passed; 0: QEMU answers, as far as is known. */
uint64_t qmp_session_unanswered_since_us(const QmpSession *session);

/* Sends a command; never waits. @arguments (taken, may be NULL) is an object. Errors: a
 * session that ended, OPERATION_FAILED when too much is unanswered or unsent already. */
QmpCommand *qmp_send(QmpSession *session, const char *command, JsonValue *arguments,
                     GError **error);
/* The same with a descriptor (SCM_RIGHTS) for getfd or add-fd; @fd is taken in any case. */
QmpCommand *qmp_send_fd(QmpSession *session, const char *command, JsonValue *arguments, int fd,
                        GError **error);
/* What is sent between the two goes out in one piece at the second: QEMU is woken once for it.
 * The caller must not suspend in between. */
void qmp_session_hold(QmpSession *session);
void qmp_session_let_go(QmpSession *session);
/* Waits for the reply. @command is consumed, whatever happens; @session may have ended
 * meanwhile. *@ret_return (may be NULL) is the value of "return", never NULL on success.
 * After the deadline the reply is awaited no more and dropped when it comes late. */
SUSPENDS bool qmp_command_wait(QmpCommand *command, uint64_t deadline_us, JsonValue **ret_return,
                               GError **error);
/* Consumes @command: nobody wants its reply. NULL is ignored. */
void qmp_command_forget(QmpCommand *command);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QmpCommand, qmp_command_forget)

/* qmp_send() and qmp_command_wait() in one. */
SUSPENDS bool qmp_execute(QmpSession *session, const char *command, JsonValue *arguments,
                          uint64_t deadline_us, JsonValue **ret_return, GError **error);
SUSPENDS bool qmp_execute_fd(QmpSession *session, const char *command, JsonValue *arguments,
                             int fd, uint64_t deadline_us, JsonValue **ret_return,
                             GError **error);
/* A client's own request, any JSON value: what QEMU answers to it as text, be it an error. An
 * id in it comes back in the answer. @fd is -1 or taken. Errors: INTERNAL_ERROR when @json_text
 * is no JSON. */
SUSPENDS bool qmp_execute_raw(QmpSession *session, const char *json_text, int fd,
                              uint64_t deadline_us, char **ret_reply, GError **error);
/* A line of the human monitor; what it prints. */
SUSPENDS bool qmp_execute_hmp(QmpSession *session, const char *line, uint64_t deadline_us,
                              char **ret_text, GError **error);
