/* The inside of a QMP session, for qmp*.c only: its descriptor and the order of what waits
 * to be sent and to be answered. */
#pragma once

#include "base/error.h"
#include "fiber/sync.h"
#include "json/parse.h"
#include "virtqemud/qemu/qmp.h"

/* A reply of QEMU's own size is at most some 300 KiB (its schema). */
#define QMP_VALUE_BYTES_MAX (8 * 1024 * 1024)
/* Text of replies that came and were not fetched yet. */
#define QMP_HELD_BYTES_MAX (64 * 1024 * 1024)
#define QMP_UNSENT_BYTES_MAX (16 * 1024 * 1024)
#define QMP_IN_FLIGHT_MAX 1024

struct QmpCommand {
    QmpSession *session; /* borrowed; NULL once it has ended */
    uint64_t id;
    char *name;
    GString *text; /* what is not sent yet, from text_sent on; NULL: all is */
    gsize text_sent;
    int fd; /* goes with the first byte; -1: none, or gone */
    uint64_t sent_us;
    bool is_raw;      /* a client's own words */
    bool has_owner;   /* who will wait or forget */
    bool is_in_flight;
    bool is_overdue;  /* a deadline for it has passed */
    JsonValue *reply; /* the whole object */
    gsize reply_bytes;
    GError *failure; /* why no reply will come */
    FiberCompletion answered;
};

struct QmpSession {
    int references;
    FiberLoop *loop;
    int fd; /* -1: ended */
    sd_event_source *source;
    char *name;
    char *whose; /* for errors: "QEMU of domain 'x'" */
    QmpHandlers handlers;
    void *user;
    JsonStream *stream;
    gsize stream_bytes; /* fed since the last complete value */
    GQueue in_flight;   /* of QmpCommand, the oldest first */
    GQueue unsent;      /* those of them that have text left; borrowed */
    GQueue answered;    /* those whose owners have not fetched the reply; borrowed */
    gsize unsent_bytes;
    gsize held_bytes; /* in them */
    uint64_t last_id;
    bool is_greeted;
    bool is_held; /* until qmp_session_let_go() */
    bool is_mute; /* the peer takes nothing any more; what it sent may still be read */
    QmpCommand *negotiation; /* until qmp_session_negotiate() */
    GError *why;             /* it ended */
};

/* Sends what the socket takes and asks the loop for the rest. */
void qmp_session_flush(QmpSession *session);
/* Sends @request (taken) after giving it an id; @name is for errors, @fd taken or -1. */
QmpCommand *qmp_command_start(QmpSession *session, const char *name, JsonValue *request, int fd,
                              GError **error);
/* A complete value that came. Ends the session for what no QEMU sends. */
void qmp_command_take_reply(QmpSession *session, JsonValue *reply, gsize bytes);
/* Nothing will come any more. */
void qmp_command_fail(QmpCommand *command, const GError *why);
