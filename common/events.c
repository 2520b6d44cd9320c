/* Who wants which events, and sending them. Registrations hang in two places: in a table of
 * their client, which finds them by number and drops them with the connection, and in a list
 * of all that want the same event, which is what an event goes along. */
#include "common/events_private.h"

#include "base/error.h"
#include "common/access.h"
#include "common/client_private.h"
#include "common/daemon.h"
#include "common/server_private.h"
#include "base/log.h"

LOG_INIT("rpc.events");

/* Callbacks of one client; each costs about 100 bytes. */
#define MAX_CALLBACKS 16384

typedef struct EventCallback {
    GList link; /* in the registry's list of its family and event id */
    Client *client;
    const WireProcedure *wire; /* which it registered by */
    EventFamily family;
    int32_t event_id;
    int32_t id; /* the client's number; of the older form: negative */
    bool is_legacy;
    char *object, *filter; /* NULL: any */
    GRegex *pattern;       /* NULL: none */
} EventCallback;

/* Lists by (family, event id): an event only looks at those who want it. */
struct EventRegistry {
    GHashTable *lists; /* EVENT_KEY → GQueue of EventCallback.link */
};

/* The number of events that each family has (the …_ID_LAST of the manual), and its name. */
static const struct {
    const char *name;
    int32_t n_ids;
} families[N_EVENT_FAMILIES] = {
    [EVENT_DOMAIN] = { "domain", 28 },
    [EVENT_NETWORK] = { "network", 2 },
    [EVENT_STORAGE_POOL] = { "storage pool", 2 },
    [EVENT_NODE_DEVICE] = { "node device", 2 },
    [EVENT_SECRET] = { "secret", 2 },
    [EVENT_QEMU_MONITOR] = { "qemu monitor", 1 },
};

/* A pointer-sized key that is never 0. */
#define EVENT_KEY(FAMILY, ID) GUINT_TO_POINTER(((guint)(FAMILY) << 16 | (guint)(ID)) + 1)

/* Registrations of the older form live in the same table under numbers that no callback
 * has: they are once per event id. */
#define LEGACY_NUMBER(ID) (-1 - (ID))

static void callback_free_alone(EventCallback *callback)
{
    g_free(callback->object);
    g_free(callback->filter);
    g_clear_pointer(&callback->pattern, g_regex_unref);
    g_free(callback);
}

/* The table of the client calls this, for one or for all. */
static void callback_free(void *data)
{
    EventCallback *callback = data;
    EventRegistry *registry = daemon_get_events(client_get_daemon(callback->client));
    GQueue *list = g_hash_table_lookup(registry->lists,
                                       EVENT_KEY(callback->family, callback->event_id));

    g_queue_unlink(list, &callback->link);
    callback_free_alone(callback);
}

EventRegistry *events_new(void)
{
    EventRegistry *registry = g_new0(EventRegistry, 1);

    registry->lists = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return registry;
}

void events_free(EventRegistry *registry)
{
    if (!registry)
        return;
    g_hash_table_unref(registry->lists);
    g_free(registry);
}

static GQueue *events_list(EventRegistry *registry, EventFamily family, int32_t event_id)
{
    gpointer key = EVENT_KEY(family, event_id);
    GQueue *list = g_hash_table_lookup(registry->lists, key);

    if (!list) {
        list = g_new0(GQueue, 1);
        g_hash_table_insert(registry->lists, key, list);
    }
    return list;
}

/* Takes @callback, also when it fails. */
static bool events_add(Call *call, EventCallback *callback, GError **error)
{
    Client *client = call_get_client(call);
    EventRegistry *registry = daemon_get_events(client_get_daemon(client));

    /* A call may find out late that its client has gone, with all that it had. */
    if (client->has_closed || events_count(client) >= MAX_CALLBACKS) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_RESOURCE_BUSY,
                  "This connection %s %zu event callbacks, as many as it may",
                  client->has_closed ? "has ended with" : "has", events_count(client));
        callback_free_alone(callback);
        return false;
    }
    if (!client->callbacks)
        client->callbacks = g_hash_table_new_full(NULL, NULL, NULL, callback_free);
    callback->client = client;
    callback->wire = call_get_wire(call);
    callback->link.data = callback;
    g_queue_push_tail_link(events_list(registry, callback->family, callback->event_id),
                           &callback->link);
    g_hash_table_insert(client->callbacks, GINT_TO_POINTER(callback->id), callback);
    return true;
}

