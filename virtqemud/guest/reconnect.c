/* After a restart of the daemon: each status file tells of a guest that ran. Its domain is made
 * (or found among the definitions), and is in the state that the file tells until QEMU has been
 * asked; a guest that has gone meanwhile is cleaned up, with its event. */
#include "virtqemud/guest/guest.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "json/get.h"
#include "virtqemud/domain_emit.h"
#include "virtqemud/guest/folders.h"
#include "virtqemud/guest/guest_log.h"
#include "virtqemud/guest/images.h"
#include "virtqemud/guest/locks.h"
#include "virtqemud/guest/lost.h"
#include "virtqemud/guest/reconnect.h"
#include "virtqemud/guest/status.h"
#include "wire/api_domain.h"
#include "wire/api_domain_event.h"

LOG_INIT("qemu.reconnect");

/* ---- The record ---- */

/* The domain that @status is of: a persistent one, or one that only its guest keeps. */
static Domain *domain_for(Driver *driver, const GuestStatus *status, GError **error)
{
    Domain *domain = object_store_find_uuid(driver->domains, &status->def->uuid);

    if (domain && strcmp(domain->object.name, status->def->name)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "the running guest '%s' has the uuid of the domain '%s'", status->def->name,
                  domain->object.name);
        g_clear_pointer(&domain, object_unref);
        return NULL;
    }
    if (domain)
        return domain;
    domain = domain_new(status->def->name, &status->def->uuid);
    if (!object_store_add(driver->domains, &domain->object, error))
        g_clear_pointer(&domain, object_unref);
    return domain;
}

static void claim_ports(Guest *guest)
{
    for (guint i = 0; i < guest->def->graphics->len; i++) {
        const GraphicsDef *graphics = guest->def->graphics->pdata[i];

        if (graphics->port > 0)
            ports_claim(guest->driver->ports, (unsigned)graphics->port);
        if (graphics->websocket > 0)
            ports_claim(guest->driver->ports, (unsigned)graphics->websocket);
    }
}

/* Existing daemons do not keep when the process was started, nor which files it was given, and
 * which locks only in ways of their own. */
static void adopt_foreign(Guest *guest, GuestStatus *status)
{
    guest_images_adopt(guest);
    guest_locks_adopt(guest);
    lost_process_is_guest(status->pid, guest->def->name, &status->start_time);
}

/* They are removed with all that is in them: what cannot be one is not taken. */
static void take_folders(Guest *guest, GuestStatus *status)
{
    if (status->lib_dir && guest_folder_is_one(guest->driver, status->lib_dir)) {
        g_free(guest->lib_dir);
        guest->lib_dir = g_steal_pointer(&status->lib_dir);
    }
    if (status->channel_dir &&
        guest_folder_is_one_of_channels(guest->driver, status->channel_dir)) {
        g_free(guest->channel_dir);
        guest->channel_dir = g_steal_pointer(&status->channel_dir);
    }
}

static Guest *guest_from_status(Driver *driver, GuestStatus *status, GError **error)
{
    Domain *domain = domain_for(driver, status, error);
    int id = status->def->id;
    Guest *guest;

    if (!domain)
        return NULL;
    if (domain->guest || g_hash_table_contains(driver->active, GINT_TO_POINTER(id))) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "the id %d of the running guest '%s' is taken", id, status->def->name);
        object_unref(domain);
        return NULL;
    }
    guest = guest_new(driver, domain, g_steal_pointer(&status->def), id);
    object_unref(domain);
    driver->last_id = MAX(driver->last_id, id);
    guest->phase = status->phase == GUEST_STARTING ? GUEST_STARTING : GUEST_UP;
    guest->was_up = guest->phase == GUEST_UP;
    guest->is_found_again = true;
    guest->first_free_node = status->next_node;
    guest->reboots_at_shutdown = status->reboots_at_shutdown;
    guest->lock_manager = status->lock_manager;
    guest->lock_requests = g_steal_pointer(&status->lock_requests);
    guest->locks = status->locks;
    guest->lock_pid = status->pid;
    memcpy(guest->taints, status->taints, sizeof(guest->taints));
    guest->is_log_managed = status->is_log_managed;
    take_folders(guest, status);
    /* A guest of another daemon's has the names that it would have here. */
    guest_resources_remember(guest,
                             status->has_resources ? status->manager : driver->resources->manager,
                             status->machine);
    domain_set_state(domain, status->state, status->reason);
    claim_ports(guest);
    if (guest->phase == GUEST_UP && status->start_time == 0)
        adopt_foreign(guest, status);
    guest_log_find(guest, status->pid);
    return guest;
}

