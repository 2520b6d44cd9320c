/* Event registrations at siblings: their numbers, and making them again. */
#include <string.h>

#include "base/error.h"
#include "common/router_callbacks.h"
#include "wire/qemu.h"
#include "wire/remote.h"

#include "base/log.h"

LOG_INIT("rpc.router");

/* Of one client, at all siblings: as many as it may have of our own, and what they take. */
#define MAX_CALLBACKS 16384
#define MAX_RECORD_BYTES (8 * 1024 * 1024)

/* Keys of the older form, which has registrations for lifecycle events and by event id. */
#define LEGACY_LIFECYCLE_KEY (-1)
/* Below the key of lifecycle events, one for each event id. */
#define LEGACY_KEY(EVENT_ID) (-2 - (EVENT_ID))
/* Far above the last event there is; keeps the keys from overflowing. */
#define LEGACY_MAX_EVENT_ID 1000

/* For error texts, which name the kind of event as the daemon itself would. */
static const char *family_name(const WireProcedure *wire)
{
    static const char *const names[] = {
        [WIRE_OWNER_DOMAIN] = "domain",        [WIRE_OWNER_NETWORK] = "network",
        [WIRE_OWNER_STORAGE] = "storage pool", [WIRE_OWNER_NODEDEV] = "node device",
        [WIRE_OWNER_SECRET] = "secret",
    };

    if (strstr(wire->name, "MONITOR"))
        return "qemu monitor";
    return wire->owner < G_N_ELEMENTS(names) && names[wire->owner] ? names[wire->owner] : "";
}

/* -1, which is no number of a callback, when there is none. */
static int32_t message_first_word(const Message *message)
{
    uint32_t word;

    if (message->payload_length < sizeof(word))
        return -1;
    memcpy(&word, message->payload, sizeof(word));
    return (int32_t)GUINT32_FROM_BE(word);
}

/* Charged when the call is sent, not when it is answered: a thousand that wait for a sibling
 * count as well. */
static bool classify_register(Upstream *upstream, const Message *message, RouterCall *call,
                              RouterEffect effect, GError **error)
{
    RouterClient *router = upstream->client->router;
    size_t n_callbacks = router->callbacks ? g_hash_table_size(router->callbacks) : 0;

    if (n_callbacks >= MAX_CALLBACKS ||
        router->n_record_bytes + message->payload_length > MAX_RECORD_BYTES) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY,
                  "This connection has %zu event callbacks of %zu bytes already, at most %d of %d "
                  "bytes are allowed",
                  n_callbacks, router->n_record_bytes, MAX_CALLBACKS, MAX_RECORD_BYTES);
        return false;
    }
    call->effect = effect;
    call->record = g_bytes_new(message->payload, message->payload_length);
    router->n_record_bytes += message->payload_length;
    return true;
}

/* Answered here for a number that is not the client's: the sibling's numbers belong to all of
 * its clients' clients. */
static bool classify_deregister(Upstream *upstream, const WireProcedure *wire,
                                const Message *message, RouterCall *call, GError **error)
{
    int32_t number = message_first_word(message);

    if (number < 0 || !router_callbacks_find(upstream, number)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "%s event callback %d not registered", family_name(wire), number);
        return false;
    }
    call->effect = ROUTER_EFFECT_REMOVE;
    call->callback = number;
    return true;
}

/* The older forms are plain calls. */
static bool classify_legacy(Upstream *upstream, const Message *message, RouterCall *call,
                            GError **error)
{
    int32_t event_id = message_first_word(message);

    switch (message->header.procedure) {
    case REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER:
    case REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER:
        call->callback = LEGACY_LIFECYCLE_KEY;
        break;
    case REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER_ANY:
    case REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER_ANY:
        if (event_id < 0 || event_id > LEGACY_MAX_EVENT_ID)
            return true; /* the sibling says what it thinks of it */
        call->callback = LEGACY_KEY(event_id);
        break;
    default:
        return true;
    }
    if (message->header.procedure == REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER ||
        message->header.procedure == REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER_ANY)
        return classify_register(upstream, message, call, ROUTER_EFFECT_ADD_LEGACY, error);
    call->effect = ROUTER_EFFECT_REMOVE;
    return true;
}

