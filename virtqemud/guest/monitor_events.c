/* One function for each event, and a table. They run on the loop: what takes time is begun in a
 * fiber. A guest that is ENDING changes its state no more. */
#include "virtqemud/guest/monitor_events.h"

#include <string.h>

#include "base/log.h"
#include "common/events.h"
#include "json/get.h"
#include "json/write.h"
#include "virtqemud/domain_emit.h"
#include "virtqemud/guest/guest.h"
#include "virtqemud/guest/locks.h"
#include "virtqemud/guest/status.h"
#include "wire/api_domain.h"
#include "wire/api_domain_event.h"

LOG_INIT("qemu.events");

#define AGENT_CHANNEL "org.qemu.guest_agent.0"

typedef void (*EventHandler)(Guest *guest, const JsonValue *data);

/* Optional members: what QEMU does not say, or says wrongly, is left at the fallback. */
static const char *text_of(const JsonValue *data, const char *key, const char *fallback)
{
    const char *text = fallback;

    if (data)
        json_object_opt_string(data, key, fallback, &text, NULL);
    return text;
}

static bool flag_of(const JsonValue *data, const char *key)
{
    bool flag = false;

    if (data)
        json_object_opt_bool(data, key, false, &flag, NULL);
    return flag;
}

static void emit(Guest *guest, int event, int detail)
{
    domain_emit_lifecycle(guest->driver, guest->domain, event, detail);
}

/* ---- Shutdown and reset ---- */

