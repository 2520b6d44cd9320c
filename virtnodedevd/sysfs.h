/* One device as the kernel shows it: a folder below /sys/devices, and what udev has written
 * down of it where udev runs. Everything is read when it is asked for and nothing is kept, since
 * attributes change without notice; a device may vanish between two reads, whose attributes are
 * then missing. Reading blocks shortly: offload threads do it. The root folders are parameters,
 * which is how recorded trees of other machines are read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef struct SysRoots {
    const char *sys;  /* "/sys" */
    const char *udev; /* "/run/udev/data": what udev knows of each device */
    const char *ids;  /* "/usr/share": folders "misc" and "hwdata" with pci.ids and usb.ids */
} SysRoots;

/* The real ones. */
extern const SysRoots sys_roots_default;

typedef struct SysDevice {
    const SysRoots *roots;
    char *path;      /* below the root: "/devices/virtual/net/lo" */
    char *dir;       /* the folder itself */
    const char *name; /* the last part of the path */
    char *subsystem; /* "net" */
    char *devtype;   /* "disk"; NULL when there is none */
    char *driver;    /* NULL without one */
    char *devname;   /* "vda": of its node below /dev; NULL without one */
    GHashTable *properties; /* udev's, by name; empty where there are none */
    GPtrArray *links;       /* udev's further names of the node, below /dev */
} SysDevice;

/* NULL when there is no such device (any more). @path may lead through links; the device's is
 * the real one. */
SysDevice *sys_device_open(const SysRoots *roots, const char *path);
void sys_device_free(SysDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SysDevice, sys_device_free)

/* An attribute as text without white space at its ends; NULL when there is none. @name may
 * lead elsewhere ("device/vendor"). To be freed. */
char *sys_attr(const SysDevice *device, const char *name);
/* The same of any folder. */
char *sys_read(const char *dir, const char *name);
/* An attribute that begins with a number (@base as for strtoull). False when it does not. */
bool sys_attr_number(const SysDevice *device, const char *name, unsigned base, uint64_t *ret);
bool sys_has(const SysDevice *device, const char *name);
/* The last part of what a link leads to; NULL when there is none. To be freed. */
char *sys_link_name(const SysDevice *device, const char *name);
/* The names in the folder @name of the device, sorted as a person would (2 before 10). */
GPtrArray *sys_list(const SysDevice *device, const char *name);
/* The same of any folder, which may be missing. */
GPtrArray *sys_list_dir(const char *dir);
/* udev's property; NULL when there is none, or an empty one. */
const char *sys_property(const SysDevice *device, const char *name);