bool router_callbacks_classify(Upstream *upstream, const WireProcedure *wire,
                               const Message *message, RouterCall *call, GError **error)
{
    if (wire->kind == WIRE_REGISTER)
        return classify_register(upstream, message, call, ROUTER_EFFECT_ADD, error);
    if (wire->kind == WIRE_DEREGISTER)
        return classify_deregister(upstream, wire, message, call, error);
    if (message->header.program == REMOTE_PROGRAM && wire->owner == WIRE_OWNER_DOMAIN)
        return classify_legacy(upstream, message, call, error);
    return true;
}

/* Only those at @upstream: a client cannot take back at one sibling what it registered at
 * another. */
RouterCallback *router_callbacks_find(Upstream *upstream, int32_t key)
{
    GHashTable *callbacks = upstream->client->router->callbacks;
    RouterCallback *callback = callbacks ? g_hash_table_lookup(callbacks, GINT_TO_POINTER(key))
                                         : NULL;

    return callback && callback->upstream == upstream ? callback : NULL;
}

/* By its table, also when the connection ends. The upstream is still there then, see
 * router_client_closed(). */
static void callback_free(void *data)
{
    RouterCallback *callback = data;
    Upstream *upstream = callback->upstream;

    if (callback->sibling_number >= 0 &&
        g_hash_table_lookup(upstream->numbers, GINT_TO_POINTER(callback->sibling_number)) ==
            callback)
        g_hash_table_remove(upstream->numbers, GINT_TO_POINTER(callback->sibling_number));
    upstream->n_callbacks--;
    upstream->client->router->n_record_bytes -= g_bytes_get_size(callback->record);
    g_bytes_unref(callback->record);
    g_free(callback);
}

static void callback_set_number(RouterCallback *callback, int32_t sibling_number)
{
    callback->sibling_number = sibling_number;
    if (sibling_number >= 0)
        g_hash_table_insert(callback->upstream->numbers, GINT_TO_POINTER(sibling_number),
                            callback);
}

/* -1: the reply has no number, or is of a kind that adds none. From here on the record is the
 * callback's. */
int32_t router_callbacks_apply(Upstream *upstream, RouterCall *call, int32_t sibling_number)
{
    RouterClient *router = upstream->client->router;
    RouterCallback *callback;

    if (call->effect == ROUTER_EFFECT_REMOVE)
        router_callbacks_remove(upstream, call->callback);
    if (!call->record)
        return -1;
    if (!router->callbacks)
        router->callbacks = g_hash_table_new_full(NULL, NULL, NULL, callback_free);
    callback = g_new0(RouterCallback, 1);
    callback->upstream = upstream;
    callback->header = call->header;
    callback->record = g_steal_pointer(&call->record);
    upstream->n_callbacks++;
    if (call->effect == ROUTER_EFFECT_ADD) {
        callback->key = client_new_callback_id(upstream->client);
        callback_set_number(callback, sibling_number);
    } else {
        callback->key = call->callback;
        callback->sibling_number = -1;
    }
    g_hash_table_replace(router->callbacks, GINT_TO_POINTER(callback->key), callback);
    return callback->key;
}

void router_callbacks_remove(Upstream *upstream, int32_t key)
{
    if (router_callbacks_find(upstream, key))
        g_hash_table_remove(upstream->client->router->callbacks, GINT_TO_POINTER(key));
}

/* For a registration that the sibling has refused, or never answered. */
void router_callbacks_release(Upstream *upstream, RouterCall *call)
{
    if (call->record)
        upstream->client->router->n_record_bytes -= g_bytes_get_size(call->record);
    g_clear_pointer(&call->record, g_bytes_unref);
}

void router_callbacks_forget_numbers(Upstream *upstream)
{
    GHashTableIter iter;
    gpointer callback;

    g_hash_table_iter_init(&iter, upstream->numbers);
    while (g_hash_table_iter_next(&iter, NULL, &callback)) {
        ((RouterCallback *)callback)->sibling_number = -1;
        g_hash_table_iter_remove(&iter);
    }
}

/* A registration that is being made again. */
typedef struct Renewal {
    int32_t key;
    bool is_legacy;
    bool is_taken_back;     /* by the client, before it was answered */
    FrameHeader deregister; /* the call that did so */
    RpcReply *reply;
} Renewal;

