/* The start of a guest, step by step. Nothing of it is acknowledged before all is done, and a
 * failure at any step ends with guest_stop(), which takes away what there is. The status file
 * comes before all else that is made, so that a daemon that was killed in between finds what to
 * take away; QEMU becomes QEMU only when that file names it, so that none ever runs that is not
 * on record. */
#include "virtqemud/guest/guest.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "json/get.h"
#include "json/write.h"
#include "virtqemud/domain_emit.h"
#include "virtqemud/guest/command_fds.h"
#include "virtqemud/guest/folders.h"
#include "virtqemud/guest/guest_log.h"
#include "virtqemud/guest/images.h"
#include "virtqemud/guest/locks.h"
#include "virtqemud/guest/lost.h"
#include "virtqemud/guest/status.h"
#include "virtqemud/qemu/alias.h"
#include "virtqemud/qemu/command.h"
#include "wire/api_domain.h"
#include "wire/api_domain_event.h"

/* From exec to the first answer; a guest with much memory to touch takes its time. */
#define MONITOR_MS (5 * 60 * 1000)
#define LAUNCH_MS 30000
#define LAST_WORDS_BYTES 1024

/* What one start has open and made on its way. */
typedef struct Start {
    Guest *guest;
    EmulatorCaps *caps;
    QemuCommand *command;
    GArray *fds; /* of GuestProcessFd: ours, closed at the end */
} Start;

