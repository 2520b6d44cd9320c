/* machined starts the scope itself, and answers when it is there; systemd answers with a job,
 * whose end is a signal. */
#include "virtqemud/guest/scope.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "fiber/sync.h"

LOG_INIT("qemu.scope");

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"
#define MACHINED "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINED_MANAGER MACHINED ".Manager"
/* What machined shows as the service that a machine belongs to. */
#define SERVICE "libvirt-qemu"
/* At the shutdown of the host units are stopped in the opposite order: guests after whoever ends
 * them properly, which is libvirt-guests, by way of its target, or the daemon itself. */
#define SHUTDOWN_TARGET "virt-guest-shutdown.target"
#define DAEMON_UNIT "virtqemud.service"
/* A scope of the same name, of a guest that has just ended, is on its way out. */
#define RETRY_US (20 * 1000)
#define N_RETRIES 100

/* systemd.unit(5), "String escaping for inclusion in unit names". */
static void append_escaped(GString *name, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        if (g_ascii_isalnum(text[i]) || text[i] == '_' || text[i] == ':' ||
            (text[i] == '.' && i > 0))
            g_string_append_c(name, text[i]);
        else
            g_string_append_printf(name, "\\x%02x", (unsigned char)text[i]);
    }
}

char *scope_unit_name(const char *machine)
{
    GString *name = g_string_new("machine-");

    append_escaped(name, machine);
    g_string_append(name, ".scope");
    return g_string_free(name, FALSE);
}

/* A slice is named by all that are above it. */
char *scope_slice_name(const char *partition)
{
    g_auto(GStrv) parts = g_strsplit(partition, "/", -1);
    GString *name = g_string_new(NULL);

    for (char **part = parts; *part; part++) {
        if (!**part)
            continue;
        if (name->len)
            g_string_append_c(name, '-');
        append_escaped(name, *part);
    }
    g_string_append(name, name->len ? ".slice" : "-.slice");
    return g_string_free(name, FALSE);
}

/* Properties of the scope, for both ways of starting it. */
static int append_properties(sd_bus_message *message, const ScopeSpec *spec, bool with_process)
{
    g_autofree char *slice = scope_slice_name(spec->partition);
    g_autofree char *description = g_strdup_printf("QEMU guest %s", spec->title);
    int result = sd_bus_message_open_container(message, 'a', "(sv)");

    if (result >= 0)
        result = sd_bus_message_append(message, "(sv)(sv)(sv)(sv)", "Slice", "s", slice,
                                       "Delegate", "b", 1, "Before", "as", 2, SHUTDOWN_TARGET, DAEMON_UNIT,
                                       "CollectMode", "s", "inactive-or-failed");
    if (result >= 0 && with_process)
        result = sd_bus_message_append(message, "(sv)(sv)", "Description", "s", description,
                                       "PIDs", "au", 1, (uint32_t)spec->pid);
    return result < 0 ? result : sd_bus_message_close_container(message);
}

/* The uuid is the machine's id; a guest has no folder of the host for its root. */
static int make_machine_call(sd_bus *connection, const ScopeSpec *spec,
                             sd_bus_message **ret_message)
{
    g_autoptr(sd_bus_message) message = NULL;
    int result = sd_bus_message_new_method_call(connection, &message, MACHINED, MACHINED_PATH,
                                                MACHINED_MANAGER, "CreateMachine");

    if (result >= 0)
        result = sd_bus_message_append(message, "s", spec->machine);
    if (result >= 0)
        result = sd_bus_message_append_array(message, 'y', &spec->uuid, sizeof(spec->uuid));
    if (result >= 0)
        result = sd_bus_message_append(message, "ssus", SERVICE, "vm", (uint32_t)spec->pid, "");
    if (result >= 0)
        result = append_properties(message, spec, false);
    if (result >= 0)
        *ret_message = g_steal_pointer(&message);
    return result;
}

static int make_unit_call(sd_bus *connection, const ScopeSpec *spec, const char *unit,
                          sd_bus_message **ret_message)
{
    g_autoptr(sd_bus_message) message = NULL;
    int result = sd_bus_message_new_method_call(connection, &message, SYSTEMD, SYSTEMD_PATH,
                                                SYSTEMD_MANAGER, "StartTransientUnit");

    if (result >= 0)
        result = sd_bus_message_append(message, "ss", unit, "fail");
    if (result >= 0)
        result = append_properties(message, spec, true);
    if (result >= 0)
        result = sd_bus_message_append(message, "a(sa(sv))", 0);
    if (result >= 0)
        *ret_message = g_steal_pointer(&message);
    return result;
}

