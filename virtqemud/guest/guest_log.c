/* Writing into a guest's log on behalf of the daemon: entries are made in the order of what they tell. */
#include "virtqemud/guest/guest_log.h"

#include <unistd.h>

#include "base/log.h"

LOG_INIT("qemu.guest.log");

/* Of the guest's domain, which it has a reference on. */
static LogOwner owner_of(const Guest *guest)
{
    return (LogOwner){ guest->domain->object.name, &guest->domain->object.uuid };
}

/* @detail may be NULL. */
SUSPENDS static bool write_taint(Guest *guest, GuestTaint taint, const char *detail, GError **error)
{
    return log_file_write_line(guest->log, error, "Domain id=%d is tainted: %s%s%s%s",
                               guest->def->id, taint_name(taint), detail ? " (" : "",
                               detail ? detail : "", detail ? ")" : "");
}

/* ---- At a start ---- */

/* Sets what is known before QEMU runs. */
static void find_taints(Guest *guest, const EmulatorMachine *machine)
{
    const QemuUser *user = &guest->conf->run_as;

    guest->taints[TAINT_HIGH_PRIVILEGES] = user->is_switched && user->uid == 0;
    guest->taints[TAINT_CUSTOM_DTB] = guest->def->os.dtb != NULL;
    guest->taints[TAINT_DEPRECATED_CONFIG] = machine && machine->is_deprecated;
}

SUSPENDS static bool write_taints(Guest *guest, const EmulatorMachine *machine, GError **error)
{
    for (int i = 0; i < N_TAINTS; i++) {
        g_autofree char *detail = i == TAINT_DEPRECATED_CONFIG && machine
                                      ? g_strdup_printf("machine type '%s'", machine->name)
                                      : NULL;

        if (guest->taints[i] && !write_taint(guest, (GuestTaint)i, detail, error))
            return false;
    }
    return true;
}

bool guest_log_start(Guest *guest, const EmulatorCaps *caps, const QemuCommand *command,
                     GError **error)
{
    const Paths *paths = daemon_get_paths(guest->driver->daemon);
    const EmulatorMachine *machine = emulator_caps_get_machine(caps, guest->def->os.machine);
    g_autofree char *version = g_strconcat(emulator_caps_get_version_text(caps),
                                           emulator_caps_get_package(caps), NULL);
    const LogOwner owner = owner_of(guest);
    LogFileStart entry = {
        .emulator_version = version,
        .hostname = g_get_host_name(),
        .envp = (const char *const *)command->env->pdata,
        .argv = (const char *const *)command->argv->pdata,
    };

    find_taints(guest, machine);
    guest->log = guest->is_log_managed
                     ? log_file_open_managed(guest->driver->logs, paths, &owner, error)
                     : log_file_open(paths, owner.name, error);
    return guest->log && log_file_write_start(guest->log, &entry, error) &&
           write_taints(guest, machine, error) && log_file_mark(guest->log, error);
}

/* ---- Later ---- */

static bool writes_into_pipe(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd/%d", (int)pid, STDOUT_FILENO);
    g_autofree char *target = g_file_read_link(path, NULL);

    return target && g_str_has_prefix(target, "pipe:");
}

void guest_log_find(Guest *guest, pid_t pid)
{
    const Paths *paths = daemon_get_paths(guest->driver->daemon);
    const LogOwner owner = owner_of(guest);
    g_autoptr(GError) error = NULL;

    guest->is_log_managed |= writes_into_pipe(pid);
    guest->log = guest->is_log_managed
                     ? log_file_find_managed(guest->driver->logs, paths, &owner, &error)
                     : log_file_open(paths, owner.name, &error);
    if (!guest->log)
        LOG_GERROR(error);
}

typedef struct TaintEntry {
    Guest *guest;
    GuestTaint taint;
} TaintEntry;

static void taint_fiber(void *data)
{
    TaintEntry *entry = data;
    g_autoptr(GError) error = NULL;

    if (entry->guest->log && !write_taint(entry->guest, entry->taint, NULL, &error))
        LOG_GERROR(error);
    guest_unref(entry->guest);
    g_free(entry);
}

void guest_log_taint_later(Guest *guest, GuestTaint taint)
{
    TaintEntry *entry = g_new0(TaintEntry, 1);
    g_autoptr(GError) error = NULL;

    entry->guest = guest_ref(guest);
    entry->taint = taint;
    if (fiber_spawn(daemon_get_loop(guest->driver->daemon), "guest taint", taint_fiber, entry,
                    NULL, &error))
        return;
    LOG_GERROR(error);
    guest_unref(guest);
    g_free(entry);
}
