/* The control groups of one guest: a folder in each hierarchy (cgroup_mounts.h), and in those
 * that sort threads one more for each kind of thread:
 *
 *     machine/qemu-1-demo.libvirt-qemu/         the guest, in its partition
 *         emulator/  vcpu0/  vcpu1/  …          its threads
 *
 * as the manual's "Control Groups" lays them out where there is no systemd, and below a scope
 * of systemd's in the same way. Owned by the guest. Groups outlive the daemon; they are found
 * again by their names. Functions that touch the kernel's files are for offload threads: moving a
 * process waits for all processors. Threads may use one Cgroup at a time, each with a reference;
 * what is removed is not made again. */
#pragma once

#include <sys/types.h>

#include "virtqemud/host/cgroup_mounts.h"

typedef struct CgroupFolder {
    char *path;
    const char *mount;    /* borrowed from the Cgroup's hierarchies */
    unsigned controllers; /* those that are used */
    bool is_unified;
    bool sorts_threads;
} CgroupFolder;

typedef struct Cgroup {
    GPtrArray *hierarchies; /* of CgroupHierarchy */
    GPtrArray *folders;     /* of CgroupFolder */
    GMutex lock;            /* around making and removing folders */
    int is_ending;          /* atomic: nothing is made any more */
} Cgroup;

/* Where guests are when their definition says nothing. Made when needed; others must be there. */
#define CGROUP_PARTITION_DEFAULT "/machine"

/* The groups that a guest of this @name would have in @partition; nothing is made. Only those of
 * @controllers. @hierarchies is taken. Errors: CONFIG_UNSUPPORTED for a partition that is no
 * absolute path. */
Cgroup *cgroup_new(GPtrArray *hierarchies, unsigned controllers, const char *partition,
                   const char *name, GError **error);
/* Groups below those that systemd has put process @pid into, where its scope is @scope. */
Cgroup *cgroup_new_in_scope(const HostRoots *roots, GPtrArray *hierarchies, unsigned controllers,
                            pid_t pid, const char *scope);
Cgroup *cgroup_ref(Cgroup *cgroup);
void cgroup_unref(Cgroup *cgroup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cgroup, cgroup_unref)

/* Makes the folders, with one for the emulator. A hierarchy in which we may not write is left out
 * of @cgroup if @skips_forbidden. Errors: SYSTEM_ERROR naming the folder, OPERATION_ABORTED when
 * it was removed meanwhile. */
bool cgroup_make(Cgroup *cgroup, bool skips_forbidden, GError **error);
/* Groups that a scope brings: @pid goes into them, so that what is above it holds no process. */
bool cgroup_make_in_scope(Cgroup *cgroup, pid_t pid, GError **error);
/* Moves process @pid, with all its threads, into the folders. What has ended is no error. */
bool cgroup_join(Cgroup *cgroup, pid_t pid, GError **error);
/* Nothing may be opened but @devices, each in the kernel's words ("c 1:3 rw"). True without
 * anything done where no hierarchy limits devices: *@ret_is_done says so. */
bool cgroup_allow_devices(const Cgroup *cgroup, char *const *devices, bool *ret_is_done,
                          GError **error);
/* Gives each vcpu's thread a group of its own; what has ended meanwhile is no error. The kernel
 * takes milliseconds for each: cgroup_stop_sorting(), from another thread, ends it after the next. */
bool cgroup_sort_threads(Cgroup *cgroup, const pid_t *vcpus, size_t n_vcpus, GError **error);
void cgroup_stop_sorting(Cgroup *cgroup);
/* Removes the folders, once all processes in them have ended. The kernel may see the last thread
 * of one for a moment longer: tries again until @deadline_us (monotonic). False when there is
 * still one; *@ret_path is its folder then (to be freed). */
bool cgroup_remove(Cgroup *cgroup, gint64 deadline_us, char **ret_path);

/* "qemu-1-demo": what machines are called, by the rules for names of hosts that systemd has: of
 * @name letters, digits, single dashes and dots, 64 characters in all. @instance is part of the
 * name when it is not "". To be freed. */
char *machine_name_make(const char *driver, int id, const char *name, const char *instance);