/* The guest has shut down, and is to run again: QEMU has kept it for that. */
static void restart_fiber(void *data)
{
    g_autoptr(Guest) guest = data;
    g_autoptr(GError) error = NULL;
    uint64_t deadline_us = fiber_deadline_ms(GUEST_ANSWER_MS);

    guest->is_shut_down = false;
    guest->reboots_at_shutdown = false;
    if (!guest->monitor ||
        !qmp_execute(guest->monitor, "system_reset", NULL, deadline_us, NULL, &error) ||
        !guest->monitor || !qmp_execute(guest->monitor, "cont", NULL, deadline_us, NULL, &error)) {
        if (error)
            LOG_GERROR(error);
        guest_stop_later(guest, GUEST_END_CRASHED);
        return;
    }
    guest_set_state(guest, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
}

static void restart_later(Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (fiber_spawn(daemon_get_loop(guest->driver->daemon), "guest restart", restart_fiber,
                    guest_ref(guest), NULL, &error))
        return;
    LOG_GERROR(error);
    guest_unref(guest);
}

/* What the domain wants to become of a guest that has ended in some way. */
static void act(Guest *guest, LifecycleAction action, GuestEnd end)
{
    switch (action) {
    case ACTION_RESTART:
    case ACTION_RENAME_RESTART:
    case ACTION_COREDUMP_RESTART:
        restart_later(guest);
        break;
    case ACTION_PRESERVE:
        break;
    default:
        guest_stop_later(guest, end);
    }
}

static void on_shutdown(Guest *guest, const JsonValue *data)
{
    const char *reason = text_of(data, "reason", "");

    /* A guest that has shut down or crashed is ended next, of which QEMU tells in the same way. */
    if (!guest->is_shut_down && guest->end != GUEST_END_CRASHED)
        emit(guest, VIR_DOMAIN_EVENT_SHUTDOWN,
             flag_of(data, "guest") ? VIR_DOMAIN_EVENT_SHUTDOWN_GUEST
                                    : VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
    guest->is_shut_down = true;
    if (guest->phase != GUEST_UP || guest->end != GUEST_END_UNKNOWN)
        return;
    if (strcmp(reason, "host-signal") == 0 || strcmp(reason, "host-qmp-quit") == 0) {
        /* QEMU is leaving: somebody else has told it to. */
        guest->end = GUEST_END_SHUTDOWN;
        return;
    }
    if (strcmp(reason, "guest-reset") == 0) {
        guest_set_state(guest, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN);
        act(guest, guest->def->on_reboot == ACTION_RESTART ? ACTION_DESTROY : guest->def->on_reboot,
            GUEST_END_SHUTDOWN);
        return;
    }
    guest_resume_shutdown(guest);
}

void guest_resume_shutdown(Guest *guest)
{
    guest->is_shut_down = true;
    guest_set_state(guest, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN);
    act(guest, guest->reboots_at_shutdown ? ACTION_RESTART : guest->def->on_poweroff,
        GUEST_END_SHUTDOWN);
}

static void on_reset(Guest *guest, const JsonValue *data)
{
    domain_emit_reboot(guest->driver, guest->domain);
    if (guest->phase == GUEST_UP && guest->domain->state == VIR_DOMAIN_CRASHED)
        guest_set_state(guest, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED);
}

static void on_panic(Guest *guest, const JsonValue *data)
{
    /* Clients know the pause first; QEMU tells of it second, when on_stop() has no more to say. */
    if (guest->phase == GUEST_UP && guest->domain->state == VIR_DOMAIN_RUNNING &&
        strcmp(text_of(data, "action", "pause"), "run") != 0)
        emit(guest, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    emit(guest, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
    if (guest->phase != GUEST_UP || guest->end != GUEST_END_UNKNOWN)
        return;
    guest_set_state(guest, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    act(guest, guest->def->on_crash, GUEST_END_CRASHED);
}

/* ---- Pausing ---- */

static int suspended_detail(int pause_reason)
{
    switch (pause_reason) {
    case VIR_DOMAIN_PAUSED_IOERROR:
        return VIR_DOMAIN_EVENT_SUSPENDED_IOERROR;
    case VIR_DOMAIN_PAUSED_WATCHDOG:
        return VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG;
    default:
        return VIR_DOMAIN_EVENT_SUSPENDED_PAUSED;
    }
}

/* Follows a shutdown and a panic as well: then it says nothing new. */
static void on_stop(Guest *guest, const JsonValue *data)
{
    int reason = guest->next_pause_reason;

    if (guest->phase != GUEST_UP || guest->is_shut_down ||
        (guest->domain->state != VIR_DOMAIN_RUNNING &&
         guest->domain->state != VIR_DOMAIN_PMSUSPENDED))
        return;
    guest->next_pause_reason = VIR_DOMAIN_PAUSED_UNKNOWN;
    guest_set_state(guest, VIR_DOMAIN_PAUSED, reason);
    guest_locks_give_later(guest);
    emit(guest, VIR_DOMAIN_EVENT_SUSPENDED, suspended_detail(reason));
}

static void on_resume(Guest *guest, const JsonValue *data)
{
    if (guest->phase == GUEST_ENDING || guest->domain->state != VIR_DOMAIN_PAUSED)
        return;
    if (guest->phase == GUEST_STARTING) {
        domain_set_state(guest->domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    } else {
        guest_set_state(guest, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
        guest_locks_take_later(guest);
    }
    emit(guest, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

static void on_suspend(Guest *guest, const JsonValue *data)
{
    if (guest->phase == GUEST_UP && guest->domain->state == VIR_DOMAIN_RUNNING) {
        guest_set_state(guest, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
        emit(guest, VIR_DOMAIN_EVENT_PMSUSPENDED, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY);
    }
    domain_emit_pm_suspend(guest->driver, guest->domain);
}

static void on_wakeup(Guest *guest, const JsonValue *data)
{
    if (guest->phase == GUEST_UP && guest->domain->state == VIR_DOMAIN_PMSUSPENDED) {
        guest_set_state(guest, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP);
        emit(guest, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP);
    }
    domain_emit_pm_wakeup(guest->driver, guest->domain);
}

/* ---- Devices ---- */

static const struct {
    const char *name;
    int action;
} watchdog_actions[] = {
    { "none", VIR_DOMAIN_EVENT_WATCHDOG_NONE },         { "pause", VIR_DOMAIN_EVENT_WATCHDOG_PAUSE },
    { "reset", VIR_DOMAIN_EVENT_WATCHDOG_RESET },       { "poweroff", VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF },
    { "shutdown", VIR_DOMAIN_EVENT_WATCHDOG_SHUTDOWN }, { "debug", VIR_DOMAIN_EVENT_WATCHDOG_DEBUG },
    { "inject-nmi", VIR_DOMAIN_EVENT_WATCHDOG_INJECTNMI },
};

static void on_watchdog(Guest *guest, const JsonValue *data)
{
    const char *name = text_of(data, "action", "none");

    for (size_t i = 0; i < G_N_ELEMENTS(watchdog_actions); i++) {
        if (strcmp(watchdog_actions[i].name, name))
            continue;
        if (watchdog_actions[i].action == VIR_DOMAIN_EVENT_WATCHDOG_PAUSE)
            guest->next_pause_reason = VIR_DOMAIN_PAUSED_WATCHDOG;
        domain_emit_watchdog(guest->driver, guest->domain, watchdog_actions[i].action);
    }
}

/* The disk that QEMU means by a block node, a QOM path or an alias; NULL when there is none. */
static DiskDef *find_disk(Guest *guest, const char *name)
{
    for (guint i = 0; name && i < guest->def->disks->len; i++) {
        DiskDef *disk = guest->def->disks->pdata[i];

        if (g_strcmp0(disk->info.alias, name) == 0 ||
            (disk->source && g_strcmp0(disk->source->node_name, name) == 0))
            return disk;
    }
    return NULL;
}

static void on_io_error(Guest *guest, const JsonValue *data)
{
    const DiskDef *disk = find_disk(guest, text_of(data, "node-name", NULL));
    const char *action = text_of(data, "action", "report");
    int number = strcmp(action, "stop") == 0     ? VIR_DOMAIN_EVENT_IO_ERROR_PAUSE
                 : strcmp(action, "ignore") == 0 ? VIR_DOMAIN_EVENT_IO_ERROR_NONE
                                                 : VIR_DOMAIN_EVENT_IO_ERROR_REPORT;

    if (number == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE)
        guest->next_pause_reason = VIR_DOMAIN_PAUSED_IOERROR;
    domain_emit_io_error(guest->driver, guest->domain,
                         disk && disk->source->path ? disk->source->path : "",
                         disk && disk->info.alias ? disk->info.alias : "", number,
                         flag_of(data, "nospace") ? "enospc" : "");
}

static void on_tray(Guest *guest, const JsonValue *data)
{
    const char *id = text_of(data, "id", "");
    bool is_open = flag_of(data, "tray-open");
    DiskDef *disk = find_disk(guest, id);

    if (!disk)
        return;
    disk->tray_open = is_open ? XML_TRISTATE_YES : XML_TRISTATE_ABSENT;
    domain_emit_tray_change(guest->driver, guest->domain, disk->info.alias,
                            is_open ? VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN
                                    : VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE);
    guest_status_changed(guest);
}

static void on_balloon(Guest *guest, const JsonValue *data)
{
    uint64_t bytes;

    if (!data || !json_object_get_uint64(data, "actual", &bytes, NULL))
        return;
    guest->def->current_memory_kib = bytes / 1024;
    domain_emit_balloon_change(guest->driver, guest->domain, bytes / 1024);
    guest_status_changed(guest);
}

static void on_rtc(Guest *guest, const JsonValue *data)
{
    int64_t offset_s;

    if (!data || !json_object_get_int64(data, "offset", &offset_s, NULL))
        return;
    if (guest->def->clock.offset == CLOCK_VARIABLE) {
        guest->def->clock.adjustment_s = offset_s;
        guest_status_changed(guest);
    }
    domain_emit_rtc_change(guest->driver, guest->domain, offset_s);
}

static void on_port(Guest *guest, const JsonValue *data)
{
    const char *id = text_of(data, "id", "");
    bool is_open = flag_of(data, "open");

    for (guint i = 0; i < guest->def->channels->len; i++) {
        ChardevDef *channel = guest->def->channels->pdata[i];

        if (g_strcmp0(channel->info.alias, id))
            continue;
        channel->state = is_open ? CHANNEL_STATE_CONNECTED : CHANNEL_STATE_DISCONNECTED;
        if (g_strcmp0(channel->channel_name, AGENT_CHANNEL) == 0)
            domain_emit_agent_lifecycle(
                guest->driver, guest->domain,
                is_open ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                        : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL);
        guest_status_changed(guest);
    }
}

static const struct {
    const char *name;
    EventHandler handler;
} handlers[] = {
    { "SHUTDOWN", on_shutdown },        { "RESET", on_reset },
    { "STOP", on_stop },                { "RESUME", on_resume },
    { "SUSPEND", on_suspend },          { "WAKEUP", on_wakeup },
    { "GUEST_PANICKED", on_panic },     { "WATCHDOG", on_watchdog },
    { "BLOCK_IO_ERROR", on_io_error },  { "DEVICE_TRAY_MOVED", on_tray },
    { "BALLOON_CHANGE", on_balloon },   { "RTC_CHANGE", on_rtc },
    { "VSERPORT_CHANGE", on_port },
};

/* For clients that asked for the monitor's own events. */
static void pass_on(Guest *guest, const char *name, const JsonValue *data, int64_t seconds,
                    int64_t micros)
{
    g_autofree char *details = NULL;

    if (!events_has_listeners(guest->driver->daemon, EVENT_QEMU_MONITOR, 0))
        return;
    details = data ? json_write(data) : NULL;
    domain_emit_monitor(guest->driver, guest->domain, name, MAX(seconds, 0),
                        (unsigned)MAX(micros, 0), details);
}

void guest_monitor_event(void *user, const char *name, const JsonValue *data, int64_t seconds,
                         int64_t micros)
{
    Guest *guest = user;

    LOG_DEBUG("domain '%s': monitor event %s", guest->domain->object.name, name);
    pass_on(guest, name, data, seconds, micros);
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (strcmp(handlers[i].name, name) == 0)
            handlers[i].handler(guest, data);
    }
}
