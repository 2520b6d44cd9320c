/* Most events have two messages with the same content: with the number of the callback around
 * it, and bare for clients of the older form. */
#include "virtqemud/domain_emit.h"

#include <string.h>

#include "common/events.h"
#include "wire/api_domain_event.h"
#include "wire/qemu.h"
#include "wire/remote.h"
#include "wire/remote_domain_event.h"

/* What names @domain in a message that is encoded before the domain can change: borrowed. */
static remote_nonnull_domain wire_domain(const Domain *domain)
{
    remote_nonnull_domain wire = { .name = domain->object.name, .id = domain->id };

    memcpy(wire.uuid, domain->object.uuid.bytes, sizeof(wire.uuid));
    return wire;
}

static void emit(Driver *driver, const Domain *domain, Event *event)
{
    char uuid[UUID_TEXT_SIZE];

    event->object = uuid_format(&domain->object.uuid, uuid);
    events_emit(driver->daemon, event);
}

static bool is_wanted(Driver *driver, int event_id)
{
    return events_has_listeners(driver->daemon, EVENT_DOMAIN, event_id);
}

/* An event whose message @MESSAGE is sent in both forms. */
#define EMIT_BOTH(driver, domain, ID, LOWER, MESSAGE)                                              \
    emit((driver), (domain),                                                                       \
         &(Event){                                                                                 \
             .family = EVENT_DOMAIN,                                                               \
             .event_id = VIR_DOMAIN_EVENT_ID_##ID,                                                 \
             .program = REMOTE_PROGRAM,                                                            \
             .procedure = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_##ID,                                  \
             .codec = (xdrproc_t)xdr_remote_domain_event_callback_##LOWER##_msg,                   \
             .message = (MESSAGE),                                                                 \
             .legacy_procedure = REMOTE_PROC_DOMAIN_EVENT_##ID,                                    \
             .legacy_codec = (xdrproc_t)xdr_remote_domain_event_##LOWER##_msg,                     \
             .legacy_message = &(MESSAGE)->msg,                                                    \
         })

void domain_emit_lifecycle(Driver *driver, const Domain *domain, int event, int detail)
{
    remote_domain_event_callback_lifecycle_msg message = {
        .msg = { .dom = wire_domain(domain), .event = event, .detail = detail },
    };

    EMIT_BOTH(driver, domain, LIFECYCLE, lifecycle, &message);
}

void domain_emit_reboot(Driver *driver, const Domain *domain)
{
    remote_domain_event_callback_reboot_msg message = { .msg = { .dom = wire_domain(domain) } };

    EMIT_BOTH(driver, domain, REBOOT, reboot, &message);
}

void domain_emit_rtc_change(Driver *driver, const Domain *domain, int64_t offset_s)
{
    remote_domain_event_callback_rtc_change_msg message = {
        .msg = { .dom = wire_domain(domain), .offset = offset_s },
    };

    EMIT_BOTH(driver, domain, RTC_CHANGE, rtc_change, &message);
}

void domain_emit_watchdog(Driver *driver, const Domain *domain, int action)
{
    remote_domain_event_callback_watchdog_msg message = {
        .msg = { .dom = wire_domain(domain), .action = action },
    };

    EMIT_BOTH(driver, domain, WATCHDOG, watchdog, &message);
}

void domain_emit_tray_change(Driver *driver, const Domain *domain, const char *alias, int reason)
{
    remote_domain_event_callback_tray_change_msg message = {
        .msg = { .dom = wire_domain(domain), .devAlias = (char *)alias, .reason = reason },
    };

    EMIT_BOTH(driver, domain, TRAY_CHANGE, tray_change, &message);
}

void domain_emit_balloon_change(Driver *driver, const Domain *domain, uint64_t actual_kib)
{
    remote_domain_event_callback_balloon_change_msg message = {
        .msg = { .dom = wire_domain(domain), .actual = actual_kib },
    };

    EMIT_BOTH(driver, domain, BALLOON_CHANGE, balloon_change, &message);
}

void domain_emit_pm_suspend(Driver *driver, const Domain *domain)
{
    remote_domain_event_callback_pmsuspend_msg message = { .msg = { .dom = wire_domain(domain) } };

    EMIT_BOTH(driver, domain, PMSUSPEND, pmsuspend, &message);
}

void domain_emit_pm_wakeup(Driver *driver, const Domain *domain)
{
    remote_domain_event_callback_pmwakeup_msg message = { .msg = { .dom = wire_domain(domain) } };

    EMIT_BOTH(driver, domain, PMWAKEUP, pmwakeup, &message);
}

/* Two events of their own: the older one lacks the reason. */
void domain_emit_io_error(Driver *driver, const Domain *domain, const char *path,
                          const char *alias, int action, const char *reason)
{
    remote_domain_event_callback_io_error_msg message = {
        .msg = { .dom = wire_domain(domain), .srcPath = (char *)path, .devAlias = (char *)alias,
                 .action = action },
    };
    remote_domain_event_callback_io_error_reason_msg with_reason = {
        .msg = { .dom = wire_domain(domain), .srcPath = (char *)path, .devAlias = (char *)alias,
                 .action = action, .reason = (char *)reason },
    };

    EMIT_BOTH(driver, domain, IO_ERROR, io_error, &message);
    EMIT_BOTH(driver, domain, IO_ERROR_REASON, io_error_reason, &with_reason);
}

void domain_emit_metadata(Driver *driver, const Domain *domain, int type, const char *uri)
{
    char *uri_copy = (char *)uri;
    remote_domain_event_callback_metadata_change_msg message = {
        .dom = wire_domain(domain), .type = type, .nsuri = uri ? &uri_copy : NULL,
    };

    emit(driver, domain,
         &(Event){ .family = EVENT_DOMAIN,
                   .event_id = VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                   .program = REMOTE_PROGRAM,
                   .procedure = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_METADATA_CHANGE,
                   .codec = (xdrproc_t)xdr_remote_domain_event_callback_metadata_change_msg,
                   .message = &message });
}

void domain_emit_agent_lifecycle(Driver *driver, const Domain *domain, int state, int reason)
{
    remote_domain_event_callback_agent_lifecycle_msg message = {
        .dom = wire_domain(domain), .state = state, .reason = reason,
    };

    if (!is_wanted(driver, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE))
        return;
    emit(driver, domain,
         &(Event){ .family = EVENT_DOMAIN,
                   .event_id = VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                   .program = REMOTE_PROGRAM,
                   .procedure = REMOTE_PROC_DOMAIN_EVENT_CALLBACK_AGENT_LIFECYCLE,
                   .codec = (xdrproc_t)xdr_remote_domain_event_callback_agent_lifecycle_msg,
                   .message = &message });
}

void domain_emit_monitor(Driver *driver, const Domain *domain, const char *name, int64_t seconds,
                         unsigned micros, const char *details)
{
    char *details_copy = (char *)details;
    qemu_domain_monitor_event_msg message = {
        .dom = wire_domain(domain), .event = (char *)name, .seconds = seconds, .micros = micros,
        .details = details ? &details_copy : NULL,
    };

    emit(driver, domain,
         &(Event){ .family = EVENT_QEMU_MONITOR,
                   .match_name = name,
                   .program = QEMU_PROGRAM,
                   .procedure = QEMU_PROC_DOMAIN_MONITOR_EVENT,
                   .codec = (xdrproc_t)xdr_qemu_domain_monitor_event_msg,
                   .message = &message });
}
