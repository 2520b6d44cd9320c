/* The inside of a call, for the parts of the kit that carry it along. */
#pragma once

#include "common/call.h"
#include "fiber/fiber.h"

struct Call {
    Client *client; /* a reference */
    const WireProcedure *wire;
    const Procedure *procedure; /* of the server's table, constant */
    FrameHeader header; /* of the message; the reply takes it over */
    MessageFds fds;       /* taken over from the message */
    int reply_fds[8];
    size_t n_reply_fds;
    size_t charged_bytes; /* of the client's account */
    Fiber *fiber;         /* NULL until it runs */
    GList link;           /* in the client's waiting calls, or in the workers' running ones */
    GList client_link;    /* in the client's list of running calls */
    bool is_running, has_slot, has_priority_slot;
    struct Stream *stream; /* opened by the handler, starts behind the reply */
    void *args, *ret;     /* behind this struct */
};

/* Decodes the arguments. Errors: RPC. */
Call *call_new(Client *client, const Message *message, const WireProcedure *wire,
               const Procedure *procedure, GError **error);
void call_free(Call *call);
/* Starts the call's fiber: handler, reply, workers_release(), call_free(). */
void call_start(Call *call);