static void start_clear(Start *start)
{
    for (guint i = 0; start->fds && i < start->fds->len; i++)
        close(g_array_index(start->fds, GuestProcessFd, i).fd);
    g_clear_pointer(&start->fds, g_array_unref);
    g_clear_pointer(&start->command, qemu_command_free);
    g_clear_pointer(&start->caps, emulator_caps_unref);
    g_clear_pointer(&start->guest, guest_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Start, start_clear)

/* ---- Before QEMU ---- */

static bool choose_port(Guest *guest, GraphicsDef *graphics, GError **error)
{
    const QemuConf *conf = guest->conf;
    const char *address = graphics->listen_address ? graphics->listen_address : conf->vnc_listen;
    unsigned port;

    if (graphics->listen == LISTEN_SOCKET && !graphics->socket) {
        graphics->socket = g_build_filename(guest->lib_dir, "vnc.sock", NULL);
        graphics->is_socket_from_config = true;
    }
    if (graphics->listen == LISTEN_ADDRESS && !graphics->listen_address) {
        graphics->listen_address = g_strdup(conf->vnc_listen ? conf->vnc_listen : "127.0.0.1");
        graphics->is_listen_from_config = true;
    }
    if (graphics->listen != LISTEN_SOCKET && (graphics->is_autoport || graphics->port == -1)) {
        if (!ports_take(guest->driver->ports, address, conf->remote_display_port_min,
                        conf->remote_display_port_max, "vnc", &port, error))
            return false;
        graphics->port = (int)port;
    } else if (graphics->port > 0) {
        ports_claim(guest->driver->ports, (unsigned)graphics->port);
    }
    if (graphics->websocket != -1)
        return true;
    if (!ports_take(guest->driver->ports, address, conf->remote_websocket_port_min,
                    conf->remote_websocket_port_max, "vnc-ws", &port, error))
        return false;
    graphics->websocket = (int)port;
    return true;
}

/* As whom QEMU runs, the way guests' XML shows it. */
static void add_seclabel(Guest *guest)
{
    const QemuUser *user = &guest->conf->run_as;
    SeclabelDef *seclabel;

    if (!user->is_switched)
        return;
    seclabel = g_new0(SeclabelDef, 1);
    seclabel->type = SECLABEL_DYNAMIC;
    seclabel->model = g_strdup("dac");
    seclabel->relabel = XML_TRISTATE_YES;
    seclabel->label = g_strdup_printf("+%u:+%u", user->uid, user->gid);
    seclabel->image_label = g_strdup(seclabel->label);
    g_ptr_array_add(guest->def->seclabels, seclabel);
}

/* In the guest's folder of channels; one without a name is called after its place. */
static char *channel_socket_name(const ChardevDef *channel)
{
    const DeviceAddress *address = &channel->info.address;

    if (channel->channel_name)
        return g_strdup(channel->channel_name);
    return g_strdup_printf("vioser-%02u-%02u-%02u.sock", address->virtio_serial.controller,
                           address->virtio_serial.bus, address->virtio_serial.port);
}

/* Values that only a running guest has. */
static bool fill_live_values(Guest *guest, GError **error)
{
    DomainDef *def = guest->def;

    domain_def_assign_aliases(def);
    add_seclabel(guest);
    guest_resources_choose(guest);
    for (guint i = 0; i < def->graphics->len; i++) {
        if (!choose_port(guest, def->graphics->pdata[i], error))
            return false;
    }
    for (guint i = 0; i < def->channels->len; i++) {
        ChardevDef *channel = def->channels->pdata[i];

        if (channel->source.type == CHARDEV_UNIX && !channel->source.path) {
            g_autofree char *name = channel_socket_name(channel);

            channel->source.path = g_build_filename(guest->channel_dir, name, NULL);
            channel->source.is_listening = true;
        }
        channel->state = CHANNEL_STATE_DISCONNECTED;
    }
    return true;
}

static bool build_command(Start *start, GError **error)
{
    Guest *guest = start->guest;
    const QemuConf *conf = guest->conf;
    CommandContext context = {
        .state_dir = guest->lib_dir,
        .search_path = g_getenv("PATH"),
        .vnc_listen = conf->vnc_listen,
        .first_fd = 3,
        .is_sandboxed = conf->seccomp_sandbox,
        .dump_guest_core = conf->dump_guest_core,
        .without_log_timestamps = !conf->log_timestamp,
        .has_vnc_password = conf->vnc_password != NULL,
    };

    if (!emulator_store_get(guest->driver->emulators, guest->def->emulator, &start->caps, error) ||
        !guest_check_wanted(guest, error))
        return false;
    start->command = qemu_command_build(guest->def, start->caps, &context, error);
    if (!start->command)
        return false;
    start->fds = g_array_new(FALSE, FALSE, sizeof(GuestProcessFd));
    return command_fds_open(guest, start->command, start->fds, error);
}

/* ---- QEMU ---- */

static bool start_process(Start *start, bool is_paused, GError **error)
{
    Guest *guest = start->guest;
    Driver *driver = guest->driver;
    const QemuConf *conf = guest->conf;
    const QemuUser *user = &conf->run_as;
    g_autofree char *pid_name = g_strconcat(guest->domain->object.name, ".pid", NULL);
    g_autofree char *pid_file = g_build_filename(driver->folders->run_dir, pid_name, NULL);
    GuestProcessSpec spec = {
        .argv = (const char *const *)start->command->argv->pdata,
        .envp = (const char *const *)start->command->env->pdata,
        .fds = (const GuestProcessFd *)(void *)start->fds->data,
        .n_fds = start->fds->len,
        .log_fd = log_file_get_fd(guest->log),
        .sets_user = user->is_switched,
        .uid = user->uid,
        .gid = user->gid,
        .groups = user->groups ? (const gid_t *)(void *)user->groups->data : NULL,
        .n_groups = user->groups ? user->groups->len : 0,
        .clears_capabilities = user->is_switched && user->uid != 0,
        .sets_umask = true,
        .umask = 0002,
        .limits = { .core_bytes = conf->max_core,
                    .sets_core = true,
                    .n_files = conf->max_files,
                    .n_processes = conf->max_processes },
        .pid_file = pid_file,
        .waits_for_go = true,
        .before = (const char *const *)guest->lock_before,
    };

    if (!guest_process_start(&spec, fiber_deadline_ms(LAUNCH_MS), guest_process_ended, guest,
                             &guest->process, error))
        return false;
    if (!guest_check_wanted(guest, error)) {
        /* The launcher, which is killed with the guest's last reference, has made it. */
        g_unlink(pid_file);
        return false;
    }
    /* The process is not QEMU yet: nothing is opened before it is locked. */
    return guest_resources_begin(guest, error) &&
           guest_status_save(guest, error) && guest_locks_enter(guest, start->fds, error) &&
           (is_paused || guest_locks_take(guest, error)) && guest_check_wanted(guest, error) &&
           guest_process_go(guest->process, &spec, fiber_deadline_ms(LAUNCH_MS), error);
}

/* "pty:/dev/pts/3" of query-chardev, into the device with that id. */
static void set_pty_path(ChardevDef *chardev, const JsonValue *chardevs)
{
    g_autofree char *id = chardev_id(chardev);

    for (guint i = 0; i < json_length(chardevs); i++) {
        const JsonValue *item = json_at(chardevs, i);
        const char *label, *file_name;

        if (json_type(item) != JSON_OBJECT ||
            !json_object_get_string(item, "label", &label, NULL) || strcmp(label, id) ||
            !json_object_get_string(item, "filename", &file_name, NULL) ||
            !g_str_has_prefix(file_name, "pty:"))
            continue;
        g_free(chardev->source.path);
        chardev->source.path = g_strdup(file_name + strlen("pty:"));
    }
}

/* Consoles that stand for a serial show its path. */
static void set_pty_paths(DomainDef *def, const JsonValue *chardevs)
{
    GPtrArray *arrays[] = { def->serials, def->channels, def->consoles };

    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        for (guint j = 0; j < arrays[i]->len; j++) {
            ChardevDef *chardev = arrays[i]->pdata[j];

            if (chardev->source.type == CHARDEV_PTY)
                set_pty_path(chardev, chardevs);
        }
    }
}

