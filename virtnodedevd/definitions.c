#include "virtnodedevd/definitions.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "virtnodedevd/events.h"
#include "virtnodedevd/mdevctl.h"
#include "wire/api_nodedev.h"

LOG_INIT("nodedev.definitions");

/* A write is followed by others: the list is taken when it has been quiet for so long. */
#define QUIET_MS 100
#define WATCHED (IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM)

/* Its folder has one for each parent. What is watched already stays as it is. */
static void watch_folders(Driver *driver)
{
    g_autoptr(GPtrArray) names = sys_list_dir(MDEVCTL_FOLDER);

    inotify_add_watch(driver->mdevctl_fd, MDEVCTL_FOLDER, WATCHED | IN_ONLYDIR);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *folder = g_build_filename(MDEVCTL_FOLDER, names->pdata[i], NULL);

        inotify_add_watch(driver->mdevctl_fd, folder, WATCHED | IN_ONLYDIR);
    }
}

/* Hosts without mdevctl have nothing to watch. */
void definitions_open(Driver *driver)
{
    driver->mdevctl_fd = mdevctl_is_installed() ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    if (driver->mdevctl_fd >= 0)
        watch_folders(driver);
}

void definitions_close(Driver *driver)
{
    if (driver->mdevctl_fd >= 0)
        close(driver->mdevctl_fd);
}

static Sighting *sighting_of_definition(const MdevConfig *config)
{
    Sighting *sighting = g_new0(Sighting, 1);

    sighting->name = mdev_config_name(config);
    sighting->kind = mdev_kind;
    sighting->traits = mdev_kind->trait;
    return sighting;
}

/* Takes @config. */
static void apply_one(Driver *driver, const char *name, MdevConfig *config)
{
    Device *device = device_table_find(driver->devices, name);
    bool is_new = !device || !device->config;

    if (!device)
        device = device_table_add(driver->devices, sighting_of_definition(config));
    if (!is_new && mdev_config_equal(device->config, config)) {
        mdev_config_free(config);
        return;
    }
    mdev_config_free(device->config);
    device->config = config;
    if (is_new)
        nodedev_emit_lifecycle(driver, device, VIR_NODE_DEVICE_EVENT_DEFINED);
    else
        nodedev_emit_update(driver, device);
}

/* One that is active stays, and goes when it ends. */
static void forget(Driver *driver, Device *device)
{
    g_autoptr(Device) undefined = device_ref(device);

    g_clear_pointer(&device->config, mdev_config_free);
    if (!device_is_active(device))
        device_table_remove(driver->devices, device);
    nodedev_emit_lifecycle(driver, undefined, VIR_NODE_DEVICE_EVENT_UNDEFINED);
}

static void apply_all(Driver *driver, GPtrArray *configs)
{
    g_autoptr(GHashTable) by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer name, config;

    for (guint i = 0; i < configs->len; i++) {
        char *key = mdev_config_name(configs->pdata[i]);

        /* Two spellings of one name: the first counts. */
        if (g_hash_table_contains(by_name, key)) {
            mdev_config_free(configs->pdata[i]);
            g_free(key);
        } else {
            g_hash_table_insert(by_name, key, configs->pdata[i]);
        }
    }
    g_ptr_array_set_free_func(configs, NULL);
    for (GList *link = device_table_first(driver->devices), *next; link; link = next) {
        Device *device = link->data;

        next = link->next;
        if (device->config && !g_hash_table_contains(by_name, device->seen->name))
            forget(driver, device);
    }
    g_hash_table_iter_init(&iter, by_name);
    while (g_hash_table_iter_next(&iter, &name, &config))
        apply_one(driver, name, config);
}

/* mdevctl ends by its deadline, and so does this wait. */
bool definitions_refresh(Driver *driver, GError **error)
{
    GPtrArray *configs = NULL;
    bool has_list;

    if (!fiber_mutex_lock(&driver->mdevctl, FIBER_FOREVER, error))
        return false;
    if (driver->mdevctl_fd >= 0)
        watch_folders(driver);
    has_list = mdevctl_list_defined(&configs, error);
    fiber_mutex_unlock(&driver->mdevctl);
    if (!has_list)
        return false;
    apply_all(driver, configs);
    g_ptr_array_unref(configs);
    return true;
}

static void drain(int fd)
{
    char bytes[4096];

    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
}

/* Without its list there are fewer devices, which is better than none. */
static void try_refresh(Driver *driver)
{
    g_autoptr(GError) error = NULL;

    if (!definitions_refresh(driver, &error) && !fiber_is_cancelled(fiber_current()))
        LOG_WARN("mediated devices that are defined are not known: %s", error->message);
}

/* Waits for ever, since nothing may happen for ever; ends with the daemon. */
static void follow_fiber(void *data)
{
    Driver *driver = data;

    while (fiber_wait_fd(driver->mdevctl_fd, EPOLLIN, FIBER_FOREVER, NULL, NULL) &&
           fiber_sleep(QUIET_MS * 1000, NULL)) {
        drain(driver->mdevctl_fd);
        try_refresh(driver);
    }
}

bool definitions_follow(Driver *driver, GError **error)
{
    if (driver->mdevctl_fd >= 0)
        try_refresh(driver);
    return driver->mdevctl_fd < 0 || fiber_spawn(daemon_get_loop(driver->daemon), "definitions",
                                                 follow_fiber, driver, NULL, error);
}
