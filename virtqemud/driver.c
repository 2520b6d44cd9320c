/* From a call to the driver's data, and how the driver comes and goes. */
#include "virtqemud/driver.h"

#include "base/file.h"
#include "base/helper_program.h"
#include "base/log.h"
#include "fiber/offload.h"
#include "virtqemud/autostart.h"
#include "virtqemud/guest/guest.h"
#include "virtqemud/guest/reconnect.h"

LOG_INIT("qemu");

/* May wait, in the first moments of the daemon. The driver stays until no call is left. */
Driver *driver_of(Call *call, GError **error)
{
    Daemon *daemon = call_get_daemon(call);

    return daemon_wait_started(daemon, error) ? daemon_get_driver_data(daemon) : NULL;
}

void driver_forget_domain(Driver *driver, Domain *domain)
{
    if (!domain->is_persistent && !domain->guest && !domain->definition_lock.owner &&
        object_is_in_store(&domain->object))
        object_store_remove(driver->domains, &domain->object);
}

void driver_unlock_definition(Driver *driver, Domain *domain)
{
    fiber_mutex_unlock(&domain->definition_lock);
    driver_forget_domain(driver, domain);
}

static bool read_topology(void *data, GError **error)
{
    const HostTopology *topology;

    return topology_cache_get(data, &topology, error);
}

/* Milliseconds on a host with many processors. One that cannot be read is said here once,
 * early; calls say it again when they need it. */
static void driver_read_host(Driver *driver)
{
    g_autoptr(GError) error = NULL;

    if (!fiber_offload(read_topology, driver->topology, &error))
        LOG_GERROR(error);
}

/* Emulators are asked as whom guests run. */
static bool load_conf(Driver *driver, GError **error)
{
    const QemuUser *run_as;
    g_auto(EmulatorUser) user = { 0 };

    if (!qemu_conf_replace(daemon_get_paths(driver->daemon), &driver->conf, error))
        return false;
    run_as = &driver->conf->run_as;
    if (run_as->is_switched) {
        user.launcher = helper_program_find("splitvirt_launcher");
        user.uid = run_as->uid;
        user.gid = run_as->gid;
        user.groups = run_as->groups ? g_array_ref(run_as->groups) : NULL;
    }
    emulator_store_set_user(driver->emulators, &user);
    return true;
}

/* Guests' folders; a session keeps them below its definitions. */
static char *choose_lib_dir(const Paths *paths)
{
    return paths_join(paths->state_dir, paths->is_session ? "qemu/lib" : "qemu");
}

static void make_rooms(Driver *driver)
{
    const Paths *paths = daemon_get_paths(driver->daemon);
    g_autofree char *cache_dir = paths_join(paths->cache_dir, "qemu/capabilities");

    driver->roots = &host_roots_default;
    driver->topology = topology_cache_new(driver->roots);
    driver->domains = object_store_new(&domain_type);
    driver->active = g_hash_table_new(NULL, NULL);
    driver->folders = state_folders_new(paths, "qemu", "qemu");
    driver->definitions = definitions_new(driver->folders);
    driver->ports = ports_new();
    driver->logs = log_manager_new(driver->daemon);
    driver->resources = resource_host_new(daemon_get_loop(driver->daemon), paths);
    driver->host_shutdown = host_shutdown_new(driver);
    driver->file_workers = file_workers_new(daemon_get_loop(driver->daemon));
    driver->lib_dir = choose_lib_dir(paths);
    driver->emulators =
        emulator_store_new(daemon_get_loop(driver->daemon), cache_dir, "/dev/kvm");
}

/* The guests run on; only what the daemon had of them goes. */
static void forget_guests(Driver *driver)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, driver->active);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Domain *domain = value;

        guest_unref(g_steal_pointer(&domain->guest));
    }
}

/* Also for a driver that is half built. No call runs any more. */
void driver_stop(Daemon *daemon, void *driver_data)
{
    Driver *driver = driver_data;

    if (!driver)
        return;
    forget_guests(driver);
    definitions_free(driver->definitions);
    object_store_free(driver->domains);
    g_hash_table_unref(driver->active);
    emulator_store_free(driver->emulators);
    topology_cache_free(driver->topology);
    ports_free(driver->ports);
    log_manager_free(driver->logs);
    host_shutdown_free(driver->host_shutdown);
    resource_host_free(driver->resources);
    file_workers_free(driver->file_workers);
    state_folders_free(driver->folders);
    qemu_conf_unref(driver->conf);
    g_free(driver->lib_dir);
    g_free(driver);
}

bool driver_start(Daemon *daemon, void **ret_driver_data, GError **error)
{
    Driver *driver = g_new0(Driver, 1);

    driver->daemon = daemon;
    make_rooms(driver);
    driver_read_host(driver);
    if (!load_conf(driver, error) ||
        !security_model_choose(driver->roots, NULL, &driver->security_model, error) ||
        !mkdir_parents(driver->folders->config_dir, 0700, error) ||
        !mkdir_parents(driver->folders->run_dir, 0755, error) ||
        !definitions_load(driver->definitions, driver->domains, error) ||
        !guests_reconnect(driver, error)) {
        driver_stop(daemon, driver);
        return false;
    }
    autostart_later(driver);
    host_shutdown_watch(driver->host_shutdown);
    *ret_driver_data = driver;
    return true;
}

bool driver_is_busy(Daemon *daemon, void *driver_data)
{
    const Driver *driver = driver_data;

    return driver->n_guests > 0;
}

bool driver_reload(Daemon *daemon, void *driver_data, GError **error)
{
    Driver *driver = driver_data;

    if (!load_conf(driver, error))
        return false;
    host_shutdown_watch(driver->host_shutdown);
    return true;
}