/* ---- The truth ---- */

/* What QEMU says its run state is (QMP reference, RunState), as states of a domain. */
static const struct {
    const char *name;
    int state, reason;
} run_states[] = {
    { "running", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED },
    { "paused", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN },
    { "prelaunch", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER },
    { "debug", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN },
    { "io-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR },
    { "watchdog", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG },
    { "internal-error", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN },
    { "guest-panicked", VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED },
    { "suspended", VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN },
};

/* The reason on record stays when the state is the same. */
static void set_run_state(Guest *guest, const char *name)
{
    if (strcmp(name, "shutdown") == 0) {
        guest_resume_shutdown(guest);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(run_states); i++) {
        if (strcmp(run_states[i].name, name) == 0 && guest->domain->state != run_states[i].state)
            guest_set_state(guest, run_states[i].state, run_states[i].reason);
    }
}

static bool ask_state(Guest *guest, GError **error)
{
    uint64_t deadline_us = FIBER_FOREVER; /* a QEMU that is stopped answers when it goes on */
    g_autoptr(QmpSession) monitor = NULL;
    g_autoptr(JsonValue) status = NULL;
    g_autoptr(JsonValue) cpus = NULL;
    const char *name;

    if (!guest_connect(guest, error))
        return false;
    monitor = qmp_session_ref(guest->monitor);
    if (!qmp_session_negotiate(monitor, deadline_us, error) ||
        !qmp_execute(monitor, "query-status", NULL, deadline_us, &status, error) ||
        !json_object_get_string(status, "status", &name, error))
        return false;
    if (guest->phase == GUEST_UP)
        set_run_state(guest, name);
    guest_locks_verify(guest);
    if (qmp_execute(monitor, "query-cpus-fast", NULL, deadline_us, &cpus, NULL))
        guest_set_vcpu_threads(guest, cpus);
    return true;
}

static void guest_find(Guest *guest, const GuestStatus *status, bool is_lost)
{
    FiberLoop *loop = daemon_get_loop(guest->driver->daemon);
    g_autoptr(GError) error = NULL;

    if (!guest_process_adopt(loop, status->pid, status->start_time, guest_process_ended, guest,
                             &guest->process, &error)) {
        LOG_INFO("the guest of domain '%s' has ended meanwhile: %s", guest->domain->object.name,
                 error->message);
        guest_stop(guest, GUEST_END_UNKNOWN, false, NULL);
        return;
    }
    if (is_lost)
        guest_status_changed(guest);
    if (guest->phase == GUEST_STARTING) {
        LOG_WARN("the start of domain '%s' was cut short, and is undone",
                 guest->domain->object.name);
        guest_stop(guest, GUEST_END_FAILED, false, NULL);
        return;
    }
    /* A daemon that ends while QEMU does not answer leaves it alone; one that is being ended by a
     * call needs no second end. */
    if (ask_state(guest, &error) || guest->phase == GUEST_ENDING ||
        guest->end != GUEST_END_UNKNOWN || fiber_is_cancelled(fiber_current()))
        return;
    if (is_lost) {
        LOG_WARN("domain '%s' can only be destroyed, because its monitor cannot be used: %s",
                 guest->domain->object.name, error->message);
        return;
    }
    LOG_ERROR("the guest of domain '%s' is ended, because its monitor cannot be used: %s",
              guest->domain->object.name, error->message);
    guest_stop(guest, GUEST_END_UNKNOWN, false, NULL);
}

typedef struct Finding {
    Guest *guest;
    GuestStatus status;
    bool is_lost; /* it has no state file */
} Finding;

static void find_fiber(void *data)
{
    Finding *finding = data;

    guest_find(finding->guest, &finding->status, finding->is_lost);
    guest_unref(finding->guest);
    guest_status_clear(&finding->status);
    g_free(finding);
}

/* Takes what @finding has; the fiber has it, or nobody. */
static bool begin_finding(Driver *driver, Finding *finding, GError **error)
{
    finding->guest = guest_from_status(driver, &finding->status, error);
    if (finding->guest && fiber_spawn(daemon_get_loop(driver->daemon), "guest reconnect",
                                      find_fiber, finding, NULL, error))
        return true;
    g_clear_pointer(&finding->guest, guest_unref);
    guest_status_clear(&finding->status);
    g_free(finding);
    return false;
}

static bool read_status(const char *path, const char *name, GuestStatus *ret_status,
                        GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GuestStatus) status = { 0 };

    if (!file_read_all(path, XML_SIZE_MAX, &text, NULL, error) ||
        !guest_status_parse(text, &status, error))
        return false;
    if (strcmp(status.def->name, name)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "it is that of the guest '%s'",
                  status.def->name);
        return false;
    }
    *ret_status = status;
    memset(&status, 0, sizeof(status));
    return true;
}

