/* The end of a guest. Whatever ends it (a call, the guest itself, a signal, a crash, a failed
 * start), the end of the process is what begins the clean-up, once; a fiber of its own does it,
 * and who wants to know waits for guest->finished. */
#include "virtqemud/guest/guest.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "base/log.h"
#include "virtqemud/domain_emit.h"
#include "virtqemud/guest/folders.h"
#include "virtqemud/guest/images.h"
#include "virtqemud/guest/locks.h"
#include "wire/api_domain.h"
#include "wire/api_domain_event.h"

LOG_INIT("qemu.stop");

/* How long QEMU may take to end after SIGTERM (it flushes its images), and after SIGKILL. */
#define TERM_MS 10000
#define KILL_MS 30000
/* What QEMU said last is read to its end; the socket closes with the process. */
#define LAST_EVENTS_MS 200

static const struct {
    int reason, detail;
    const char *word; /* in the guest's log */
} ends[] = {
    [GUEST_END_UNKNOWN] = { VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_FAILED,
                            "crashed" },
    [GUEST_END_SHUTDOWN] = { VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN,
                             "shutdown" },
    [GUEST_END_DESTROYED] = { VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED,
                              "destroyed" },
    [GUEST_END_CRASHED] = { VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_CRASHED,
                            "crashed" },
    [GUEST_END_FAILED] = { VIR_DOMAIN_SHUTOFF_FAILED, VIR_DOMAIN_EVENT_STOPPED_FAILED, "failed" },
};

static void remove_file(char *path)
{
    if (g_unlink(path) && errno != ENOENT)
        LOG_WARN("cannot remove %s: %s", path, g_strerror(errno));
    g_free(path);
}

/* The status file last: until it is gone, a restarted daemon does all of this again. */
static void remove_record(Guest *guest)
{
    const StateFolders *folders = guest->driver->folders;
    g_autofree char *pid_name = g_strconcat(guest->domain->object.name, ".pid", NULL);

    guest_images_forget(guest);
    remove_file(g_build_filename(folders->run_dir, pid_name, NULL));
    remove_file(state_live_path(folders, guest->domain->object.name));
}

static void guest_release(Guest *guest)
{
    for (guint i = 0; i < guest->def->graphics->len; i++) {
        const GraphicsDef *graphics = guest->def->graphics->pdata[i];

        if (graphics->port > 0)
            ports_release(guest->driver->ports, (unsigned)graphics->port);
        if (graphics->websocket > 0)
            ports_release(guest->driver->ports, (unsigned)graphics->websocket);
    }
}

static void owner_gone(Client *client, void *data)
{
    Guest *guest = data;

    guest->owner = NULL;
    guest_stop_later(guest, GUEST_END_DESTROYED);
}

/* Nobody finds the guest any more after this; its domain is shut off, or gone. */
static void guest_detach(Guest *guest)
{
    Driver *driver = guest->driver;
    Domain *domain = guest->domain;

    if (guest->owner)
        client_remove_close_func(g_steal_pointer(&guest->owner), owner_gone, guest);
    g_hash_table_remove(driver->active, GINT_TO_POINTER(domain->id));
    domain->id = -1;
    domain_set_state(domain, VIR_DOMAIN_SHUTOFF, ends[guest->end].reason);
    domain->guest = NULL;
    driver->n_guests--;
    if (guest->was_up)
        domain_emit_lifecycle(driver, domain, VIR_DOMAIN_EVENT_STOPPED, ends[guest->end].detail);
    driver_forget_domain(driver, domain);
    daemon_touch(driver->daemon);
}

typedef void (*UndoFunc)(Guest *guest);

SUSPENDS static void log_end(Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (guest->log && !log_file_write_end(guest->log, ends[guest->end].word, &error) &&
        !fiber_is_cancelled(fiber_current()))
        LOG_GERROR(error);
}

/* What the guest had outside of the daemon. False when the daemon ends meanwhile, and no wait
 * succeeds any more: the record stays then, and the next daemon does all of this. */
SUSPENDS static bool guest_undo(Guest *guest)
{
    static const UndoFunc steps[] = { log_end, guest_locks_give, guest_resources_release,
                                      guest_images_release, guest_folders_remove };

    for (size_t i = 0; i < G_N_ELEMENTS(steps) && !fiber_is_cancelled(fiber_current()); i++)
        steps[i](guest);
    return !fiber_is_cancelled(fiber_current());
}

