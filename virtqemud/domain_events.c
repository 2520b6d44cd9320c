/* Registering for events of domains, in each of the three forms that clients of different ages
 * use: one for lifecycle events, one by event id without number, one with a number for each
 * callback. The kit does the rest, see common/events.h. */
#include "virtqemud/domain_procedures.h"

#include <string.h>

#include "base/uuid.h"
#include "common/events.h"
#include "virtqemud/driver.h"
#include "wire/api_domain_event.h"
#include "wire/api_qemu.h"
#include "wire/qemu.h"
#include "wire/remote.h"
#include "wire/remote_domain_event.h"

/* What events name a domain by: its uuid's text. NULL, for all, without a domain. */
static const char *domain_key(remote_domain domain, char text[static UUID_TEXT_SIZE])
{
    Uuid uuid;

    if (!domain)
        return NULL;
    memcpy(uuid.bytes, domain->uuid, sizeof(uuid.bytes));
    return uuid_format(&uuid, text);
}

/* Both of these answer 0, whatever there is: clients count for themselves. */
static bool event_register(Call *call, const none *args, remote_connect_domain_event_register_ret *ret,
                           GError **error)
{
    return events_register_legacy(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE, error);
}

static bool event_deregister(Call *call, const none *args,
                             remote_connect_domain_event_deregister_ret *ret, GError **error)
{
    return events_deregister_legacy(call_get_client(call), VIR_DOMAIN_EVENT_ID_LIFECYCLE, error);
}

static bool event_register_any(Call *call, const remote_connect_domain_event_register_any_args *args,
                               none *ret, GError **error)
{
    return events_register_legacy(call, args->eventID, error);
}

static bool event_deregister_any(Call *call,
                                 const remote_connect_domain_event_deregister_any_args *args,
                                 none *ret, GError **error)
{
    return events_deregister_legacy(call_get_client(call), args->eventID, error);
}

static bool event_callback_register(
    Call *call, const remote_connect_domain_event_callback_register_any_args *args,
    remote_connect_domain_event_callback_register_any_ret *ret, GError **error)
{
    char uuid[UUID_TEXT_SIZE];

    return events_register(call, EVENT_DOMAIN, args->eventID,
                           domain_key(args->dom, uuid), NULL, &ret->callbackID, error);
}

static bool event_callback_deregister(
    Call *call, const remote_connect_domain_event_callback_deregister_any_args *args, none *ret,
    GError **error)
{
    return events_deregister(call_get_client(call), EVENT_DOMAIN, args->callbackID, error);
}

#define MONITOR_EVENT_FLAGS                                                                        \
    (VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX |                                        \
     VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE)

static bool monitor_event_register(Call *call,
                                   const qemu_connect_domain_monitor_event_register_args *args,
                                   qemu_connect_domain_monitor_event_register_ret *ret,
                                   GError **error)
{
    char uuid[UUID_TEXT_SIZE];
    EventFilter filter = {
        .text = args->event ? *args->event : NULL,
        .is_pattern = args->flags & VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX,
        .ignores_case = args->flags & VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE,
    };

    return call_check_flags("virConnectDomainQemuMonitorEventRegister", args->flags,
                            MONITOR_EVENT_FLAGS, error) &&
           events_register(call, EVENT_QEMU_MONITOR, 0,
                           domain_key(args->dom, uuid), filter.text ? &filter : NULL,
                           &ret->callbackID, error);
}

static bool monitor_event_deregister(Call *call,
                                     const qemu_connect_domain_monitor_event_deregister_args *args,
                                     none *ret, GError **error)
{
    return events_deregister(call_get_client(call), EVENT_QEMU_MONITOR, args->callbackID, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER, event_register, none,
              remote_connect_domain_event_register_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER, event_deregister, none,
              remote_connect_domain_event_deregister_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER_ANY, event_register_any,
              remote_connect_domain_event_register_any_args, none),
    PROCEDURE(REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER_ANY, event_deregister_any,
              remote_connect_domain_event_deregister_any_args, none),
    PROCEDURE(REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY, event_callback_register,
              remote_connect_domain_event_callback_register_any_args,
              remote_connect_domain_event_callback_register_any_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY, event_callback_deregister,
              remote_connect_domain_event_callback_deregister_any_args, none),
};

static const Procedure monitor_procedures[] = {
    PROCEDURE(QEMU_PROC_CONNECT_DOMAIN_MONITOR_EVENT_REGISTER, monitor_event_register,
              qemu_connect_domain_monitor_event_register_args,
              qemu_connect_domain_monitor_event_register_ret),
    PROCEDURE(QEMU_PROC_CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER, monitor_event_deregister,
              qemu_connect_domain_monitor_event_deregister_args, none),
};

const ProcedureTable domain_event_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
const ProcedureTable monitor_event_procedures = { QEMU_PROGRAM, monitor_procedures,
                                                  G_N_ELEMENTS(monitor_procedures) };