static void renewal_clear(void *data)
{
    rpc_reply_free(((Renewal *)data)->reply);
}

static RpcCall renewal_call(const FrameHeader *header)
{
    return (RpcCall){
        .program = header->program,
        .version = header->version,
        .procedure = header->procedure,
    };
}

/* Nobody waits for the answer: events that still come are for no callback. */
static void renewal_undo(Upstream *upstream, const FrameHeader *deregister, int32_t number)
{
    RpcCall call = renewal_call(deregister);
    uint32_t word = GUINT32_TO_BE((uint32_t)number);

    rpc_reply_free(rpc_client_send_payload(upstream->rpc, &call, (const uint8_t *)&word,
                                           sizeof(word)));
}

void router_callbacks_take_back(Upstream *upstream, int32_t key, const FrameHeader *header)
{
    const RouterCallback *callback = router_callbacks_find(upstream, key);

    if (!callback)
        return;
    if (callback->sibling_number >= 0) {
        renewal_undo(upstream, header, callback->sibling_number);
    } else if (upstream->renewals) {
        Renewal *renewal = &g_array_index(upstream->renewals, Renewal, callback->renewal);

        renewal->is_taken_back = true;
        renewal->deregister = *header;
    }
    router_callbacks_remove(upstream, key);
}

/* All at once: thousands of registrations cost one round trip. */
static GArray *renewals_send(Upstream *upstream)
{
    GArray *renewals = g_array_new(FALSE, FALSE, sizeof(Renewal));
    GHashTableIter iter;
    gpointer value;

    g_array_set_clear_func(renewals, renewal_clear);
    g_hash_table_iter_init(&iter, upstream->client->router->callbacks);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        RouterCallback *callback = value;
        RpcCall call = renewal_call(&callback->header);
        Renewal renewal = { .key = callback->key, .is_legacy = callback->key < 0 };
        size_t length = 0;
        const uint8_t *payload = g_bytes_get_data(callback->record, &length);

        if (callback->upstream != upstream)
            continue;
        callback->renewal = renewals->len;
        renewal.reply = rpc_client_send_payload(upstream->rpc, &call, payload, length);
        g_array_append_val(renewals, renewal);
    }
    return renewals;
}

static bool_t decode_number(XDR *xdrs, int32_t *number)
{
    return xdr_int(xdrs, number);
}

/* The sibling may refuse (the object of the registration is gone): the client then has a
 * callback that is never called, as if the object had not changed any more. */
SUSPENDS static bool renewal_finish(Upstream *upstream, Renewal *renewal, uint64_t deadline_us,
                                    GError **error)
{
    g_autoptr(GError) refusal = NULL;
    RouterCallback *callback;
    int32_t number = -1;
    RpcCall call = { .ret_codec = renewal->is_legacy ? NULL : (xdrproc_t)decode_number,
                     .ret = &number };

    if (!rpc_reply_wait(g_steal_pointer(&renewal->reply), &call, deadline_us, &refusal)) {
        if (upstream->has_ended || rpc_client_is_closed(upstream->rpc) ||
            refusal->code == VIR_ERR_OPERATION_TIMEOUT) {
            g_propagate_error(error, g_steal_pointer(&refusal));
            return false;
        }
        LOG_WARN("%s does not take an event registration again: %s", upstream->sibling->program,
                 refusal->message);
        return true;
    }
    callback = upstream->has_ended ? NULL : router_callbacks_find(upstream, renewal->key);
    if (callback && !renewal->is_legacy)
        callback_set_number(callback, number);
    else if (!upstream->has_ended && renewal->is_taken_back)
        renewal_undo(upstream, &renewal->deregister, number);
    return true;
}

/* The client's other calls wait until this is done, so that it misses no event that they
 * cause. */
bool router_callbacks_register_again(Upstream *upstream, uint64_t deadline_us, GError **error)
{
    g_autoptr(GArray) renewals = NULL;
    bool is_done = true;

    if (upstream->n_callbacks == 0)
        return true;
    renewals = upstream->renewals = renewals_send(upstream);
    for (guint i = 0; is_done && i < renewals->len; i++)
        is_done = renewal_finish(upstream, &g_array_index(renewals, Renewal, i), deadline_us,
                                 error);
    upstream->renewals = NULL;
    return is_done;
}
