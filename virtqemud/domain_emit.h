/* Telling clients what happened to a domain: one function for each kind of event, which knows
 * its messages, the one with a callback's number and the older one without. */
#pragma once

#include "virtqemud/domain.h"
#include "virtqemud/driver.h"

/* @event is a virDomainEventType, @detail of its enumeration. */
void domain_emit_lifecycle(Driver *driver, const Domain *domain, int event, int detail);
void domain_emit_reboot(Driver *driver, const Domain *domain);
/* @type is a virDomainMetadataType; @uri is NULL unless it is ELEMENT. */
void domain_emit_metadata(Driver *driver, const Domain *domain, int type, const char *uri);
void domain_emit_rtc_change(Driver *driver, const Domain *domain, int64_t offset_s);
void domain_emit_watchdog(Driver *driver, const Domain *domain, int action);
/* @path and @alias of the disk; @reason is NULL in the oldest form of the event. */
void domain_emit_io_error(Driver *driver, const Domain *domain, const char *path,
                          const char *alias, int action, const char *reason);
void domain_emit_tray_change(Driver *driver, const Domain *domain, const char *alias, int reason);
void domain_emit_balloon_change(Driver *driver, const Domain *domain, uint64_t actual_kib);
void domain_emit_agent_lifecycle(Driver *driver, const Domain *domain, int state, int reason);
void domain_emit_pm_suspend(Driver *driver, const Domain *domain);
void domain_emit_pm_wakeup(Driver *driver, const Domain *domain);
/* An event of QEMU's monitor, with its data as JSON text (NULL: none). */
void domain_emit_monitor(Driver *driver, const Domain *domain, const char *name, int64_t seconds,
                         unsigned micros, const char *details);