static bool events_check_id(EventFamily family, int32_t event_id, GError **error)
{
    if (event_id >= 0 && event_id < families[family].n_ids)
        return true;
    error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "unsupported %s event ID %d",
              families[family].name, event_id);
    return false;
}

/* A name is short, and the library bounds what a match may cost. */
static bool callback_set_filter(EventCallback *callback, const EventFilter *filter, GError **error)
{
    GRegexCompileFlags flags = filter->ignores_case ? G_REGEX_CASELESS : 0;
    g_autofree char *escaped = NULL, *whole = NULL;
    g_autoptr(GError) reason = NULL;

    if (!filter->is_pattern && !filter->ignores_case) {
        callback->filter = g_strdup(filter->text);
        return true;
    }
    if (!filter->is_pattern) {
        escaped = g_regex_escape_string(filter->text, -1);
        whole = g_strconcat("^", escaped, "$", NULL);
    }
    callback->pattern = g_regex_new(whole ? whole : filter->text, flags, 0, &reason);
    if (callback->pattern)
        return true;
    error_set(error, VIR_FROM_RPC, VIR_ERR_INVALID_ARG, "failed to compile regex '%s': %s",
              filter->text, reason->message);
    return false;
}

/* The number is used up even when the registration fails: gaps do no harm. */
bool events_register(Call *call, EventFamily family, int32_t event_id, const char *object,
                     const EventFilter *filter, int32_t *ret_callback_id, GError **error)
{
    EventCallback *callback;
    int32_t id;

    if (!events_check_id(family, event_id, error))
        return false;
    callback = g_new0(EventCallback, 1);
    callback->family = family;
    callback->event_id = event_id;
    callback->id = id = client_new_callback_id(call_get_client(call));
    callback->object = g_strdup(object);
    if (filter && !callback_set_filter(callback, filter, error)) {
        callback_free_alone(callback);
        return false;
    }
    if (!events_add(call, callback, error))
        return false;
    *ret_callback_id = id;
    return true;
}

static EventCallback *events_find(const Client *client, int32_t number)
{
    return client->callbacks ? g_hash_table_lookup(client->callbacks, GINT_TO_POINTER(number))
                             : NULL;
}

bool events_deregister(Client *client, EventFamily family, int32_t callback_id, GError **error)
{
    EventCallback *callback = callback_id >= 0 ? events_find(client, callback_id) : NULL;

    /* Each family has its own procedures, and one cannot take back what another made, though
     * numbers are shared. */
    if (!callback || callback->family != family) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "%s event callback %d not registered", families[family].name, callback_id);
        return false;
    }
    g_hash_table_remove(client->callbacks, GINT_TO_POINTER(callback_id));
    return true;
}

bool events_register_legacy(Call *call, int32_t event_id, GError **error)
{
    EventCallback *callback;

    if (!events_check_id(EVENT_DOMAIN, event_id, error))
        return false;
    if (events_find(call_get_client(call), LEGACY_NUMBER(event_id))) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INVALID_ARG, "domain event %d is already registered",
                  event_id);
        return false;
    }
    callback = g_new0(EventCallback, 1);
    callback->family = EVENT_DOMAIN;
    callback->event_id = event_id;
    callback->id = LEGACY_NUMBER(event_id);
    callback->is_legacy = true;
    return events_add(call, callback, error);
}

bool events_deregister_legacy(Client *client, int32_t event_id, GError **error)
{
    if (event_id < 0 || !events_find(client, LEGACY_NUMBER(event_id))) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "domain event %d not registered",
                  event_id);
        return false;
    }
    g_hash_table_remove(client->callbacks, GINT_TO_POINTER(LEGACY_NUMBER(event_id)));
    return true;
}

