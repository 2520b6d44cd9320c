/* Which control groups the host offers: the hierarchies that are mounted, and the controllers of
 * each (cgroups(7)). Version 1 has a hierarchy for each controller, or for several together;
 * version 2 has one tree, whose controllers are those that no version 1 hierarchy has taken.
 * Nothing is ever mounted here. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "virtqemud/host/roots.h"

/* By the names of qemu.conf's cgroup_controllers; version 2 calls blkio "io", and counts the
 * time of processors (cpuacct) in every group. */
typedef enum CgroupController {
    CGROUP_CPU = 1 << 0,
    CGROUP_CPUACCT = 1 << 1,
    CGROUP_CPUSET = 1 << 2,
    CGROUP_MEMORY = 1 << 3,
    CGROUP_DEVICES = 1 << 4,
    CGROUP_BLKIO = 1 << 5,
    CGROUP_ALL = (1 << 6) - 1,
} CgroupController;

/* Those whose groups hold threads, so that vcpus get groups of their own. */
#define CGROUP_OF_THREADS (CGROUP_CPU | CGROUP_CPUACCT | CGROUP_CPUSET)

typedef struct CgroupHierarchy {
    char *mount;          /* where it is mounted */
    char *root;           /* which group is seen there, as /proc/PID/cgroup names it: "/" */
    unsigned controllers; /* CgroupController; others are not looked at */
    bool is_unified;      /* version 2 */
} CgroupHierarchy;

/* Of CgroupHierarchy, in the order of mounting; those without a controller of ours are left out,
 * version 2 is always there if it is mounted. Errors: SYSTEM_ERROR. */
GPtrArray *cgroup_mounts_read(const HostRoots *roots, GError **error);

/* The group of process @pid in @hierarchy: a folder below its mount, to be freed. NULL when the
 * process has ended, or is in a group that cannot be seen from here. */
char *cgroup_of_process(const HostRoots *roots, const CgroupHierarchy *hierarchy, int pid);

/* The bits of controllers by name; NULL names are all of them. False names the first unknown. */
bool cgroup_controllers_from_names(char *const *names, unsigned *ret_controllers,
                                   const char **ret_unknown);
