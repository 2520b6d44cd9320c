#include "virtnodedevd/changes.h"

#include <sys/epoll.h>

#include "base/log.h"
#include "fiber/offload.h"
#include "virtnodedevd/events.h"
#include "wire/api_nodedev.h"

LOG_INIT("nodedev.changes");

/* So many are looked at in one go: others wait no longer than that. */
#define BATCH_MAX 256

static void add_device(Driver *driver, Sighting *sighting)
{
    Device *device = device_table_find(driver->devices, sighting->name);

    if (device && !device_is_active(device)) {
        device_table_activate(driver->devices, device, sighting->path);
        device_update(device, sighting);
    } else {
        device = device_table_add(driver->devices, sighting);
    }

    if (device)
        nodedev_emit_lifecycle(driver, device, VIR_NODE_DEVICE_EVENT_CREATED);
}

/* One that is defined stays, without being active. */
static void remove_device(Driver *driver, Device *device)
{
    g_autoptr(Device) removed = device_ref(device);

    if (device->config)
        device_table_deactivate(driver->devices, device);
    else
        device_table_remove(driver->devices, device);
    nodedev_emit_lifecycle(driver, removed, VIR_NODE_DEVICE_EVENT_DELETED);
}

static void remove_path(Driver *driver, const char *path)
{
    Device *device = path ? device_table_find_path(driver->devices, path) : NULL;

    if (device)
        remove_device(driver, device);
}

/* Brings one path up to date with what was seen there; takes @sighting (NULL: nothing). */
static void settle(Driver *driver, const char *path, Sighting *sighting, bool has_changed)
{
    Device *device = device_table_find_path(driver->devices, path);

    if (device && sighting && g_str_equal(device->seen->name, sighting->name)) {
        device_update(device, sighting);
        if (has_changed)
            nodedev_emit_update(driver, device);
        return;
    }
    if (device)
        remove_device(driver, device);
    if (sighting)
        add_device(driver, sighting);
}

typedef struct Scan {
    const SysRoots *roots;
    GPtrArray *found;
} Scan;

static bool scan_all(void *data, GError **error)
{
    Scan *scan = data;

    scan->found = sightings_of_all(scan->roots);
    return true;
}

/* Takes what was found out of @found. Those that are gone go first: a name may have a new owner. */
static void apply_all(Driver *driver, GPtrArray *found)
{
    g_autoptr(GHashTable) by_path = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < found->len; i++) {
        Sighting *sighting = found->pdata[i];

        g_hash_table_insert(by_path, sighting->path, sighting);
    }
    for (GList *link = device_table_first(driver->devices), *next; link; link = next) {
        Device *device = link->data;
        const Sighting *now = device_is_active(device)
                                  ? g_hash_table_lookup(by_path, device->seen->path)
                                  : NULL;

        next = link->next;
        if (!device_is_active(device))
            continue;
        if (!now || !g_str_equal(now->name, device->seen->name))
            remove_device(driver, device);
    }
    g_ptr_array_set_free_func(found, NULL);
    for (guint i = 0; i < found->len; i++) {
        Sighting *sighting = found->pdata[i];
        g_autofree char *path = g_strdup(sighting->path);

        settle(driver, path, sighting, false);
    }
}

/* Whoever calls it has the turn. */
static bool look_at_all(Driver *driver, GError **error)
{
    uint64_t number = ++driver->n_whole_looks;
    Scan scan = { driver->roots, NULL };
    WatchEvent *event;

    while (driver->watch && (event = watch_take(driver->watch)))
        watch_event_free(event);
    if (driver->watch)
        watch_take_lost(driver->watch);
    if (!fiber_offload(scan_all, &scan, error))
        return false;
    apply_all(driver, scan.found);
    g_ptr_array_unref(scan.found);
    driver->last_whole_look = number;
    return true;
}

/* One that is under way may have passed already what the caller is about. The next one has not,
 * and does for all who came meanwhile. */
bool changes_look_at_all(Driver *driver, GError **error)
{
    uint64_t needed = driver->n_whole_looks + 1;
    bool is_done;

    if (!fiber_mutex_lock(&driver->look, FIBER_FOREVER, error))
        return false;
    is_done = driver->last_whole_look >= needed || look_at_all(driver, error);
    fiber_mutex_unlock(&driver->look);
    return is_done;
}

