/* Files of groups are touched in threads: moving a process waits for all processors. */
#include "virtqemud/guest/resources.h"

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "fiber/offload.h"
#include "virtqemud/guest/guest.h"
#include "virtqemud/guest/scope.h"

LOG_INIT("qemu.resources");

#define DRIVER_NAME "qemu"
/* systemd and machined answer in milliseconds, unless the host is in trouble. */
#define SCOPE_MS 30000
/* The kernel may see the last thread of a process for a moment after its end. */
#define REMOVE_US (5 * G_USEC_PER_SEC)

const char *const resource_manager_names[N_RESOURCE_MANAGERS] = { "none", "cgroups", "systemd" };

ResourceHost *resource_host_new(FiberLoop *loop, const Paths *paths)
{
    ResourceHost *host = g_new0(ResourceHost, 1);

    host->bus = system_bus_new(loop);
    if (paths->is_privileged)
        host->manager = sd_booted() > 0 ? RESOURCES_SYSTEMD : RESOURCES_CGROUPS;
    return host;
}

void resource_host_free(ResourceHost *host)
{
    if (!host)
        return;
    system_bus_free(host->bus);
    g_free(host);
}

void guest_resources_clear(GuestResources *resources)
{
    g_clear_pointer(&resources->machine, g_free);
    g_clear_pointer(&resources->cgroup, cgroup_unref);
    g_clear_error(&resources->error);
    resources->manager = RESOURCES_NONE;
}

static char *machine_name(const Guest *guest)
{
    const Paths *paths = daemon_get_paths(guest->driver->daemon);

    return machine_name_make(DRIVER_NAME, guest->def->id, guest->def->name, paths->instance);
}

void guest_resources_choose(Guest *guest)
{
    guest->resources.manager = guest->driver->resources->manager;
    if (guest->resources.manager == RESOURCES_NONE)
        return;
    guest->resources.machine = machine_name(guest);
}

/* An administrator who has asked for something is told in any case. */
static void state_none(Guest *guest, bool was_asked_for, const char *reason)
{
    ResourceHost *host = guest->driver->resources;

    guest_resources_clear(&guest->resources);
    if (host->has_said_none)
        return;
    host->has_said_none = true;
    if (was_asked_for)
        LOG_WARN("guests run without control groups of their own: %s", reason);
    else
        LOG_INFO("guests run without control groups of their own: %s", reason);
}

/* Whether qemu.conf asks for a controller, or limits devices, in so many words. */
static bool conf_asks(const QemuConf *conf)
{
    return conf->has_cgroup_keys;
}

/* ---- By hand ---- */

/* For a thread, with all that it touches. */
typedef struct Work {
    Cgroup *cgroup;
    pid_t pid;
    bool skips_forbidden;
    char **device_paths;
    bool limits_devices;
    const GArray *vcpus; /* of pid_t */
    char *path; /* what could not be removed */
} Work;

/* The guest may be ended meanwhile: the thread has a reference of its own. */
static bool work_run(Guest *guest, OffloadFunc func, Work *work, GError **error)
{
    g_autoptr(Cgroup) cgroup = cgroup_ref(guest->resources.cgroup);

    work->cgroup = cgroup;
    return fiber_offload(func, work, error);
}

static bool limit_devices(Work *work, GError **error)
{
    g_auto(GStrv) devices = guest_devices_resolve(work->device_paths);

    return cgroup_allow_devices(work->cgroup, devices, &work->limits_devices, error);
}

static bool make_in_thread(void *data, GError **error)
{
    Work *work = data;

    return cgroup_make(work->cgroup, work->skips_forbidden, error) &&
           limit_devices(work, error) && cgroup_join(work->cgroup, work->pid, error);
}

static bool make_in_scope_in_thread(void *data, GError **error)
{
    Work *work = data;

    return cgroup_make_in_scope(work->cgroup, work->pid, error) && limit_devices(work, error);
}

/* Version 2 limits devices by programs that are loaded into the kernel. */
static void state_devices(Guest *guest, const Work *work)
{
    ResourceHost *host = guest->driver->resources;

    if (work->limits_devices || host->has_said_devices ||
        !(guest->conf->cgroup_controller_bits & CGROUP_DEVICES))
        return;
    host->has_said_devices = true;
    if (conf_asks(guest->conf))
        LOG_WARN("which devices guests may open is not limited (cgroup_device_acl): the host has "
                 "no devices controller of control groups version 1");
    else
        LOG_INFO("which devices guests may open is not limited: the host has no devices "
                 "controller of control groups version 1");
}

