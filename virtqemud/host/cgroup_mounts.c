/* Formats: proc(5), /proc/PID/mountinfo and /proc/PID/cgroup. */
#include "virtqemud/host/cgroup_mounts.h"

#include <string.h>

static const struct {
    const char *name, *unified_name; /* NULL: version 2 has no such file to show it by */
    unsigned controllers;
} controllers[] = {
    { "cpu", "cpu", CGROUP_CPU },          { "cpuacct", NULL, CGROUP_CPUACCT },
    { "cpuset", "cpuset", CGROUP_CPUSET }, { "memory", "memory", CGROUP_MEMORY },
    { "devices", NULL, CGROUP_DEVICES },   { "blkio", "io", CGROUP_BLKIO },
};

static void hierarchy_free(void *data)
{
    CgroupHierarchy *hierarchy = data;

    g_free(hierarchy->mount);
    g_free(hierarchy->root);
    g_free(hierarchy);
}

/* Of a list of mount options; other words among them are no controllers. */
static unsigned controllers_of_options(const char *options)
{
    g_auto(GStrv) words = g_strsplit(options, ",", -1);
    unsigned found = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(controllers); i++) {
        if (g_strv_contains((const char *const *)words, controllers[i].name))
            found |= controllers[i].controllers;
    }
    return found;
}

/* Time is counted in every group of a tree that has any controller of processors, and devices
 * are limited by programs that are loaded into the kernel, which nothing here does. */
static unsigned controllers_of_unified(const char *mount)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;
    unsigned found = 0;

    if (!host_file_read(mount, HOST_FILE_LIMIT, &text, NULL, NULL, "cgroup.controllers"))
        return 0;
    words = g_strsplit_set(text, " \n", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(controllers); i++) {
        if (controllers[i].unified_name &&
            g_strv_contains((const char *const *)words, controllers[i].unified_name))
            found |= controllers[i].controllers;
    }
    return found & CGROUP_CPU ? found | CGROUP_CPUACCT : found;
}

/* Spaces and the like are octal: "\040". */
static char *unescape(const char *text)
{
    return g_strcompress(text);
}

/* One mount: fields, a lone "-", type, source, options of the file system. NULL: not for us. */
static CgroupHierarchy *hierarchy_parse(const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    guint n = g_strv_length(fields), dash = 6;
    CgroupHierarchy *hierarchy;
    bool is_unified;

    while (dash < n && strcmp(fields[dash], "-") != 0)
        dash++;
    if (dash + 3 >= n || !g_str_has_prefix(fields[dash + 1], "cgroup"))
        return NULL;
    is_unified = strcmp(fields[dash + 1], "cgroup2") == 0;
    hierarchy = g_new0(CgroupHierarchy, 1);
    hierarchy->root = unescape(fields[3]);
    hierarchy->mount = unescape(fields[4]);
    hierarchy->is_unified = is_unified;
    hierarchy->controllers = is_unified ? controllers_of_unified(hierarchy->mount)
                                        : controllers_of_options(fields[dash + 3]);
    if (is_unified || hierarchy->controllers)
        return hierarchy;
    hierarchy_free(hierarchy);
    return NULL;
}

/* The same hierarchy may be mounted in several places: one is enough. */
static bool has_hierarchy(const GPtrArray *hierarchies, const CgroupHierarchy *other)
{
    for (guint i = 0; i < hierarchies->len; i++) {
        const CgroupHierarchy *hierarchy = g_ptr_array_index(hierarchies, i);

        if (hierarchy->is_unified == other->is_unified &&
            (hierarchy->is_unified || hierarchy->controllers == other->controllers))
            return true;
    }
    return false;
}

GPtrArray *cgroup_mounts_read(const HostRoots *roots, GError **error)
{
    g_autoptr(GPtrArray) hierarchies = g_ptr_array_new_with_free_func(hierarchy_free);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!host_file_read(roots->proc, HOST_FILE_LIMIT, &text, NULL, error, "self/mountinfo"))
        return NULL;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        CgroupHierarchy *hierarchy = hierarchy_parse(*line);

        if (!hierarchy)
            continue;
        if (has_hierarchy(hierarchies, hierarchy))
            hierarchy_free(hierarchy);
        else
            g_ptr_array_add(hierarchies, hierarchy);
    }
    return g_steal_pointer(&hierarchies);
}

/* "4:cpu,cpuacct:/machine/x"; version 2 has no controllers there: "0::/machine/x". */
static const char *path_in_line(const CgroupHierarchy *hierarchy, char *line)
{
    char *names = strchr(line, ':');
    char *path = names ? strchr(names + 1, ':') : NULL;

    if (!path)
        return NULL;
    *path = 0;
    names++;
    if (hierarchy->is_unified ? *names != 0
                              : !(controllers_of_options(names) & hierarchy->controllers))
        return NULL;
    return path + 1;
}

/* Below what the mount shows; "/.." is what the kernel says of groups outside of a namespace. */
static char *path_below_mount(const CgroupHierarchy *hierarchy, const char *path)
{
    size_t length = strcmp(hierarchy->root, "/") ? strlen(hierarchy->root) : 0;

    if (strncmp(path, hierarchy->root, length) || (path[length] && path[length] != '/') ||
        g_str_has_prefix(path, "/.."))
        return NULL;
    return g_build_filename(hierarchy->mount, path + length, NULL);
}

char *cgroup_of_process(const HostRoots *roots, const CgroupHierarchy *hierarchy, int pid)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!host_file_read(roots->proc, HOST_FILE_LIMIT, &text, NULL, NULL, "%d/cgroup", pid))
        return NULL;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *path = path_in_line(hierarchy, *line);

        if (path)
            return path_below_mount(hierarchy, path);
    }
    return NULL;
}

bool cgroup_controllers_from_names(char *const *names, unsigned *ret_controllers,
                                   const char **ret_unknown)
{
    unsigned found = 0;

    for (char *const *name = names; name && *name; name++) {
        unsigned one = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(controllers); i++) {
            if (strcmp(*name, controllers[i].name) == 0)
                one = controllers[i].controllers;
        }
        if (!one) {
            *ret_unknown = *name;
            return false;
        }
        found |= one;
    }
    *ret_controllers = names ? found : CGROUP_ALL;
    return true;
}
