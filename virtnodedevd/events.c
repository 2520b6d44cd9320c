#include "virtnodedevd/events.h"

#include "common/events.h"
#include "virtnodedevd/procedures.h"
#include "wire/api_nodedev.h"
#include "wire/remote.h"
#include "wire/remote_nodedev.h"

void nodedev_emit_lifecycle(const Driver *driver, const Device *device, int event)
{
    remote_node_device_event_lifecycle_msg message = {
        .dev = { .name = device->seen->name },
        .event = event,
    };

    events_emit(driver->daemon,
                &(Event){ .family = EVENT_NODE_DEVICE,
                          .event_id = VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE,
                          .object = device->seen->name,
                          .program = REMOTE_PROGRAM,
                          .procedure = REMOTE_PROC_NODE_DEVICE_EVENT_LIFECYCLE,
                          .codec = (xdrproc_t)xdr_remote_node_device_event_lifecycle_msg,
                          .message = &message });
}

void nodedev_emit_update(const Driver *driver, const Device *device)
{
    remote_node_device_event_update_msg message = { .dev = { .name = device->seen->name } };

    events_emit(driver->daemon,
                &(Event){ .family = EVENT_NODE_DEVICE,
                          .event_id = VIR_NODE_DEVICE_EVENT_ID_UPDATE,
                          .object = device->seen->name,
                          .program = REMOTE_PROGRAM,
                          .procedure = REMOTE_PROC_NODE_DEVICE_EVENT_UPDATE,
                          .codec = (xdrproc_t)xdr_remote_node_device_event_update_msg,
                          .message = &message });
}

/* A device need not be there to be registered for: it may come. Those that the daemon finds when it
 * starts have not come. */
static bool event_register(Call *call,
                           const remote_connect_node_device_event_register_any_args *args,
                           remote_connect_node_device_event_register_any_ret *ret, GError **error)
{
    return driver_of(call, error) &&
           events_register(call, EVENT_NODE_DEVICE, args->eventID,
                           args->dev ? args->dev->name : NULL, NULL, &ret->callbackID, error);
}

static bool event_deregister(Call *call,
                             const remote_connect_node_device_event_deregister_any_args *args,
                             none *ret, GError **error)
{
    return events_deregister(call_get_client(call), EVENT_NODE_DEVICE, args->callbackID, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY, event_register,
              remote_connect_node_device_event_register_any_args,
              remote_connect_node_device_event_register_any_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY, event_deregister,
              remote_connect_node_device_event_deregister_any_args, none),
};

const ProcedureTable nodedev_event_procedures = { REMOTE_PROGRAM, procedures,
                                                  G_N_ELEMENTS(procedures) };
