/* What the place offers where a daemon runs: a host with systemd, a container without any of it.
 * What is missing is a fact, not an error; it is told once, at the start, in one line. Looked
 * at anew at each start; nothing is kept. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

typedef struct Environment {
    bool has_systemd;        /* runs as the system's manager (sd_booted(3)) */
    bool has_bus;            /* the system bus has a socket */
    bool has_machine_id;     /* machine-id(5), initialised */
    int cgroup_version;      /* 1 or 2 (a hybrid is 1), 0: none mounted */
    bool can_write_cgroup;   /* groups can be made below our own */
    bool is_root_read_only;
    bool is_in_user_namespace; /* uids here are not the host's */
    uid_t unknown_uid;         /* what the kernel shows for those that have none here */
    uint64_t wanted_capabilities; /* that the daemon would use, capabilities(7), a bit each */
    uint64_t capabilities;        /* those of them that are effective */
} Environment;

/* @prefix stands before every path but the environment's own: "" but in tests. @wanted: the
 * capabilities that the daemon would use. */
void environment_read(const char *prefix, uint64_t wanted, Environment *ret_environment);
/* Whether this is what a daemon of the host finds on an ordinary host; for a daemon of one user
 * (@is_system false) capabilities and cgroups do not count. */
bool environment_is_complete(const Environment *environment, bool is_system);
/* One line, to be freed: "environment: D-Bus, cgroups v2; without systemd, …". */
char *environment_describe(const Environment *environment);
