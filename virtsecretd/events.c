/* Events of secrets and the registration for them. The kit filters by the object's key, which is the
 * uuid's text; an event is told after what it tells of is on disk. */
#include "virtsecretd/events.h"

#include <string.h>

#include "common/events.h"
#include "virtsecretd/procedures.h"
#include "wire/api_secret.h"
#include "wire/remote.h"

/* Borrows its text from the secret. */
static remote_nonnull_secret wire_secret(const Secret *secret)
{
    remote_nonnull_secret wire = {
        .usageType = secret->def->usage_type,
        .usageID = (char *)secret_usage_id(secret),
    };

    memcpy(wire.uuid, secret->object.uuid.bytes, UUID_LENGTH);
    return wire;
}

void secret_emit_lifecycle(const Driver *driver, const Secret *secret, int event)
{
    remote_secret_event_lifecycle_msg message = { .secret = wire_secret(secret), .event = event };

    events_emit(driver->daemon,
                &(Event){ .family = EVENT_SECRET,
                          .event_id = VIR_SECRET_EVENT_ID_LIFECYCLE,
                          .object = secret->object.name,
                          .program = REMOTE_PROGRAM,
                          .procedure = REMOTE_PROC_SECRET_EVENT_LIFECYCLE,
                          .codec = (xdrproc_t)xdr_remote_secret_event_lifecycle_msg,
                          .message = &message });
}

/* That there is another value, not which. */
void secret_emit_value_changed(const Driver *driver, const Secret *secret)
{
    remote_secret_event_value_changed_msg message = { .secret = wire_secret(secret) };

    events_emit(driver->daemon,
                &(Event){ .family = EVENT_SECRET,
                          .event_id = VIR_SECRET_EVENT_ID_VALUE_CHANGED,
                          .object = secret->object.name,
                          .program = REMOTE_PROGRAM,
                          .procedure = REMOTE_PROC_SECRET_EVENT_VALUE_CHANGED,
                          .codec = (xdrproc_t)xdr_remote_secret_event_value_changed_msg,
                          .message = &message });
}

/* A secret need not exist to be registered for: it may come. */
static bool event_register(Call *call, const remote_connect_secret_event_register_any_args *args,
                           remote_connect_secret_event_register_any_ret *ret, GError **error)
{
    char text[UUID_TEXT_SIZE];
    const char *key = NULL;
    Uuid uuid;

    if (args->secret) {
        memcpy(uuid.bytes, args->secret->uuid, UUID_LENGTH);
        key = uuid_format(&uuid, text);
    }
    return events_register(call, EVENT_SECRET, args->eventID, key, NULL,
                           &ret->callbackID, error);
}

static bool event_deregister(Call *call,
                             const remote_connect_secret_event_deregister_any_args *args,
                             none *ret, GError **error)
{
    return events_deregister(call_get_client(call), EVENT_SECRET, args->callbackID, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_SECRET_EVENT_REGISTER_ANY, event_register,
              remote_connect_secret_event_register_any_args,
              remote_connect_secret_event_register_any_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_SECRET_EVENT_DEREGISTER_ANY, event_deregister,
              remote_connect_secret_event_deregister_any_args, none),
};

const ProcedureTable secret_event_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
