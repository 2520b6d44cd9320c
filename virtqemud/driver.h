/* What virtqemud is while it runs: made by start(), reached from every call. */
#pragma once

#include "common/call.h"
#include "common/daemon.h"
#include "common/objects.h"
#include "common/state_folders.h"
#include "virtqemud/definitions.h"
#include "virtqemud/guest/log_manager.h"
#include "virtqemud/guest/ports.h"
#include "virtqemud/guest/resources.h"
#include "virtqemud/host/file_worker.h"
#include "virtqemud/host/roots.h"
#include "virtqemud/host/security_model.h"
#include "virtqemud/host/topology_cache.h"
#include "virtqemud/host_shutdown.h"
#include "virtqemud/qemu/caps_store.h"
#include "virtqemud/qemu_conf.h"

typedef struct Driver {
    Daemon *daemon;
    const HostRoots *roots;
    TopologyCache *topology;
    SecurityModel security_model; /* does not change while the kernel runs */
    Uuid host_uuid; /* all zero until somebody asks for it */
    FileWorkers *file_workers;
    QemuConf *conf;
    EmulatorStore *emulators;
    LogManager *logs;
    StateFolders *folders;
    char *lib_dir; /* /var/lib/libvirt/qemu */
    ObjectStore *domains; /* of Domain */
    Definitions *definitions;
    GHashTable *active; /* id → Domain that has a guest; borrowed */
    int last_id;        /* the highest that a guest has had */
    Ports *ports;
    ResourceHost *resources;
    HostShutdown *host_shutdown;
    unsigned n_guests; /* that have not ended, with those that are starting */
    bool is_suspending_host;
} Driver;

/* Waits until the driver has started. NULL with the error of its start when it could not. */
SUSPENDS Driver *driver_of(Call *call, GError **error);

/* Takes @domain out of the store when it is nothing any more: it has neither a definition, nor one that is
 * being written, nor a guest. */
void driver_forget_domain(Driver *driver, Domain *domain);
/* Gives its definition_lock back, and does the same. */
void driver_unlock_definition(Driver *driver, Domain *domain);

/* What the daemon calls (DaemonSpec). When start has returned, every domain is in the store and
 * every guest that ran is known; its QEMU is asked beside, and those that start with the host
 * are started beside. Guests run on when the daemon stops. */
SUSPENDS bool driver_start(Daemon *daemon, void **ret_driver, GError **error);
void driver_stop(Daemon *daemon, void *driver);
bool driver_is_busy(Daemon *daemon, void *driver);
SUSPENDS bool driver_reload(Daemon *daemon, void *driver, GError **error);