static void finish_fiber(void *data)
{
    g_autoptr(Guest) guest = data;

    if (guest->monitor && qmp_session_is_open(guest->monitor))
        fiber_completion_wait(&guest->monitor_closed, fiber_deadline_ms(LAST_EVENTS_MS), NULL);
    g_clear_pointer(&guest->monitor, qmp_session_free);
    if (!guest_undo(guest))
        return;
    remove_record(guest);
    guest_release(guest);
    guest_detach(guest);
    fiber_completion_signal(&guest->finished);
    guest_unref(guest); /* what was the domain's */
}

/* Begins the clean-up; the first time only. */
static void guest_finish_later(Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (guest->phase == GUEST_ENDING)
        return;
    if (guest->phase == GUEST_STARTING && guest->end == GUEST_END_UNKNOWN)
        guest->end = GUEST_END_FAILED;
    guest->phase = GUEST_ENDING;
    if (!fiber_spawn(daemon_get_loop(guest->driver->daemon), "guest end", finish_fiber,
                     guest_ref(guest), NULL, &error)) {
        LOG_GERROR(error);
        guest_unref(guest);
    }
}

void guest_process_ended(GuestProcess *process, void *data)
{
    guest_finish_later(data);
}

/* Success also when somebody else ends it meanwhile. */
static bool guest_kill(Guest *guest, bool is_graceful, GError **error)
{
    g_autoptr(GError) reason = NULL;
    uint64_t kill_at_us = is_graceful ? FIBER_FOREVER : fiber_deadline_ms(TERM_MS);
    uint64_t deadline_us = fiber_deadline_ms(is_graceful ? TERM_MS : TERM_MS + KILL_MS);

    /* A process that is stopped takes no SIGTERM: it is of no use to wait for that. */
    if (!is_graceful && guest->end != GUEST_END_SHUTDOWN && guest->monitor &&
        qmp_session_unanswered_since_us(guest->monitor))
        kill_at_us = fiber_deadline_ms(TERM_MS / 10);
    if (guest_process_kill(guest->process, kill_at_us, deadline_us, NULL, &reason))
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
              "Failed to terminate process %d of domain '%s': %s",
              (int)guest_process_get_pid(guest->process), guest->domain->object.name,
              error_detail(reason));
    return false;
}

bool guest_stop(Guest *guest_to_stop, GuestEnd end, bool is_graceful, GError **error)
{
    g_autoptr(Guest) guest = guest_ref(guest_to_stop);
    GuestEnd previous_end = guest->end;

    if (guest->phase != GUEST_ENDING) {
        if (guest->end == GUEST_END_UNKNOWN)
            guest->end = end;
        if (!is_graceful)
            guest_resources_stop_sorting(guest);
        if (!guest->process) {
            guest_finish_later(guest);
        } else if (!guest_kill(guest, is_graceful, error)) {
            if (guest->phase != GUEST_ENDING)
                guest->end = previous_end;
            return false;
        }
    }
    /* The process is dead: what is left is files of ours, and ends. */
    return fiber_completion_wait(&guest->finished, FIBER_FOREVER, error);
}

typedef struct StopLater {
    Guest *guest;
    GuestEnd end;
} StopLater;

static void stop_fiber(void *data)
{
    StopLater *later = data;
    g_autoptr(GError) error = NULL;

    if (!guest_stop(later->guest, later->end, false, &error) &&
        !fiber_is_cancelled(fiber_current()))
        LOG_GERROR(error);
    guest_unref(later->guest);
    g_free(later);
}

void guest_stop_later(Guest *guest, GuestEnd end)
{
    g_autoptr(GError) error = NULL;
    StopLater *later;

    if (guest->phase == GUEST_ENDING)
        return;
    later = g_new0(StopLater, 1);
    later->guest = guest_ref(guest);
    later->end = end;
    if (!fiber_spawn(daemon_get_loop(guest->driver->daemon), "guest stop", stop_fiber, later, NULL,
                     &error)) {
        LOG_GERROR(error);
        guest_unref(guest);
        g_free(later);
    }
}

void guest_set_owner(Guest *guest, Client *client)
{
    guest->owner = client;
    client_add_close_func(client, owner_gone, guest);
}
