/* Only looks: a few small files of the kernel's and whether others are there. */
#include "common/environment.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "common/daemon_private.h"
#include "common/privileges.h"

#include "base/log.h"

LOG_INIT("daemon");

#define SMALL_FILE_LIMIT (64 * 1024)
#define SYSTEM_BUS_SOCKET "/run/dbus/system_bus_socket"
/* All uids of a namespace that is no other's child (user_namespaces(7)). */
#define ALL_UIDS 4294967295U
#define USUAL_UNKNOWN_UID 65534
/* A v1 controller that guests are limited by, and that every kernel with v1 mounts. */
#define V1_CONTROLLER "memory"

/* NULL when the file is not there or cannot be read. */
static char *read_small(const char *prefix, const char *path)
{
    g_autofree char *full = g_strconcat(prefix, path, NULL);
    char *text = NULL;

    return file_read_if_exists(full, SMALL_FILE_LIMIT, &text, NULL, NULL) ? text : NULL;
}

static bool can_access(const char *prefix, const char *path, int mode)
{
    g_autofree char *full = g_strconcat(prefix, path, NULL);

    return access(full, mode) == 0;
}

/* Only a socket's path can be looked at; any other address was set by somebody who knows. */
static bool has_bus(const char *prefix)
{
    const char *address = g_getenv("DBUS_SYSTEM_BUS_ADDRESS");

    if (!address)
        return can_access(prefix, SYSTEM_BUS_SOCKET, W_OK);
    if (!g_str_has_prefix(address, "unix:path="))
        return true;
    g_autofree char *path = g_strndup(address + strlen("unix:path="),
                                      strcspn(address + strlen("unix:path="), ",;"));
    return access(path, W_OK) == 0;
}

/* An image that was made for many machines has the file empty, or the word "uninitialized". */
static bool has_machine_id(const char *prefix)
{
    g_autofree char *text = read_small(prefix, "/etc/machine-id");

    return text && strspn(g_strstrip(text), "0123456789abcdef") == 32 && text[32] == '\0';
}

/* The group of this process in the hierarchy whose field of /proc/self/cgroup is @controller
 * ("" for v2): "/" when it cannot be told. */
static char *own_cgroup(const char *prefix, const char *controller)
{
    g_autofree char *text = read_small(prefix, "/proc/self/cgroup");
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", 3);

        if (g_strv_length(fields) != 3)
            continue;
        g_auto(GStrv) names = g_strsplit(fields[1], ",", -1);
        if (g_strv_contains((const char *const *)names, controller) ||
            (!controller[0] && !fields[1][0]))
            return g_strdup(fields[2]);
    }
    return g_strdup("/");
}

/* Within a cgroup namespace whose mount is not its own, the path that the kernel names is not
 * there: then the mount's top is what we have. */
static bool can_write_below(const char *prefix, const char *mount, const char *controller)
{
    g_autofree char *group = own_cgroup(prefix, controller);
    g_autofree char *path = g_strconcat(mount, group, NULL);

    if (can_access(prefix, path, F_OK))
        return can_access(prefix, path, W_OK);
    return can_access(prefix, mount, W_OK);
}

static void read_cgroups(const char *prefix, Environment *environment)
{
    if (can_access(prefix, "/sys/fs/cgroup/cgroup.controllers", F_OK)) {
        environment->cgroup_version = 2;
        environment->can_write_cgroup = can_write_below(prefix, "/sys/fs/cgroup", "");
    } else if (can_access(prefix, "/sys/fs/cgroup/" V1_CONTROLLER, F_OK)) {
        environment->cgroup_version = 1;
        environment->can_write_cgroup =
            can_write_below(prefix, "/sys/fs/cgroup/" V1_CONTROLLER, V1_CONTROLLER);
    }
}

static bool is_in_user_namespace(const char *prefix)
{
    g_autofree char *text = read_small(prefix, "/proc/self/uid_map");
    unsigned inside, outside, length;

    return text && sscanf(text, "%u %u %u", &inside, &outside, &length) == 3 &&
           (inside != 0 || outside != 0 || length != ALL_UIDS);
}

