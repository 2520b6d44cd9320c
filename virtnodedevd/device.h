/* The node devices that are there, by name and by the kernel's path; mediated devices also while
 * they are only defined. A device says no more than what lists and look-ups need; its XML is read
 * when it is asked for. In memory only: the kernel and mdevctl know it all at the next start. */
#pragma once

#include "virtnodedevd/mdev_config.h"
#include "virtnodedevd/sighting.h"

typedef struct Device {
    unsigned n_refs;
    Sighting *seen;  /* whole until the last reference goes; no path: it is not active */
    MdevConfig *config; /* what a mediated device is defined as; NULL: it is not persistent */
    bool is_in_table;
    GList link;      /* in order of appearance */
} Device;

Device *device_ref(Device *device);
void device_unref(Device *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Device, device_unref)

static inline const char *device_name(const Device *device)
{
    return device->seen->name;
}

/* Whether it is there now, is there after a restart of the host, and comes by itself then. The
 * computer is all of it; of the kernel's devices only the first is known. */
static inline bool device_is_active(const Device *device)
{
    return device->seen->path != NULL;
}

static inline bool device_is_persistent(const Device *device)
{
    return device->config || !device->seen->kind->subsystem;
}

static inline bool device_is_autostarted(const Device *device)
{
    return device->config ? device->config->is_autostarted : !device->seen->kind->subsystem;
}

typedef struct DeviceTable DeviceTable;

DeviceTable *device_table_new(void);
void device_table_free(DeviceTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceTable, device_table_free)

/* Takes @sighting. The new device, borrowed; NULL when another one has its name or its path. */
Device *device_table_add(DeviceTable *table, Sighting *sighting);
/* Takes over what may change of a device while it stays itself; takes @sighting. */
void device_update(Device *device, Sighting *sighting);
/* A device that is defined has come to be at @path, or has ended. */
void device_table_activate(DeviceTable *table, Device *device, const char *path);
void device_table_deactivate(DeviceTable *table, Device *device);
void device_table_remove(DeviceTable *table, Device *device);
/* True once after something was removed whose name another device had been refused for. */
bool device_table_take_refused(DeviceTable *table);

/* Borrowed; NULL when there is none. */
Device *device_table_find(const DeviceTable *table, const char *name);
Device *device_table_find_path(const DeviceTable *table, const char *path);
/* The host with these world wide names. */
Device *device_table_find_host(const DeviceTable *table, const char *wwnn, const char *wwpn);
/* The device whose path ends in @address ("0000:00:02.0"), of the kinds that make others. */
Device *device_table_find_address(const DeviceTable *table, const char *address);
/* The name of the next device above @device, as the kernel has them; NULL of the computer. */
const char *device_table_parent(const DeviceTable *table, const Device *device);
/* The first device's link; link->data is the Device. */
GList *device_table_first(const DeviceTable *table);
