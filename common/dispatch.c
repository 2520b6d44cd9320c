/* What a client's message means: which program and procedure, whether the client may call it
 * now, and who carries it out, a handler of ours (through the workers) or a sibling (through
 * the router). The checks go from cheap to dear, and none of them looks at the arguments. */
#include "base/error.h"
#include "common/call_private.h"
#include "common/client_private.h"
#include "common/daemon.h"
#include "common/router.h"
#include "common/server_private.h"
#include "common/stream_private.h"
#include "wire/admin.h"
#include "wire/qemu.h"
#include "wire/remote.h"

#include "base/log.h"

LOG_INIT("rpc.dispatch");

/* Over a limit: the answer to the first call, and that was it. */
static void dispatch_rejected(Client *client, const Message *message)
{
    client_send_error(client, &message->header, client->rejection);
    channel_close_when_sent(client->channel, fiber_deadline_ms(1000));
    client_close(client, "over the limit, and told so");
}

/* AUTH_LIST and the steps of each method have adjacent numbers on the wire. */
static bool wire_is_authentication(const WireProgram *program, const WireProcedure *wire)
{
    return program->number == REMOTE_PROGRAM && wire->number >= REMOTE_PROC_AUTH_LIST &&
           wire->number <= REMOTE_PROC_AUTH_POLKIT;
}

/* Programs of the log and lock daemons have no connections to open. */
static bool wire_needs_open(const WireProgram *program, const WireProcedure *wire)
{
    /* Authentication comes before opening, and so does the question for keepalive: clients put
     * both at the beginning of a connection. */
    switch (program->number) {
    case REMOTE_PROGRAM:
        return wire->number != REMOTE_PROC_CONNECT_OPEN &&
               wire->number != REMOTE_PROC_CONNECT_SUPPORTS_FEATURE &&
               !wire_is_authentication(program, wire);
    case ADMIN_PROGRAM:
        return wire->number != ADMIN_PROC_CONNECT_OPEN;
    default:
        return program->number == QEMU_PROGRAM;
    }
}

/* What an unopened connection may ask: how to authenticate, what the daemon can, keepalive
 * (which never comes here), and to be opened. Programs without connections have no state. */
static bool dispatch_check_state(Client *client, const WireProgram *program,
                                 const WireProcedure *wire, GError **error)
{
    if (client->auth != CLIENT_AUTH_DONE && !wire_is_authentication(program, wire)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "authentication required");
        return false;
    }
    if (client->is_open || !wire_needs_open(program, wire))
        return true;
    error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "hypervisor connection not open");
    return false;
}

/* The part of the system whose function is missing. */
static ErrorFrom wire_error_from(const WireProcedure *wire)
{
    static const ErrorFrom from[] = {
        [WIRE_OWNER_NETWORK] = VIR_FROM_NETWORK,     [WIRE_OWNER_STORAGE] = VIR_FROM_STORAGE,
        [WIRE_OWNER_NODEDEV] = VIR_FROM_NODEDEV,     [WIRE_OWNER_SECRET] = VIR_FROM_SECRET,
        [WIRE_OWNER_INTERFACE] = VIR_FROM_INTERFACE, [WIRE_OWNER_NWFILTER] = VIR_FROM_NWFILTER,
    };
    ErrorFrom found = wire->owner < G_N_ELEMENTS(from) ? from[wire->owner] : VIR_FROM_NONE;

    return found != VIR_FROM_NONE ? found : VIR_FROM_DOMAIN;
}

/* What the facts of the wire say of the procedure as a whole. Some write or not as their
 * arguments say: those are looked at in call_new(), when there are any. */
static bool dispatch_check_read_only(Client *client, const WireProcedure *wire, GError **error)
{
    if (!client->is_read_only || !wire->is_write)
        return true;
    error_set(error, wire_error_from(wire), VIR_ERR_OPERATION_DENIED, "read only access prevents %s",
              wire_procedure_title(wire));
    return false;
}

