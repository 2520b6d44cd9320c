/* Where the host accounts a guest: under systemd a scope of its own (scope.h), elsewhere control
 * groups that are made by hand (host/cgroup.h). A guest whose host offers neither, or whose
 * daemon has no privileges, stays where the daemon is.
 *
 * What survives a restart is the machine's name in the status file: groups are found, and
 * removed, by it. */
#pragma once

#include "common/system_bus.h"
#include "fiber/sync.h"
#include "virtqemud/domain.h"
#include "virtqemud/host/cgroup.h"
#include "virtqemud/qemu_conf.h"

typedef enum ResourceManager {
    RESOURCES_NONE,
    RESOURCES_CGROUPS, /* by hand */
    RESOURCES_SYSTEMD,
    N_RESOURCE_MANAGERS
} ResourceManager;
extern const char *const resource_manager_names[N_RESOURCE_MANAGERS];

/* Of the driver. */
typedef struct ResourceHost {
    ResourceManager manager; /* what guests of this host get; NONE without privileges */
    SystemBus *bus;
    bool has_said_none, has_said_devices; /* facts about the host are stated once */
} ResourceHost;

/* Looks which manager the host has. */
ResourceHost *resource_host_new(FiberLoop *loop, const Paths *paths);
void resource_host_free(ResourceHost *host);

/* Of a guest. */
typedef struct GuestResources {
    ResourceManager manager;
    char *machine;  /* "qemu-1-demo" */
    Cgroup *cgroup; /* NULL: none, or not known */
    FiberCompletion joined;
    GError *error; /* why it has not joined them */
} GuestResources;
void guest_resources_clear(GuestResources *resources);

/* Chooses manager, name and partition, before the guest is on record. */
void guest_resources_choose(Guest *guest);
/* As soon as there is a process: makes what it is to be in, and moves it there, beside the caller.
 * The kernel, or systemd, takes as long for that as QEMU for its own start. */
bool guest_resources_begin(Guest *guest, GError **error);
/* Waits until it is done: before the guest's own code may run. Errors: CONFIG_UNSUPPORTED for a
 * partition that is none, DBUS_SERVICE, SYSTEM_ERROR. */
SUSPENDS bool guest_resources_wait(Guest *guest, GError **error);
/* When the threads of QEMU are known: gives them groups, beside the caller. A failure is logged,
 * the guest runs. */
void guest_resources_sort_threads(Guest *guest);
/* QEMU is about to be ended: its end is not to wait for that. */
void guest_resources_stop_sorting(Guest *guest);
/* Takes away what is left, when the process has ended. */
SUSPENDS void guest_resources_release(Guest *guest);
/* For a guest that was found again. */
void guest_resources_remember(Guest *guest, ResourceManager manager, const char *machine);

/* What a guest may open where the kernel limits devices: what every guest may, and its own. Each
 * is "rw PATH" or "r PATH". To be freed. */
char **guest_device_paths(const DomainDef *def, const QemuConf *conf);
/* The same in the kernel's words, "c 1:3 rw". Looks at the files: for an offload thread. */
char **guest_devices_resolve(char *const *paths);
