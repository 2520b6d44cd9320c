#include "virtnodedevd/driver.h"

#include "base/error.h"
#include "base/log.h"
#include "virtnodedevd/changes.h"
#include "virtnodedevd/definitions.h"

LOG_INIT("nodedev");

/* May wait, in the first moments of the daemon. The driver stays until no call is left. */
Driver *driver_of(Call *call, GError **error)
{
    Daemon *daemon = call_get_daemon(call);

    return daemon_wait_started(daemon, error) ? daemon_get_driver_data(daemon) : NULL;
}

bool nodedev_check_flags(const char *api, unsigned flags, unsigned supported, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (call_check_flags(api, flags, supported, &cause))
        return true;
    g_set_error_literal(error, error_quark(VIR_FROM_NODEDEV), cause->code, cause->message);
    return false;
}

bool nodedev_check_room(int max_names, int limit, const char *limit_name, GError **error)
{
    if (max_names < 0)
        return error_fail(error, VIR_FROM_RPC, VIR_ERR_RPC, "maxnames must be non-negative");
    return max_names <= limit ||
           error_fail(error, VIR_FROM_RPC, VIR_ERR_RPC, "maxnames > %s", limit_name);
}

bool nodedev_fail_missing(const char *name, GError **error)
{
    return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_NO_NODE_DEVICE,
                      "no node device with matching name '%s'", name);
}

Device *call_get_device(Call *call, const char *name, Driver **ret_driver, GError **error)
{
    Driver *driver = driver_of(call, error);
    Device *device = driver ? device_table_find(driver->devices, name) : NULL;

    if (!driver)
        return NULL;
    *ret_driver = driver;
    if (device)
        return device_ref(device);
    nodedev_fail_missing(name, error);
    return NULL;
}

/* Without its events devices are as they were at the start, which is better than none. */
static void open_watch(Driver *driver)
{
    g_autoptr(GError) reason = NULL;

    driver->watch = watch_open(&reason);
    if (!driver->watch)
        LOG_ERROR("devices that come and go are not noticed until a restart: %s", reason->message);
}

/* What happens while the devices are looked at waits in the socket, so it is opened first. */
bool driver_start(Daemon *daemon, void **ret_driver, GError **error)
{
    Driver *driver = g_new0(Driver, 1);

    driver->daemon = daemon;
    driver->roots = &sys_roots_default;
    driver->devices = device_table_new();
    open_watch(driver);
    definitions_open(driver);
    if (!changes_look_at_all(driver, error) || !changes_follow(driver, error) ||
        !definitions_follow(driver, error)) {
        driver_stop(daemon, driver);
        return false;
    }
    *ret_driver = driver;
    return true;
}

void driver_stop(Daemon *daemon, void *data)
{
    Driver *driver = data;

    device_table_free(driver->devices);
    watch_close(driver->watch);
    definitions_close(driver);
    g_free(driver);
}