/* Before the router, too: a call that waits at a sibling costs this daemon as much as one that
 * waits here. */
static bool dispatch_check_account(Client *client, const Message *message, GError **error)
{
    if (message->fds->n_fds > 0 &&
        client->n_call_fds + message->fds->n_fds > CLIENT_MAX_CALL_FDS) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY,
                  "Too many descriptors on this connection: %zu came with calls that have not "
                  "been answered, at most %d may",
                  client->n_call_fds, CLIENT_MAX_CALL_FDS);
        return false;
    }
    if (client->n_calls < CLIENT_MAX_CALLS &&
        client->n_call_bytes + message->length <= CLIENT_MAX_CALL_BYTES)
        return true;
    error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY,
              "Too many calls on this connection: %zu calls of %zu bytes have not been answered, "
              "at most %d calls of %d bytes may be",
              client->n_calls, client->n_call_bytes, CLIENT_MAX_CALLS, CLIENT_MAX_CALL_BYTES);
    return false;
}

static bool dispatch_find(Client *client, const Message *message, Program **ret_program,
                          const WireProcedure **ret_wire, GError **error)
{
    const FrameHeader *header = &message->header;
    Program *program = server_find_program(client->server, header->program);
    const WireProcedure *wire;

    if (!program) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC,
                  "Cannot find program %u version %u", header->program, header->version);
        return false;
    }
    if (header->version != program_get_wire(program)->version) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "Program 0x%x has version %u, not %u",
                  header->program, program_get_wire(program)->version, header->version);
        return false;
    }
    wire = wire_procedure_find(program_get_wire(program), header->procedure);
    /* Events have numbers of the same program, but only the server's side sends them. */
    if (!wire || wire->kind >= WIRE_CALLBACK_EVENT) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: %d", header->procedure);
        return false;
    }
    *ret_program = program;
    *ret_wire = wire;
    return true;
}

/* False with @error: the caller answers with it. The connection goes on: a call that cannot be
 * understood is framed well all the same. */
static bool dispatch_call(Client *client, const Message *message, GError **error)
{
    const Procedure *procedure;
    const WireProcedure *wire;
    Program *program;
    Call *call;

    if (message->header.status != VIR_NET_OK) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "Unexpected message status %u",
                  message->header.status);
        return false;
    }
    if (!dispatch_find(client, message, &program, &wire, error) ||
        !dispatch_check_state(client, program_get_wire(program), wire, error) ||
        !dispatch_check_account(client, message, error) ||
        !dispatch_check_read_only(client, wire, error))
        return false;
    if (router_wants(client, wire, message)) {
        router_forward(client, wire, message);
        return true;
    }
    procedure = program_find(program, wire->number);
    if (!procedure) {
        error_set(error, wire_error_from(wire), VIR_ERR_NO_SUPPORT, "%s",
                  wire_procedure_title(wire));
        return false;
    }
    call = call_new(client, message, wire, procedure, error);
    if (!call)
        return false;
    workers_submit(&client->server->workers, call);
    return true;
}

static void dispatch_stream(Client *client, const Message *message)
{
    /* Frames of a stream that has just ended on our side may still be on their way. */
    if (!streams_dispatch(client, message))
        router_forward_stream(client, message);
}

void client_dispatch(Client *client, const Message *message)
{
    g_autoptr(GError) error = NULL;

    switch (message->header.type) {
    case VIR_NET_CALL:
    case VIR_NET_CALL_WITH_FDS:
        if (client->is_rejected)
            dispatch_rejected(client, message);
        else if (!dispatch_call(client, message, &error))
            client_send_error(client, &message->header, error);
        break;
    case VIR_NET_STREAM:
    case VIR_NET_STREAM_HOLE:
        if (!client->is_rejected)
            dispatch_stream(client, message);
        break;
    default:
        LOG_WARN("client %" G_GUINT64_FORMAT " sent a message of type %u", client->id,
                 message->header.type);
        client_close(client, "it sent a message that clients do not send");
    }
}