/* What QEMU must be told before the guest runs, because it is no option: sent in one go. */
static void send_settings(Guest *guest, GPtrArray *commands)
{
    const DomainDef *def = guest->def;

    if (def->current_memory_kib < def->memory_kib && def->balloon && !def->balloon->is_none) {
        JsonValue *arguments = json_object();

        json_object_put_uint64(arguments, "value", def->current_memory_kib * 1024);
        g_ptr_array_add(commands, qmp_send(guest->monitor, "balloon", arguments, NULL));
    }
    for (guint i = 0; i < def->interfaces->len; i++) {
        const InterfaceDef *interface = def->interfaces->pdata[i];
        JsonValue *arguments;

        if (interface->link != LINK_DOWN)
            continue;
        arguments = json_object();
        json_object_put_string(arguments, "name", interface->info.alias);
        json_object_put_bool(arguments, "up", false);
        g_ptr_array_add(commands, qmp_send(guest->monitor, "set_link", arguments, NULL));
    }
    for (guint i = 0; i < def->graphics->len; i++) {
        const GraphicsDef *graphics = def->graphics->pdata[i];
        const char *password =
            graphics->password ? graphics->password : guest->conf->vnc_password;
        JsonValue *arguments;

        if (!password)
            continue;
        arguments = json_object();
        json_object_put_string(arguments, "protocol", "vnc");
        json_object_put_string(arguments, "password", password);
        g_ptr_array_add(commands, qmp_send(guest->monitor, "set_password", arguments, NULL));
    }
    if (def->balloon && !def->balloon->is_none && def->balloon->stats_period_s > 0) {
        JsonValue *arguments = json_object();
        g_autofree char *path = g_strconcat("/machine/peripheral/", def->balloon->info.alias, NULL);

        json_object_put_string(arguments, "path", path);
        json_object_put_string(arguments, "property", "guest-stats-polling-interval");
        json_object_put_int64(arguments, "value", def->balloon->stats_period_s);
        g_ptr_array_add(commands, qmp_send(guest->monitor, "qom-set", arguments, NULL));
    }
}

/* All commands are waited for, so that none is left; the first error counts. */
static bool wait_settings(GPtrArray *commands, uint64_t deadline_us, GError **error)
{
    bool is_good = true;

    for (guint i = 0; i < commands->len; i++) {
        QmpCommand *command = commands->pdata[i];

        if (command && !qmp_command_wait(command, deadline_us, NULL, is_good ? error : NULL))
            is_good = false;
    }
    return is_good;
}

/* The first conversation: everything that does not depend on an answer goes out at once. */
static bool talk(Guest *guest, bool is_paused, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(MONITOR_MS);
    g_autoptr(GPtrArray) settings = g_ptr_array_new();
    g_autoptr(JsonValue) chardevs = NULL;
    g_autoptr(JsonValue) cpus = NULL;
    QmpCommand *ask_chardevs, *ask_cpus;

    if (!guest_connect(guest, error) || !guest_resources_wait(guest, error) ||
        !guest_check_wanted(guest, error))
        return false;
    qmp_session_hold(guest->monitor);
    ask_chardevs = qmp_send(guest->monitor, "query-chardev", NULL, error);
    if (!ask_chardevs)
        return false;
    ask_cpus = qmp_send(guest->monitor, "query-cpus-fast", NULL, NULL);
    send_settings(guest, settings);
    if (!is_paused)
        g_ptr_array_add(settings, qmp_send(guest->monitor, "cont", NULL, NULL));
    qmp_session_let_go(guest->monitor);
    if (!qmp_command_wait(ask_chardevs, deadline_us, &chardevs, error)) {
        wait_settings(settings, deadline_us, NULL);
        qmp_command_forget(ask_cpus);
        return false;
    }
    set_pty_paths(guest->def, chardevs);
    if (ask_cpus && qmp_command_wait(ask_cpus, deadline_us, &cpus, NULL)) {
        guest_set_vcpu_threads(guest, cpus);
        guest_resources_sort_threads(guest);
    }
    return wait_settings(settings, deadline_us, error);
}

/* ---- The whole ---- */

