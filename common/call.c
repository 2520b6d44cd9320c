/* One call from its decoded arguments to its reply. It runs in a fiber of its own, so the
 * handler may wait; the client may be gone by the time it is done, and then the reply goes
 * nowhere. Whatever the outcome, the call gives back its slot, its account and its descriptors
 * in call_free(). */
#include "common/call_private.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common/access.h"
#include "common/client_private.h"
#include "common/daemon.h"
#include "common/server_private.h"
#include "common/stream_private.h"
#include "wire/codec.h"

/* Arguments and result live behind the call, aligned for anything. */
#define ALIGNED(SIZE) (((SIZE) + 15) & ~(size_t)15)

/* Descriptors of the message become the call's only when nothing can fail any more; before
 * that they are closed with the message. @message is not needed after this. */
Call *call_new(Client *client, const Message *message, const WireProcedure *wire,
               const Procedure *procedure, GError **error)
{
    size_t args_offset = ALIGNED(sizeof(Call));
    size_t ret_offset = args_offset + ALIGNED(procedure->args_size);
    Call *call = g_malloc0(ret_offset + procedure->ret_size);

    call->args = (uint8_t *)call + args_offset;
    call->ret = (uint8_t *)call + ret_offset;
    if (!codec_decode(message->payload, message->payload_length, procedure->args_codec,
                      call->args, wire->name, error)) {
        g_free(call);
        return NULL;
    }
    /* Procedures that write only with certain flags or arguments can be told apart only now. */
    if (client_is_read_only(client) && wire_procedure_writes(wire, call->args)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_DENIED, "read only access prevents %s",
                  wire_procedure_title(wire));
        codec_free(procedure->args_codec, call->args);
        g_free(call);
        return NULL;
    }
    call->client = client_ref(client);
    call->wire = wire;
    call->procedure = procedure;
    call->header = message->header;
    call->link.data = call->client_link.data = call;
    if (message->fds->n_fds > 0) {
        call->fds = *message->fds;
        message->fds->n_fds = 0;
        client->n_call_fds += call->fds.n_fds;
    }
    call->charged_bytes = message->length;
    client_charge_call(client, call->charged_bytes);
    return call;
}

void call_free(Call *call)
{
    if (!call)
        return;
    if (call->is_running)
        g_queue_unlink(&call->client->running_calls, &call->client_link);
    codec_free(call->procedure->args_codec, call->args);
    codec_free(call->procedure->ret_codec, call->ret);
    for (size_t i = 0; i < call->fds.n_fds; i++) {
        if (call->fds.fds[i] >= 0)
            close(call->fds.fds[i]);
    }
    call->client->n_call_fds -= call->fds.n_fds;
    for (size_t i = 0; i < call->n_reply_fds; i++)
        close(call->reply_fds[i]);
    stream_free_unstarted(call->stream);
    client_discharge_call(call->client, call->charged_bytes);
    fiber_unref(call->fiber);
    client_unref(call->client);
    g_free(call);
}

/* A result that cannot be encoded (a list longer than the protocol allows) becomes an error:
 * nothing of the reply has been sent then. */
static void call_reply(Call *call)
{
    FrameHeader header = call->header;
    GError *error = NULL;

    header.type = call->n_reply_fds > 0 ? VIR_NET_REPLY_WITH_FDS : VIR_NET_REPLY;
    header.status = VIR_NET_OK;
    if (!client_send_frame(call->client, &header, call->procedure->ret_codec, call->ret,
                           call->reply_fds, call->n_reply_fds, &error)) {
        client_send_error(call->client, &call->header, error);
        g_error_free(error);
        return;
    }
    if (call->client->is_closing) {
        channel_close_when_sent(call->client->channel, fiber_deadline_ms(1000));
        client_close(call->client, "the client has closed it");
    }
    /* Behind the reply: the client knows the stream only from then on. */
    if (call->stream)
        stream_start(g_steal_pointer(&call->stream));
}

/* The slot is given back before the call is freed, and both after the reply: the next call of
 * this client starts when there is room for its answer. */
static void call_run(void *data)
{
    Call *call = data;
    Workers *workers = &call->client->server->workers;
    g_autoptr(GError) error = NULL;
    bool is_done = access_check(call->client, call->wire, &error) &&
                   call->procedure->handler(call, call->args, call->ret, &error);

    if (is_done)
        call_reply(call);
    else
        client_send_error(call->client, &call->header, error);
    workers_release(workers, call);
    call_free(call);
}

void call_start(Call *call)
{
    g_autoptr(GError) error = NULL;

    /* Before the fiber begins: it may run to its end, and free the call, inside of
     * fiber_spawn(). */
    g_queue_push_tail_link(&call->client->running_calls, &call->client_link);
    call->is_running = true;
    if (fiber_spawn(call->client->server->loop, call->wire->name, call_run, call, &call->fiber,
                    &error))
        return;
    client_send_error(call->client, &call->header, error);
    workers_release(&call->client->server->workers, call);
    call_free(call);
}

Client *call_get_client(Call *call)
{
    return call->client;
}

Daemon *call_get_daemon(Call *call)
{
    return call->client->server->daemon;
}

const WireProcedure *call_get_wire(const Call *call)
{
    return call->wire;
}

uint32_t call_get_serial(const Call *call)
{
    return call->header.serial;
}

int call_take_fd(Call *call, size_t index)
{
    Message message = { .fds = &call->fds };

    return message_take_fd(&message, index);
}

/* A copy: the handler closes its own as it likes, and the reply may wait for a client that
 * does not read. */
bool call_add_reply_fd(Call *call, int fd, GError **error)
{
    int copy;

    if (call->n_reply_fds == G_N_ELEMENTS(call->reply_fds)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "A reply carries at most %zu descriptors", G_N_ELEMENTS(call->reply_fds));
        return false;
    }
    copy = client_duplicate_fd(fd, error);
    if (copy < 0)
        return false;
    call->reply_fds[call->n_reply_fds++] = copy;
    return true;
}

bool call_check_flags(const char *api, unsigned flags, unsigned supported, GError **error)
{
    if ((flags & ~supported) == 0)
        return true;
    /* Clients know this sentence without the usual beginning of its code. */
    g_set_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INVALID_ARG,
                "unsupported flags (0x%x) in function %s", flags & ~supported, api);
    return false;
}
