/* Writing and reading a guest's status file. */
#include "virtqemud/guest/status.h"

#include <string.h>

#include "base/enum_names.h"
#include "base/file.h"
#include "base/log.h"
#include "virtqemud/lock/lock_manager.h"
#include "wire/api_domain.h"

LOG_INIT("qemu.status");

/* As qemu.conf calls it. */
#define HANDLER_LOGD "logd"

/* virDomainState, as "virsh domstate" and status files of existing installations name it. */
static const char *const state_names[] = {
    [VIR_DOMAIN_NOSTATE] = "no state", [VIR_DOMAIN_RUNNING] = "running",
    [VIR_DOMAIN_BLOCKED] = "idle",     [VIR_DOMAIN_PAUSED] = "paused",
    [VIR_DOMAIN_SHUTDOWN] = "in shutdown", [VIR_DOMAIN_SHUTOFF] = "shutoff",
    [VIR_DOMAIN_CRASHED] = "crashed",  [VIR_DOMAIN_PMSUSPENDED] = "pmsuspended",
};

static const char *const running_names[] = {
    "unknown", "booted", "migrated", "restored", "from snapshot", "unpaused",
    "migration canceled", "save canceled", "wakeup", "crashed", "post-copy", "post-copy failed",
};

static const char *const paused_names[] = {
    "unknown", "user", "migration", "save", "dump", "ioerror", "watchdog", "from snapshot",
    "shutting down", "snapshot", "crashed", "starting up", "post-copy", "post-copy failed",
    "api error",
};

static const char *const shutdown_names[] = { "unknown", "user" };
static const char *const shutoff_names[] = {
    "unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed",
    "from snapshot", "daemon",
};
static const char *const crashed_names[] = { "unknown", "panicked" };
static const char *const unknown_names[] = { "unknown" };

static const struct {
    const char *const *names;
    size_t n_names;
} reason_names[] = {
    [VIR_DOMAIN_NOSTATE] = { unknown_names, G_N_ELEMENTS(unknown_names) },
    [VIR_DOMAIN_RUNNING] = { running_names, G_N_ELEMENTS(running_names) },
    [VIR_DOMAIN_BLOCKED] = { unknown_names, G_N_ELEMENTS(unknown_names) },
    [VIR_DOMAIN_PAUSED] = { paused_names, G_N_ELEMENTS(paused_names) },
    [VIR_DOMAIN_SHUTDOWN] = { shutdown_names, G_N_ELEMENTS(shutdown_names) },
    [VIR_DOMAIN_SHUTOFF] = { shutoff_names, G_N_ELEMENTS(shutoff_names) },
    [VIR_DOMAIN_CRASHED] = { crashed_names, G_N_ELEMENTS(crashed_names) },
    [VIR_DOMAIN_PMSUSPENDED] = { unknown_names, G_N_ELEMENTS(unknown_names) },
};

static const char *const held_names[N_GUEST_LOCKS] = { "no", "yes", "maybe" };
static const char *const phase_names[] = { "starting", "up", "ending" };

const char *domain_state_name(int state)
{
    return ENUM_TO_NAME(state_names, state);
}

const char *domain_reason_name(int state, int reason)
{
    if (state < 0 || state >= (int)G_N_ELEMENTS(reason_names))
        return NULL;
    return enum_to_name(reason_names[state].names, reason_names[state].n_names, reason);
}

void guest_status_clear(GuestStatus *status)
{
    g_clear_pointer(&status->lib_dir, g_free);
    g_clear_pointer(&status->channel_dir, g_free);
    g_clear_pointer(&status->lock_requests, g_ptr_array_unref);
    g_clear_pointer(&status->machine, g_free);
    g_clear_pointer(&status->def, domain_def_free);
}

static void write_flag(XmlWriter *writer, bool is_set, const char *element, const char *attribute,
                       const char *value)
{
    if (!is_set)
        return;
    xml_writer_open(writer, element);
    xml_writer_attr_string(writer, attribute, value);
    xml_writer_close(writer);
}