/* A definition that names a partition must get it; without one a guest can do without groups. */
static bool make_groups(Guest *guest, GError **error)
{
    const char *partition = guest->def->partition;
    GPtrArray *hierarchies = cgroup_mounts_read(guest->driver->roots, error);
    g_auto(GStrv) device_paths = guest_device_paths(guest->def, guest->conf);
    g_autoptr(GError) reason = NULL;
    g_autoptr(Cgroup) cgroup = NULL;
    Work work = { .pid = guest_process_get_pid(guest->process), .skips_forbidden = !partition,
                  .device_paths = device_paths };

    if (!hierarchies)
        return false;
    cgroup = cgroup_new(hierarchies, guest->conf->cgroup_controller_bits,
                        partition ? partition : CGROUP_PARTITION_DEFAULT,
                        guest->resources.machine, error);
    if (!cgroup)
        return false;
    /* Known before it is made: whatever happens now, the end takes it away. */
    guest->resources.cgroup = cgroup_ref(cgroup);
    if (!work_run(guest, make_in_thread, &work, &reason)) {
        /* Aborted: the guest is about to be ended, which says nothing of the host. */
        if (partition || guest->phase == GUEST_ENDING ||
            reason->code == VIR_ERR_OPERATION_ABORTED) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return false;
        }
        if (cgroup_remove(cgroup, 0, &work.path))
            state_none(guest, conf_asks(guest->conf), reason->message);
        else
            LOG_WARN("domain '%s' is in a part of its control groups only: %s",
                     guest->domain->object.name, reason->message);
        g_free(work.path);
        return true;
    }
    if (cgroup->folders->len == 0) {
        state_none(guest, conf_asks(guest->conf),
                   "none are mounted that this daemon may write to");
        return true;
    }
    state_devices(guest, &work);
    return true;
}

static void show_partition(Guest *guest)
{
    if (guest->resources.manager != RESOURCES_NONE && !guest->def->partition)
        guest->def->partition = g_strdup(CGROUP_PARTITION_DEFAULT);
}

/* ---- systemd ---- */

/* The scope is systemd's; below it the groups are ours (Delegate=). */
static bool make_groups_in_scope(Guest *guest, GError **error)
{
    g_autofree char *unit = scope_unit_name(guest->resources.machine);
    GPtrArray *hierarchies = cgroup_mounts_read(guest->driver->roots, error);
    g_auto(GStrv) device_paths = guest_device_paths(guest->def, guest->conf);
    Work work = { .pid = guest_process_get_pid(guest->process), .device_paths = device_paths };

    if (!hierarchies)
        return false;
    guest->resources.cgroup =
        cgroup_new_in_scope(guest->driver->roots, hierarchies,
                            guest->conf->cgroup_controller_bits, work.pid, unit);
    if (!work_run(guest, make_in_scope_in_thread, &work, error))
        return false;
    state_devices(guest, &work);
    return true;
}