typedef struct Look {
    const SysRoots *roots;
    const char *path;
    Sighting *sighting;
} Look;

static bool look_once(void *data, GError **error)
{
    Look *look = data;

    look->sighting = sighting_make(look->roots, look->path);
    return true;
}

bool changes_look_at(Driver *driver, const char *path, GError **error)
{
    Look look = { driver->roots, path, NULL };
    bool is_done;

    if (!fiber_mutex_lock(&driver->look, FIBER_FOREVER, error))
        return false;
    is_done = fiber_offload(look_once, &look, error);
    if (is_done)
        settle(driver, path, look.sighting, false);
    fiber_mutex_unlock(&driver->look);
    return is_done;
}

/* Some events, and what is to be seen at their places. */
typedef struct Batch {
    const SysRoots *roots;
    WatchEvent *events[BATCH_MAX];
    Sighting *sightings[BATCH_MAX];
    size_t n_events;
} Batch;

static void batch_take(Batch *batch, Watch *watch)
{
    batch->n_events = 0;
    while (batch->n_events < BATCH_MAX && (batch->events[batch->n_events] = watch_take(watch)))
        batch->sightings[batch->n_events++] = NULL;
}

static bool batch_look(void *data, GError **error)
{
    Batch *batch = data;

    for (size_t i = 0; i < batch->n_events; i++) {
        if (batch->events[i]->action != UEVENT_REMOVE)
            batch->sightings[i] = sighting_make(batch->roots, batch->events[i]->path);
    }
    return true;
}

static void batch_apply(Batch *batch, Driver *driver)
{
    for (size_t i = 0; i < batch->n_events; i++) {
        WatchEvent *event = batch->events[i];

        remove_path(driver, event->old_path);
        if (event->action == UEVENT_REMOVE)
            remove_path(driver, event->path);
        else
            settle(driver, event->path, batch->sightings[i], event->action == UEVENT_CHANGE);
        watch_event_free(event);
    }
}

/* Events are taken when it is their turn: those from before a look at all devices say nothing that
 * it has not seen. */
static bool follow_batch(Driver *driver, Batch *batch, GError **error)
{
    batch_take(batch, driver->watch);
    if (watch_take_lost(driver->watch)) {
        LOG_INFO("more devices changed than could be told: looking at all of them");
        for (size_t i = 0; i < batch->n_events; i++)
            watch_event_free(batch->events[i]);
        return look_at_all(driver, error);
    }
    if (!fiber_offload(batch_look, batch, error)) {
        for (size_t i = 0; i < batch->n_events; i++) {
            watch_event_free(batch->events[i]);
            sighting_free(batch->sightings[i]);
        }
        return false;
    }
    batch_apply(batch, driver);
    return !device_table_take_refused(driver->devices) || look_at_all(driver, error);
}

/* Batches are not small, and a fiber's stack is: it is made once. */
static bool follow_once(Driver *driver, Batch *batch, GError **error)
{
    bool is_done;

    if (!fiber_wait_fd(watch_get_fd(driver->watch), EPOLLIN, FIBER_FOREVER, NULL, error) ||
        !fiber_mutex_lock(&driver->look, FIBER_FOREVER, error))
        return false;
    is_done = follow_batch(driver, batch, error);
    fiber_mutex_unlock(&driver->look);
    return is_done;
}

/* Waits for ever, since nothing may happen for ever; ends with the daemon. */
static void follow_fiber(void *data)
{
    Driver *driver = data;
    g_autoptr(GError) error = NULL;
    g_autofree Batch *batch = g_new0(Batch, 1);

    batch->roots = driver->roots;
    while (follow_once(driver, batch, &error))
        continue;
    if (!fiber_is_cancelled(fiber_current()))
        LOG_ERROR("devices that come and go are not noticed any more: %s", error->message);
}

bool changes_follow(Driver *driver, GError **error)
{
    return !driver->watch || fiber_spawn(daemon_get_loop(driver->daemon), "devices", follow_fiber,
                                         driver, NULL, error);
}
