/* Events: daemons say events_emit() once per thing that happened; who has registered,
 * for which object, and delivery are in here. An event is encoded once, whatever the
 * number of clients. A client that does not read is disconnected when its queue is full;
 * it slows nobody down. Registrations go with their connection. */
#pragma once

#include "common/call.h"
#include "common/procedure.h"

typedef struct EventRegistry EventRegistry;

typedef enum EventFamily {
    EVENT_DOMAIN,
    EVENT_NETWORK,
    EVENT_STORAGE_POOL,
    EVENT_NODE_DEVICE,
    EVENT_SECRET,
    EVENT_QEMU_MONITOR,
    N_EVENT_FAMILIES,
} EventFamily;

EventRegistry *events_new(void);
void events_free(EventRegistry *registry);

/* A condition on the name of what an event tells of. */
typedef struct EventFilter {
    const char *text;
    bool is_pattern;   /* a regular expression (PCRE), to be found anywhere in the name */
    bool ignores_case;
} EventFilter;

/* Registers the client of @call for events number @event_id of @family, of the object whose key is
 * @object (a uuid's text, a name; NULL: all), as far as lists of @call's procedure may show objects
 * to it (common/access.h). @ret_callback_id is the client's number for it. @filter (may be NULL, is copied) is a further condition.
 * Errors: INTERNAL_ERROR for an id that the family has not, INVALID_ARG for a pattern that is
 * none, RESOURCE_BUSY when the client has too many. */
bool events_register(Call *call, EventFamily family, int32_t event_id, const char *object,
                     const EventFilter *filter, int32_t *ret_callback_id, GError **error);
/* Errors: INTERNAL_ERROR naming the number when the client has no such callback. */
bool events_deregister(Client *client, EventFamily family, int32_t callback_id, GError **error);
/* The older forms without numbers: once per client and event id. */
bool events_register_legacy(Call *call, int32_t event_id, GError **error);
bool events_deregister_legacy(Client *client, int32_t event_id, GError **error);
/* How many registrations of the older form @client has for @event_id: 0 or 1. */
unsigned events_count_legacy(const Client *client, int32_t event_id);

/* One event. @message is the struct of @procedure (its first member is callbackID, which
 * is filled in per client). @legacy_procedure (0: none) is sent with @legacy_message to
 * those who registered in the older form. */
typedef struct Event {
    EventFamily family;
    int32_t event_id;
    const char *object;      /* the key that registrations name */
    const char *match_name;  /* for registrations with a filter (the monitor event's name) */
    uint32_t program;
    int32_t procedure;
    xdrproc_t codec;
    const void *message;
    int32_t legacy_procedure;
    xdrproc_t legacy_codec;
    const void *legacy_message;
} Event;
void events_emit(Daemon *daemon, const Event *event);
/* True when anybody would get it: expensive messages need not be made otherwise. */
bool events_has_listeners(Daemon *daemon, EventFamily family, int32_t event_id);
