/* Making a guest, finding the one of a domain, and its state. */
#include "virtqemud/guest/guest.h"

#include <string.h>

#include "base/log.h"
#include "json/get.h"
#include "virtqemud/guest/console.h"
#include "virtqemud/guest/guest_log.h"
#include "virtqemud/guest/monitor_events.h"
#include "virtqemud/guest/sockets.h"
#include "virtqemud/guest/status.h"
#include "wire/api_domain.h"

LOG_INIT("qemu.guest");

/* Of a name in the folders that a guest has; sockets lie in them, whose paths are short. */
#define FOLDER_NAME_CHARS 20

/* "domain-1-big", as existing installations name the folders of a guest. */
static char *folder_name(const Domain *domain, int id)
{
    const char *name = domain->object.name;
    const char *end = name;

    for (int n = 0; *end && n < FOLDER_NAME_CHARS; n++)
        end = g_utf8_next_char(end);
    return g_strdup_printf("domain-%d-%.*s", id, (int)(end - name), name);
}

Guest *guest_new(Driver *driver, Domain *domain, DomainDef *def, int id)
{
    Guest *guest = g_new0(Guest, 1);
    g_autofree char *folder = folder_name(domain, id);

    guest->n_refs = 1;
    guest->driver = driver;
    guest->domain = object_ref(domain);
    guest->conf = qemu_conf_ref(driver->conf);
    guest->is_log_managed = guest->conf->stdio_handler == QEMU_STDIO_LOGD;
    guest->def = def;
    def->id = id;
    guest->lib_dir = g_build_filename(driver->lib_dir, folder, NULL);
    guest->channel_dir = g_build_filename(driver->lib_dir, "channel", "target", folder, NULL);
    guest->consoles = console_table_new();
    /* The domain's own reference goes with the end of the guest. */
    domain->guest = guest_ref(guest);
    domain->id = id;
    g_hash_table_insert(driver->active, GINT_TO_POINTER(id), domain);
    driver->n_guests++;
    daemon_touch(driver->daemon);
    return guest;
}

Guest *guest_ref(Guest *guest)
{
    guest->n_refs++;
    return guest;
}

void guest_unref(Guest *guest)
{
    if (!guest || --guest->n_refs)
        return;
    qmp_session_free(guest->monitor);
    guest_process_free(guest->process);
    log_file_free(guest->log);
    domain_def_free(guest->def);
    g_hash_table_unref(guest->consoles);
    json_free(guest->dirty_rate);
    block_sizes_free(guest->block_sizes);
    g_clear_pointer(&guest->vcpu_threads, g_array_unref);
    g_clear_pointer(&guest->released_files, g_ptr_array_unref);
    g_free(guest->lock_socket);
    g_strfreev(guest->lock_before);
    g_clear_pointer(&guest->lock_requests, g_ptr_array_unref);
    guest_resources_clear(&guest->resources);
    qemu_conf_unref(guest->conf);
    object_unref(guest->domain);
    g_free(guest->lib_dir);
    g_free(guest->channel_dir);
    g_free(guest);
}

Guest *guest_of(Domain *domain, GError **error)
{
    if (domain->guest && domain->guest->phase == GUEST_UP)
        return domain->guest;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return NULL;
}

QmpSession *guest_monitor_of(Domain *domain, GError **error)
{
    Guest *guest = guest_of(domain, error);

    if (!guest)
        return NULL;
    if (!guest->monitor) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "the monitor of domain '%s' is not connected", domain->object.name);
        return NULL;
    }
    return qmp_session_ref(guest->monitor);
}

/* Whoever destroys a guest that has no process yet does not wait for the start, which must make
 * nothing more then: what was there is taken away already. */
bool guest_check_wanted(const Guest *guest, GError **error)
{
    if (guest->phase == GUEST_STARTING)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
              "domain '%s' was ended while it was starting", guest->domain->object.name);
    return false;
}

void guest_set_state(Guest *guest, int state, int reason)
{
    domain_set_state(guest->domain, state, reason);
    guest_status_changed(guest);
}

void guest_note_raw_command(Guest *guest)
{
    guest->n_raw_commands++;
    g_clear_pointer(&guest->dirty_rate, json_free);
    if (guest->taints[TAINT_CUSTOM_MONITOR])
        return;
    guest->taints[TAINT_CUSTOM_MONITOR] = true;
    guest_status_changed(guest);
    guest_log_taint_later(guest, TAINT_CUSTOM_MONITOR);
}

void guest_set_vcpu_threads(Guest *guest, const JsonValue *cpus)
{
    g_clear_pointer(&guest->vcpu_threads, g_array_unref);
    guest->vcpu_threads = g_array_new(FALSE, TRUE, sizeof(pid_t));
    for (guint i = 0; i < json_length(cpus); i++) {
        const JsonValue *cpu = json_at(cpus, i);
        int64_t thread;

        if (json_type(cpu) == JSON_OBJECT &&
            json_object_get_int64(cpu, "thread-id", &thread, NULL)) {
            pid_t id = (pid_t)thread;

            g_array_append_val(guest->vcpu_threads, id);
        }
    }
}

/* ---- The monitor ---- */

/* QEMU has gone, or has closed its monitor and must go. */
static void monitor_closed(void *data, const GError *why)
{
    Guest *guest = data;

    fiber_completion_signal(&guest->monitor_closed);
    if (guest->phase == GUEST_ENDING || guest->end != GUEST_END_UNKNOWN || !guest->process ||
        !guest_process_is_alive(guest->process))
        return;
    LOG_WARN("domain '%s': QEMU is ended, because its monitor is gone: %s",
             guest->domain->object.name, why->message);
    guest_stop_later(guest, GUEST_END_UNKNOWN);
}

static const QmpHandlers monitor_handlers = { guest_monitor_event, monitor_closed };

/* The socket's name may be longer than an address: the folder is opened and named by number. */
bool guest_connect(Guest *guest, GError **error)
{
    int fd = guest_socket_connect(guest->lib_dir, "monitor.sock", error);

    if (fd < 0)
        return false;
    guest->monitor = qmp_session_new(daemon_get_loop(guest->driver->daemon), fd,
                                     guest->domain->object.name, &monitor_handlers, guest, error);
    return guest->monitor != NULL;
}