/* Settings that a guest must not be started without. */
static bool check_conf(const QemuConf *conf, GError **error)
{
    const char *key = conf->security_require_confined ? "security_require_confined"
                      : conf->vnc_tls                 ? "vnc_tls"
                      : conf->vnc_sasl                ? "vnc_sasl"
                                                      : NULL;

    if (!key)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
              "%s = 1 in qemu.conf asks for what this version cannot give to guests", key);
    return false;
}

/* A definition that another hypervisor's daemon has left among ours can be read, not started. */
static bool check_type(const DomainDef *def, GError **error)
{
    if (def->virt_type == VIRT_QEMU || def->virt_type == VIRT_KVM)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
              "Emulator '%s' does not support virt type '%s'", def->emulator ? def->emulator : "",
              virt_type_names[def->virt_type]);
    return false;
}

static bool run_steps(Start *start, bool is_paused, GError **error)
{
    Guest *guest = start->guest;

    /* On record before anything outside is changed for it, with the values that name it. */
    return check_type(guest->def, error) && check_conf(guest->conf, error) &&
           fill_live_values(guest, error) &&
           guest_status_save(guest, error) && guest_folders_make(guest, error) &&
           guest_images_prepare(guest, error) &&
           guest_locks_prepare(guest, error) &&
           build_command(start, error) &&
           guest_locks_add_socket(guest, start->fds, error) &&
           guest_log_start(start->guest, start->caps, start->command, error) &&
           start_process(start, is_paused, error) && talk(guest, is_paused, error);
}

/* Whether QEMU has left, or is about to, before anybody tells it to. */
static bool has_left(const Guest *guest)
{
    return guest->process && (!guest->monitor || !qmp_session_is_open(guest->monitor) ||
                              !guest_process_is_alive(guest->process));
}

/* The last words of a QEMU that has left say more than that its monitor has closed. */
static void set_start_error(const Guest *guest, bool has_ended_itself, GError **error,
                            GError *reason)
{
    g_autofree char *words =
        has_ended_itself && guest->log ? log_file_last_words(guest->log, LAST_WORDS_BYTES)
                                       : NULL;

    if (!words || !*words) {
        g_propagate_error(error, reason);
        return;
    }
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "process exited while connecting to monitor: %s", words);
    g_error_free(reason);
}

static void tell_agent_channel(Guest *guest)
{
    for (guint i = 0; i < guest->def->channels->len; i++) {
        const ChardevDef *channel = guest->def->channels->pdata[i];

        if (g_strcmp0(channel->channel_name, "org.qemu.guest_agent.0") == 0)
            domain_emit_agent_lifecycle(
                guest->driver, guest->domain,
                VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED);
    }
}

static void tell_started(Guest *guest, bool is_paused)
{
    domain_emit_lifecycle(guest->driver, guest->domain, VIR_DOMAIN_EVENT_STARTED,
                          VIR_DOMAIN_EVENT_STARTED_BOOTED);
    if (is_paused)
        domain_emit_lifecycle(guest->driver, guest->domain, VIR_DOMAIN_EVENT_SUSPENDED,
                              VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
}

static bool start_guest(Driver *driver, Domain *domain, DomainDef *def, unsigned flags,
                        Client *client, GError **error)
{
    bool is_paused = flags & VIR_DOMAIN_START_PAUSED;
    g_auto(Start) start = { .guest = guest_new(driver, domain, def, ++driver->last_id) };
    Guest *guest = start.guest;
    GError *reason = NULL;
    bool is_up;

    domain_set_state(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP);
    is_up = run_steps(&start, is_paused, &reason) && guest->phase == GUEST_STARTING;
    if (is_up) {
        guest->phase = GUEST_UP;
        guest->was_up = true;
        if (is_paused)
            domain_set_state(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
        is_up = guest_status_save(guest, &reason);
    }
    if (!is_up) {
        bool has_ended_itself = has_left(guest);

        if (!reason)
            error_set(&reason, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                      "domain '%s' was ended while it was starting", domain->object.name);
        guest_stop(guest, guest->end == GUEST_END_UNKNOWN ? GUEST_END_FAILED : guest->end, false,
                   NULL);
        set_start_error(guest, has_ended_itself, error, reason);
        return false;
    }
    tell_agent_channel(guest);
    tell_started(guest, is_paused);
    if (flags & VIR_DOMAIN_START_AUTODESTROY)
        guest_set_owner(guest, client);
    return true;
}

bool guest_start(Driver *driver, Domain *domain, DomainDef *def, unsigned flags, Client *client,
                 GError **error)
{
    if (lost_guest_check_start(driver, domain, error))
        return start_guest(driver, domain, def, flags, client, error);
    domain_def_free(def);
    return false;
}