static void write_locks(XmlWriter *writer, const Guest *guest)
{
    if (!guest->lock_requests || guest->lock_requests->len == 0)
        return;
    xml_writer_open(writer, "locks");
    xml_writer_attr_string(writer, "manager", guest->lock_manager->name);
    if (guest->locks != GUEST_LOCKS_NONE)
        xml_writer_attr_string(writer, "held", held_names[guest->locks]);
    lock_requests_format(guest->lock_requests, writer);
    xml_writer_close(writer);
}

static void write_path(XmlWriter *writer, const char *element, const char *path)
{
    xml_writer_open(writer, element);
    xml_writer_attr_string(writer, "path", path);
    xml_writer_close(writer);
}

char *guest_status_format(const Guest *guest)
{
    const Domain *domain = guest->domain;
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *monitor = g_build_filename(guest->lib_dir, "monitor.sock", NULL);

    xml_writer_open(writer, "domstatus");
    xml_writer_attr_string(writer, "state", domain_state_name(domain->state));
    xml_writer_attr_string(writer, "reason", domain_reason_name(domain->state, domain->reason));
    xml_writer_attr(writer, "pid", "%d",
                    guest->process ? (int)guest_process_get_pid(guest->process) : 0);
    xml_writer_open(writer, "monitor");
    xml_writer_attr_string(writer, "path", monitor);
    xml_writer_attr_string(writer, "type", "unix");
    xml_writer_close(writer);
    if (guest->process) {
        xml_writer_open(writer, "process");
        xml_writer_attr(writer, "startTime", "%" G_GUINT64_FORMAT,
                        guest_process_get_start_time(guest->process));
        xml_writer_close(writer);
    }
    xml_writer_open(writer, "phase");
    xml_writer_attr_string(writer, "name", phase_names[guest->phase]);
    xml_writer_close(writer);
    xml_writer_open(writer, "nextNode");
    xml_writer_attr(writer, "index", "%u", guest->first_free_node);
    xml_writer_close(writer);
    for (int i = 0; i < N_TAINTS; i++)
        write_flag(writer, guest->taints[i], "taint", "flag", taint_name((GuestTaint)i));
    write_locks(writer, guest);
    write_flag(writer, guest->is_log_managed, "stdio", "handler", HANDLER_LOGD);
    xml_writer_open(writer, "resources");
    xml_writer_attr_string(writer, "manager", resource_manager_names[guest->resources.manager]);
    xml_writer_attr_string(writer, "machine", guest->resources.machine);
    xml_writer_close(writer);
    if (guest->reboots_at_shutdown) {
        xml_writer_open(writer, "reboot");
        xml_writer_close(writer);
    }
    write_path(writer, "libDir", guest->lib_dir);
    write_path(writer, "channelTargetDir", guest->channel_dir);
    domain_def_format_to(guest->def, writer, DOMAIN_FORMAT_STATUS | DOMAIN_FORMAT_SECURE);
    xml_writer_close(writer);
    return xml_writer_finish(writer);
}

/* ---- Reading ---- */

/* Those that are not known here mean nothing here. */
static void parse_taints(const XmlNode *root, GuestStatus *status)
{
    GuestTaint taint;

    for (const XmlNode *node = xml_node_first(root, "taint"); node;
         node = xml_node_next(node, "taint")) {
        if (taint_from_name(xml_node_attr(node, "flag"), &taint))
            status->taints[taint] = true;
    }
}

/* A manager that is not here any more cannot be asked to give anything back. */
static bool parse_locks(const XmlNode *root, GuestStatus *status, GError **error)
{
    const XmlNode *locks = xml_node_first(root, "locks");
    const LockManager *manager =
        locks ? lock_manager_find(xml_node_attr(locks, "manager")) : NULL;
    int held;

    if (!manager)
        return true;
    status->lock_manager = manager;
    status->lock_requests = lock_requests_new();
    if (!xml_attr_enum(locks, "held", XML_OPTIONAL, held_names, N_GUEST_LOCKS, GUEST_LOCKS_NONE,
                       &held, error))
        return false;
    status->locks = (GuestLocks)held;
    return lock_requests_parse(locks, status->lock_requests, error);
}

static bool is_log_managed(const XmlNode *root)
{
    const XmlNode *node = xml_node_first(root, "stdio");

    return node && g_strcmp0(xml_node_attr(node, "handler"), HANDLER_LOGD) == 0;
}