/* user_namespaces(7): "unmapped user and group IDs". */
static uid_t read_unknown_uid(const char *prefix)
{
    g_autofree char *text = read_small(prefix, "/proc/sys/kernel/overflowuid");

    return text ? (uid_t)g_ascii_strtoull(text, NULL, 10) : USUAL_UNKNOWN_UID;
}

static uint64_t read_capabilities(const char *prefix)
{
    g_autofree char *status = read_small(prefix, "/proc/self/status");
    const char *effective = status ? strstr(status, "\nCapEff:") : NULL;

    return effective ? g_ascii_strtoull(effective + strlen("\nCapEff:"), NULL, 16) : 0;
}

void environment_read(const char *prefix, uint64_t wanted, Environment *ret_environment)
{
    Environment environment = { 0 };
    struct statvfs root;

    environment.has_systemd = can_access(prefix, "/run/systemd/system", F_OK);
    environment.has_bus = has_bus(prefix);
    environment.has_machine_id = has_machine_id(prefix);
    read_cgroups(prefix, &environment);
    environment.is_root_read_only = statvfs("/", &root) == 0 && (root.f_flag & ST_RDONLY) != 0;
    environment.is_in_user_namespace = is_in_user_namespace(prefix);
    environment.unknown_uid = read_unknown_uid(prefix);
    environment.wanted_capabilities = wanted;
    environment.capabilities = wanted & read_capabilities(prefix);
    *ret_environment = environment;
}

bool environment_is_complete(const Environment *environment, bool is_system)
{
    if (!environment->has_systemd || !environment->has_bus || !environment->has_machine_id)
        return false;
    return !is_system || (environment->can_write_cgroup &&
                          environment->capabilities == environment->wanted_capabilities);
}

static void add_fact(GString *there, GString *missing, bool is_there, const char *what)
{
    GString *list = is_there ? there : missing;

    g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", what);
}

/* Those that are missing by name, since they are what somebody may have to add. */
static void add_capabilities(const Environment *environment, GString *there, GString *missing)
{
    uint64_t lacking = environment->wanted_capabilities & ~environment->capabilities;

    if (environment->wanted_capabilities == 0)
        return;
    if (lacking == 0) {
        add_fact(there, missing, true, "all capabilities that it uses");
        return;
    }
    for (unsigned capability = 0; capability < 64; capability++) {
        g_autofree char *name = NULL;

        if (!(lacking & UINT64_C(1) << capability))
            continue;
        name = privileges_name(capability);
        add_fact(there, missing, false, name);
    }
}

char *environment_describe(const Environment *environment)
{
    g_autoptr(GString) there = g_string_new(NULL);
    g_autoptr(GString) missing = g_string_new(NULL);
    bool has_cgroups = environment->cgroup_version > 0;

    add_fact(there, missing, environment->has_systemd, "systemd");
    add_fact(there, missing, environment->has_bus, "D-Bus");
    add_fact(there, missing, environment->has_machine_id, "machine-id");
    add_fact(there, missing, has_cgroups, has_cgroups && environment->cgroup_version == 1
                                              ? "cgroups v1" : has_cgroups ? "cgroups v2"
                                                                           : "cgroups");
    if (has_cgroups && !environment->can_write_cgroup)
        add_fact(there, missing, false, "write access to cgroups");
    add_capabilities(environment, there, missing);
    if (environment->is_root_read_only)
        add_fact(there, missing, true, "a read-only root");
    if (environment->is_in_user_namespace)
        add_fact(there, missing, true, "a user namespace");
    return g_strdup_printf("environment: %s%s%s", there->len > 0 ? there->str : "nothing",
                           missing->len > 0 ? "; without " : "", missing->str);
}

/* A host that has everything needs no line at the default level; what a container lacks is worth
 * one, since it explains what the daemon will refuse to do. */
void daemon_look_around(Daemon *daemon)
{
    Environment environment;
    g_autofree char *line = NULL;

    environment_read("", daemon->spec->capabilities, &environment);
    line = environment_describe(&environment);
    if (environment_is_complete(&environment, daemon->is_system))
        LOG_INFO("%s", line);
    else
        LOG_WARN("%s", line);
    daemon->has_unknown_uid = environment.is_in_user_namespace;
    daemon->unknown_uid = environment.unknown_uid;
}
