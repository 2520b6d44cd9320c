#include "virtnodedevd/device.h"

#include <string.h>

struct DeviceTable {
    GHashTable *by_name, *by_path; /* keys are the device's */
    GQueue devices;
    unsigned n_refused; /* for their names, since the last removal */
    bool must_look_again;
};

Device *device_ref(Device *device)
{
    device->n_refs++;
    return device;
}

void device_unref(Device *device)
{
    if (!device || --device->n_refs > 0)
        return;
    sighting_free(device->seen);
    mdev_config_free(device->config);
    g_free(device);
}

/* Name and path are the table's keys, and stay. */
void device_update(Device *device, Sighting *sighting)
{
    Sighting *seen = device->seen;

    seen->traits = sighting->traits;
    g_free(seen->wwnn);
    g_free(seen->wwpn);
    g_free(seen->fabric);
    seen->wwnn = g_steal_pointer(&sighting->wwnn);
    seen->wwpn = g_steal_pointer(&sighting->wwpn);
    seen->fabric = g_steal_pointer(&sighting->fabric);
    sighting_free(sighting);
}

DeviceTable *device_table_new(void)
{
    DeviceTable *table = g_new0(DeviceTable, 1);

    table->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    table->by_path = g_hash_table_new(g_str_hash, g_str_equal);
    g_queue_init(&table->devices);
    return table;
}

void device_table_free(DeviceTable *table)
{
    if (!table)
        return;
    while (table->devices.head)
        device_table_remove(table, table->devices.head->data);
    g_hash_table_unref(table->by_name);
    g_hash_table_unref(table->by_path);
    g_free(table);
}

/* Names leave out what distinguishes some devices ("a.b" and "a-b"): the first one has it. */
Device *device_table_add(DeviceTable *table, Sighting *sighting)
{
    bool is_taken = g_hash_table_contains(table->by_name, sighting->name);
    Device *device;

    if (is_taken ||
        (sighting->path && g_hash_table_contains(table->by_path, sighting->path))) {
        table->n_refused += is_taken;
        sighting_free(sighting);
        return NULL;
    }
    device = g_new0(Device, 1);
    device->n_refs = 1;
    device->seen = sighting;
    device->is_in_table = true;
    device->link.data = device;
    g_hash_table_insert(table->by_name, sighting->name, device);
    if (sighting->path)
        g_hash_table_insert(table->by_path, sighting->path, device);
    g_queue_push_tail_link(&table->devices, &device->link);
    return device;
}

void device_table_activate(DeviceTable *table, Device *device, const char *path)
{
    device_table_deactivate(table, device);
    if (g_hash_table_contains(table->by_path, path))
        return;
    device->seen->path = g_strdup(path);
    g_hash_table_insert(table->by_path, device->seen->path, device);
}

void device_table_deactivate(DeviceTable *table, Device *device)
{
    if (device->seen->path)
        g_hash_table_remove(table->by_path, device->seen->path);
    g_clear_pointer(&device->seen->path, g_free);
}

void device_table_remove(DeviceTable *table, Device *device)
{
    if (!device->is_in_table)
        return;
    device->is_in_table = false;
    g_hash_table_remove(table->by_name, device->seen->name);
    if (device->seen->path)
        g_hash_table_remove(table->by_path, device->seen->path);
    g_queue_unlink(&table->devices, &device->link);
    table->must_look_again |= table->n_refused > 0;
    table->n_refused = 0;
    device_unref(device);
}

bool device_table_take_refused(DeviceTable *table)
{
    bool must_look_again = table->must_look_again;

    table->must_look_again = false;
    return must_look_again;
}

Device *device_table_find(const DeviceTable *table, const char *name)
{
    return g_hash_table_lookup(table->by_name, name);
}

Device *device_table_find_path(const DeviceTable *table, const char *path)
{
    return g_hash_table_lookup(table->by_path, path);
}

Device *device_table_find_host(const DeviceTable *table, const char *wwnn, const char *wwpn)
{
    for (GList *link = table->devices.head; link; link = link->next) {
        Device *device = link->data;

        if (device->seen->wwnn && g_ascii_strcasecmp(device->seen->wwnn, wwnn) == 0 &&
            g_ascii_strcasecmp(device->seen->wwpn, wwpn) == 0)
            return device;
    }
    return NULL;
}

Device *device_table_find_address(const DeviceTable *table, const char *address)
{
    for (GList *link = table->devices.head; link; link = link->next) {
        Device *device = link->data;
        const char *slash = device->seen->path ? strrchr(device->seen->path, '/') : NULL;

        if (slash && g_str_equal(slash + 1, address) && kind_can_have_mdevs(device->seen->kind))
            return device;
    }
    return NULL;
}

/* Not every folder above is a node device's: the first that is. */
static const char *parent_by_path(const DeviceTable *table, const Device *device)
{
    g_autofree char *path = g_strdup(device->seen->path);

    for (char *slash = strrchr(path, '/'); slash && slash > path; slash = strrchr(path, '/')) {
        const Device *above;

        *slash = '\0';
        above = device_table_find_path(table, path);
        if (above)
            return above->seen->name;
    }
    return SYSTEM_NAME;
}

const char *device_table_parent(const DeviceTable *table, const Device *device)
{
    const Device *parent;

    if (!device->seen->kind->subsystem)
        return NULL;
    if (device->seen->path)
        return parent_by_path(table, device);
    /* Defined for a parent that need not be there now. */
    parent = device_table_find_address(table, device->config->parent);
    return parent ? parent->seen->name : SYSTEM_NAME;
}

GList *device_table_first(const DeviceTable *table)
{
    return table->devices.head;
}