/* A child that has only the attribute @attr, which is optional with its parent. */
static bool child_attr(const XmlNode *root, const char *name, const char *attr, char **ret_value,
                       GError **error)
{
    const XmlNode *child;

    if (!xml_node_single(root, name, &child, error))
        return false;
    *ret_value = child ? g_strdup(xml_node_attr(child, attr)) : NULL;
    return true;
}

static bool parse_state(const XmlNode *root, GuestStatus *status, GError **error)
{
    const char *reason = xml_node_attr(root, "reason");
    int pid;

    if (!xml_attr_enum(root, "state", XML_REQUIRED, state_names, G_N_ELEMENTS(state_names), 0,
                       &status->state, error) ||
        !xml_attr_int(root, "pid", XML_REQUIRED, 0, &pid, error))
        return false;
    status->pid = pid;
    /* One that is not known says nothing; the state does. */
    if (!reason || !enum_from_name(reason_names[status->state].names,
                                   reason_names[status->state].n_names, reason, &status->reason))
        status->reason = 0;
    return true;
}

static bool parse_own(const XmlNode *root, GuestStatus *status, GError **error)
{
    const XmlNode *process, *phase, *node, *resources;
    int phase_number = GUEST_UP;
    int manager = RESOURCES_NONE;

    if (!xml_node_single(root, "process", &process, error) ||
        !xml_node_single(root, "phase", &phase, error) ||
        !xml_node_single(root, "nextNode", &node, error) ||
        !xml_node_single(root, "resources", &resources, error))
        return false;
    if (process && !xml_attr_uint64(process, "startTime", XML_REQUIRED, 0, &status->start_time,
                                    error))
        return false;
    if (phase && !xml_attr_enum(phase, "name", XML_REQUIRED, phase_names,
                                G_N_ELEMENTS(phase_names), GUEST_UP, &phase_number, error))
        return false;
    if (node && !xml_attr_uint(node, "index", XML_REQUIRED, 0, &status->next_node, error))
        return false;
    if (resources && !xml_attr_enum(resources, "manager", XML_REQUIRED, resource_manager_names,
                                    N_RESOURCE_MANAGERS, RESOURCES_NONE, &manager, error))
        return false;
    status->phase = (GuestPhase)phase_number;
    status->has_resources = resources != NULL;
    status->manager = (ResourceManager)manager;
    status->machine = resources ? g_strdup(xml_node_attr(resources, "machine")) : NULL;
    status->reboots_at_shutdown = xml_node_first(root, "reboot") != NULL;
    parse_taints(root, status);
    status->is_log_managed = is_log_managed(root);
    return true;
}

bool guest_status_parse(const char *text, GuestStatus *ret_status, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_parse_root(text, "domain_status", "domstatus", error);
    g_auto(GuestStatus) status = { 0 };
    const XmlNode *root, *domain;

    if (!doc)
        return false;
    root = xml_doc_root(doc);
    if (!parse_state(root, &status, error) || !parse_own(root, &status, error) ||
        !parse_locks(root, &status, error) ||
        !child_attr(root, "libDir", "path", &status.lib_dir, error) ||
        !child_attr(root, "channelTargetDir", "path", &status.channel_dir, error) ||
        !xml_node_required(root, "domain", &domain, error))
        return false;
    status.def = domain_def_parse_node(domain, DOMAIN_PARSE_STATUS, error);
    if (!status.def)
        return false;
    if (!status.lib_dir || status.def->id < 0) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "the status of domain '%s' lacks its folder or its id", status.def->name);
        return false;
    }
    *ret_status = status;
    memset(&status, 0, sizeof(status));
    return true;
}

/* ---- Saving ---- */

/* The file of a guest whose end is being cleaned up is gone, and stays so. */
bool guest_status_save(const Guest *guest, GError **error)
{
    g_autofree char *path = state_live_path(guest->driver->folders, guest->domain->object.name);
    g_autofree char *text = guest->phase == GUEST_ENDING ? NULL : guest_status_format(guest);

    return !text || file_replace_volatile(path, text, strlen(text), 0600, error);
}

void guest_status_changed(const Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (guest->phase == GUEST_UP && !guest_status_save(guest, &error))
        LOG_GERROR(error);
}