/* The record is read at once, so that no list misses the guest; QEMU is asked beside. */
static bool reconnect(Driver *driver, const char *name, GError **error)
{
    g_autofree char *path = state_live_path(driver->folders, name);
    GuestStatus status = { 0 };
    Finding *finding;

    if (!read_status(path, name, &status, error))
        return false;
    finding = g_new0(Finding, 1);
    finding->status = status;
    return begin_finding(driver, finding, error);
}

/* Its state file is written anew as soon as its process is watched. */
static bool reconnect_lost(Driver *driver, const char *name, GError **error)
{
    Finding *finding = g_new0(Finding, 1);
    pid_t pid;

    if (!lost_guest_recover(driver, name, &finding->status, error)) {
        g_free(finding);
        return false;
    }
    finding->is_lost = true;
    pid = finding->status.pid;
    if (!begin_finding(driver, finding, error))
        return false;
    LOG_WARN("the guest '%s' runs as process %d without a state file that can be read: its "
             "definition may have been changed since it was started", name, (int)pid);
    return true;
}

static bool is_known(const Driver *driver, const char *name)
{
    Domain *domain = object_store_find_name(driver->domains, name);
    bool has_guest = domain && domain->guest;

    object_unref(domain);
    return has_guest;
}

/* Calls @func for each file of the guests' folder that ends in @suffix, by the name before that. */
static bool each_file(Driver *driver, const char *suffix,
                      bool (*func)(Driver *driver, const char *name, GError **error),
                      GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!dir_list(driver->folders->run_dir, suffix, &names, error))
        return false;
    for (guint i = 0; i < names->len; i++) {
        const char *file = names->pdata[i];
        g_autofree char *name = g_strndup(file, strlen(file) - strlen(suffix));
        g_autoptr(GError) reason = NULL;

        if (!is_known(driver, name) && !func(driver, name, &reason) && reason)
            LOG_ERROR("the guest of %s/%s cannot be found again: %s", driver->folders->run_dir,
                      file, reason->message);
    }
    return true;
}

bool guests_reconnect(Driver *driver, GError **error)
{
    if (!g_file_test(driver->folders->run_dir, G_FILE_TEST_IS_DIR))
        return true;
    return dir_remove_temporaries(driver->folders->run_dir, error) &&
           each_file(driver, ".xml", reconnect, error) &&
           each_file(driver, ".pid", reconnect_lost, error);
}