unsigned events_count_legacy(const Client *client, int32_t event_id)
{
    return events_find(client, LEGACY_NUMBER(event_id)) ? 1 : 0;
}

size_t events_count(const Client *client)
{
    return client->callbacks ? g_hash_table_size(client->callbacks) : 0;
}

void events_client_closed(Client *client)
{
    g_clear_pointer(&client->callbacks, g_hash_table_unref);
}

/* Also true when those who listen want another object: an approximation on the side of
 * sending. */
bool events_has_listeners(Daemon *daemon, EventFamily family, int32_t event_id)
{
    GQueue *list = g_hash_table_lookup(daemon_get_events(daemon)->lists,
                                       EVENT_KEY(family, event_id));

    return list && list->length > 0;
}

/* An encoded event. In the numbered form only the word behind the header differs from
 * client to client. */
typedef struct EncodedEvent {
    GByteArray *frame;
    bool is_legacy;
} EncodedEvent;

static bool encoded_event_init(EncodedEvent *encoded, const Event *event, bool is_legacy)
{
    g_autoptr(GError) error = NULL;
    FrameHeader header = {
        .program = event->program,
        .version = wire_program_find(event->program)->version,
        .procedure = is_legacy ? event->legacy_procedure : event->procedure,
        .type = VIR_NET_MESSAGE,
    };

    encoded->is_legacy = is_legacy;
    encoded->frame = g_byte_array_new();
    if (frame_encode(encoded->frame, &header, is_legacy ? event->legacy_codec : event->codec,
                     is_legacy ? event->legacy_message : event->message, &error))
        return true;
    LOG_GERROR(error);
    return false;
}

/* The frame is not copied: the client's number goes between its two parts. In the older form
 * there is no number. */
static void encoded_event_send(const EncodedEvent *encoded, const EventCallback *callback)
{
    uint32_t number = GUINT32_TO_BE((uint32_t)callback->id);
    struct iovec iov[3] = {
        { encoded->frame->data, FRAME_HEADER_SIZE },
        { &number, sizeof(number) },
        { encoded->frame->data + FRAME_HEADER_SIZE + sizeof(number),
          encoded->frame->len - FRAME_HEADER_SIZE - sizeof(number) },
    };

    if (encoded->is_legacy)
        iov[0].iov_len = encoded->frame->len;
    client_send_raw(callback->client, iov, encoded->is_legacy ? 1 : 3, NULL, 0);
}

/* A registration of the older form wants all objects. */
static bool callback_matches(const EventCallback *callback, const Event *event)
{
    if (callback->is_legacy && event->legacy_procedure == 0)
        return false;
    if (callback->object && g_strcmp0(callback->object, event->object) != 0)
        return false;
    if (!access_may_list(callback->client, callback->wire))
        return false;
    if (callback->pattern)
        return event->match_name && g_regex_match(callback->pattern, event->match_name, 0, NULL);
    return !callback->filter || g_strcmp0(callback->filter, event->match_name) == 0;
}

void events_emit(Daemon *daemon, const Event *event)
{
    GQueue *list = g_hash_table_lookup(daemon_get_events(daemon)->lists,
                                       EVENT_KEY(event->family, event->event_id));
    EncodedEvent encoded[2] = { { NULL, false }, { NULL, true } };

    if (!list)
        return;
    /* Sending never closes a client here: the loop does, later. */
    for (GList *link = list->head; link; link = link->next) {
        EventCallback *callback = link->data;
        EncodedEvent *form = &encoded[callback->is_legacy];

        if (!callback_matches(callback, event))
            continue;
        if (!form->frame && !encoded_event_init(form, event, callback->is_legacy))
            break;
        encoded_event_send(form, callback);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(encoded); i++)
        g_clear_pointer(&encoded[i].frame, g_byte_array_unref);
}