static bool is_taken(const char *name)
{
    return g_strcmp0(name, "org.freedesktop.systemd1.UnitExists") == 0 ||
           g_strcmp0(name, "org.freedesktop.machine1.MachineExists") == 0;
}

/* ---- systemd alone ---- */

/* On the stack of the fiber that waits: the end of the job that starts the scope. */
typedef struct Job {
    const char *unit;
    bool is_good;
    char *result; /* NULL: not ended */
    FiberCompletion done;
} Job;

/* JobRemoved(id, job, unit, result). Heard before the job's number is known, so by its unit. */
static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    Job *job = userdata;
    const char *path, *unit, *result;
    uint32_t id;

    if (job->result || sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) < 0 ||
        strcmp(unit, job->unit) != 0)
        return 0;
    job->result = g_strdup(result);
    fiber_completion_signal(&job->done);
    return 0;
}

/* systemd sends signals only while somebody has asked for them; asking twice does no harm. */
static bool subscribe(sd_bus *connection, uint64_t deadline_us, GError **error)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autofree char *name = NULL;
    g_autoptr(GError) reason = NULL;
    int result = sd_bus_message_new_method_call(connection, &message, SYSTEMD, SYSTEMD_PATH,
                                                SYSTEMD_MANAGER, "Subscribe");

    if (result < 0) {
        system_bus_set_error(result, SYSTEMD, error);
        return false;
    }
    if (system_bus_call(connection, message, deadline_us, NULL, &name, &reason) ||
        g_strcmp0(name, "org.freedesktop.systemd1.AlreadySubscribed") == 0)
        return true;
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

static bool start_unit(sd_bus *connection, const ScopeSpec *spec, const char *unit,
                       uint64_t deadline_us, char **ret_name, GError **error)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autoptr(sd_bus_slot) slot = NULL;
    Job job = { .unit = unit };
    bool is_started;
    int result = sd_bus_match_signal_async(connection, &slot, SYSTEMD, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL,
                                           &job);

    if (result >= 0)
        result = make_unit_call(connection, spec, unit, &message);
    if (result < 0) {
        system_bus_set_error(result, SYSTEMD, error);
        return false;
    }
    is_started = subscribe(connection, deadline_us, error) &&
                 system_bus_call(connection, message, deadline_us, NULL, ret_name, error) &&
                 fiber_completion_wait(&job.done, deadline_us, error);
    if (is_started && strcmp(job.result, "done") != 0) {
        error_set(error, VIR_FROM_SYSTEMD, VIR_ERR_DBUS_SERVICE,
                  SYSTEMD ": the job that starts it ended as '%s'", job.result);
        is_started = false;
    }
    g_free(job.result);
    return is_started;
}

/* ---- Both ---- */

static bool start_machine(sd_bus *connection, const ScopeSpec *spec, uint64_t deadline_us,
                          char **ret_name, GError **error)
{
    g_autoptr(sd_bus_message) message = NULL;
    int result = make_machine_call(connection, spec, &message);

    if (result >= 0)
        return system_bus_call(connection, message, deadline_us, NULL, ret_name, error);
    system_bus_set_error(result, MACHINED, error);
    return false;
}

/* Sets *@ret_name to the name of the error when a service has answered with one. */
static bool try_start(sd_bus *connection, const ScopeSpec *spec, const char *unit,
                      uint64_t deadline_us, char **ret_name, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (start_machine(connection, spec, deadline_us, ret_name, &reason))
        return true;
    if (!*ret_name || is_taken(*ret_name)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    /* A machined that is not installed, masked or in trouble is no reason to do without a scope:
     * only lists of machines lack the guest. */
    LOG_DEBUG("machined does not take '%s': %s", spec->machine, reason->message);
    g_clear_pointer(ret_name, g_free);
    return start_unit(connection, spec, unit, deadline_us, ret_name, error);
}

bool scope_start(SystemBus *bus, const ScopeSpec *spec, uint64_t deadline_us, GError **error)
{
    g_autofree char *unit = scope_unit_name(spec->machine);

    for (int i = 0;; i++) {
        sd_bus *connection = system_bus_get(bus, error);
        g_autoptr(sd_bus) held = connection ? sd_bus_ref(connection) : NULL;
        g_autofree char *name = NULL;
        g_autoptr(GError) reason = NULL;

        if (!held)
            return false;
        if (try_start(held, spec, unit, deadline_us, &name, &reason))
            return true;
        if (is_taken(name) && i < N_RETRIES && fiber_sleep(RETRY_US, NULL))
            continue;
        error_set(error, error_get_from(reason), (ErrorCode)reason->code,
                  "cannot put domain '%s' into the scope %s: %s", spec->title, unit,
                  error_detail(reason));
        return false;
    }
}