/* Without a bus systemd cannot be asked, and its tree is not ours to make groups in. */
static bool join_scope(Guest *guest, GError **error)
{
    SystemBus *bus = guest->driver->resources->bus;
    const char *partition = guest->def->partition;
    ScopeSpec spec = {
        .machine = guest->resources.machine,
        .title = guest->domain->object.name,
        .uuid = guest->def->uuid,
        .partition = partition ? partition : CGROUP_PARTITION_DEFAULT,
    };

    if (!system_bus_is_there() && !partition) {
        state_none(guest, conf_asks(guest->conf), "there is no D-Bus to ask systemd by");
        return true;
    }
    if (*spec.partition != '/') {
        error_set(error, VIR_FROM_CGROUP, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Resource partition '%s' must start with '/'", spec.partition);
        return false;
    }
    spec.pid = guest_process_get_pid(guest->process);
    return scope_start(bus, &spec, fiber_deadline_ms(SCOPE_MS), error) &&
           make_groups_in_scope(guest, error);
}

/* ---- Beside the start ---- */

static void join_fiber(void *data)
{
    g_autoptr(Guest) guest = data;
    GuestResources *resources = &guest->resources;

    if (resources->manager == RESOURCES_CGROUPS ? make_groups(guest, &resources->error)
                                                : join_scope(guest, &resources->error))
        show_partition(guest);
    fiber_completion_signal(&resources->joined);
}

bool guest_resources_begin(Guest *guest, GError **error)
{
    if (guest->resources.manager == RESOURCES_NONE) {
        fiber_completion_signal(&guest->resources.joined);
        return true;
    }
    if (fiber_spawn(daemon_get_loop(guest->driver->daemon), "guest resources", join_fiber,
                    guest_ref(guest), NULL, error))
        return true;
    guest_unref(guest);
    return false;
}

bool guest_resources_wait(Guest *guest, GError **error)
{
    if (!fiber_completion_wait(&guest->resources.joined, FIBER_FOREVER, error))
        return false;
    if (!guest->resources.error)
        return true;
    g_propagate_error(error, g_steal_pointer(&guest->resources.error));
    return false;
}

/* ---- While it runs, and after ---- */

static bool sort_in_thread(void *data, GError **error)
{
    Work *work = data;

    return cgroup_sort_threads(work->cgroup, (const pid_t *)(void *)work->vcpus->data,
                               work->vcpus->len, error);
}

static void sort_fiber(void *data)
{
    g_autoptr(Guest) guest = data;
    g_autoptr(GArray) vcpus = guest->vcpu_threads ? g_array_ref(guest->vcpu_threads) : NULL;
    Work work = { .vcpus = vcpus };
    g_autoptr(GError) error = NULL;

    if (!guest->resources.cgroup || !vcpus || !vcpus->len || guest->phase == GUEST_ENDING)
        return;
    if (!work_run(guest, sort_in_thread, &work, &error))
        LOG_WARN("domain '%s': its vcpus have no control groups of their own: %s",
                 guest->domain->object.name, error->message);
}

/* No start waits for it: moving threads takes the kernel longer than most of a start. */
void guest_resources_sort_threads(Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (!guest->resources.cgroup ||
        fiber_spawn(daemon_get_loop(guest->driver->daemon), "guest threads", sort_fiber,
                    guest_ref(guest), NULL, &error))
        return;
    LOG_GERROR(error);
    guest_unref(guest);
}

static bool remove_in_thread(void *data, GError **error)
{
    Work *work = data;

    return cgroup_remove(work->cgroup, g_get_monotonic_time() + REMOVE_US, &work->path);
}

void guest_resources_stop_sorting(Guest *guest)
{
    if (guest->resources.cgroup)
        cgroup_stop_sorting(guest->resources.cgroup);
}

void guest_resources_release(Guest *guest)
{
    g_autoptr(Cgroup) cgroup = g_steal_pointer(&guest->resources.cgroup);
    Work work = { .cgroup = cgroup };

    if (!cgroup)
        return;
    cgroup_stop_sorting(cgroup);
    /* A scope goes with its last process, and takes with it what is below. */
    fiber_offload(remove_in_thread, &work, NULL);
    if (work.path)
        LOG_WARN("domain '%s' has ended, but its control group %s cannot be removed",
                 guest->domain->object.name, work.path);
    g_free(work.path);
}

/* Removal ignores what is not there: all hierarchies are tried, whatever the settings were. What
 * is below a scope goes with it. */
void guest_resources_remember(Guest *guest, ResourceManager manager, const char *machine)
{
    g_autoptr(GPtrArray) hierarchies = NULL;

    guest->resources.manager = manager;
    if (manager == RESOURCES_NONE)
        return;
    guest->resources.machine = machine ? g_strdup(machine) : machine_name(guest);
    if (manager != RESOURCES_CGROUPS)
        return;
    hierarchies = cgroup_mounts_read(guest->driver->roots, NULL);
    if (!hierarchies)
        return;
    guest->resources.cgroup =
        cgroup_new(g_steal_pointer(&hierarchies), CGROUP_ALL,
                   guest->def->partition ? guest->def->partition : CGROUP_PARTITION_DEFAULT,
                   guest->resources.machine, NULL);
}
