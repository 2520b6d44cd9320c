/* Making and removing groups is making and removing folders; what a group is told is written to
 * files in it, each value in one write. */
#include "virtqemud/host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define PARTITION_SUFFIX ".partition"
#define CONSUMER_SUFFIX ".libvirt-qemu"
#define EMULATOR "emulator"
/* Below a scope, whose own group is systemd's. */
#define SCOPE_FOLDER "libvirt"
#define FOLDER_MODE 0755
#define REMOVE_AGAIN_US (2 * 1000)

static void folder_free(void *data)
{
    CgroupFolder *folder = data;

    g_free(folder->path);
    g_free(folder);
}

static Cgroup *cgroup_alloc(GPtrArray *hierarchies)
{
    Cgroup *cgroup = g_atomic_rc_box_new0(Cgroup);

    g_mutex_init(&cgroup->lock);
    cgroup->hierarchies = hierarchies;
    cgroup->folders = g_ptr_array_new_with_free_func(folder_free);
    return cgroup;
}

static void cgroup_clear(void *data)
{
    Cgroup *cgroup = data;

    g_ptr_array_unref(cgroup->folders);
    g_ptr_array_unref(cgroup->hierarchies);
    g_mutex_clear(&cgroup->lock);
}

Cgroup *cgroup_ref(Cgroup *cgroup)
{
    return g_atomic_rc_box_acquire(cgroup);
}

void cgroup_unref(Cgroup *cgroup)
{
    if (cgroup)
        g_atomic_rc_box_release_full(cgroup, cgroup_clear);
}

/* Version 2 shows where a process belongs even where version 1 has all controllers. */
static bool is_wanted(const CgroupHierarchy *hierarchy, unsigned controllers)
{
    return hierarchy->controllers & controllers || (hierarchy->is_unified && controllers);
}

/* @path is taken. */
static void add_folder(Cgroup *cgroup, const CgroupHierarchy *hierarchy, unsigned controllers,
                       char *path)
{
    CgroupFolder *folder = g_new0(CgroupFolder, 1);

    folder->path = path;
    folder->mount = hierarchy->mount;
    folder->controllers = hierarchy->controllers & controllers;
    folder->is_unified = hierarchy->is_unified;
    folder->sorts_threads = hierarchy->is_unified || folder->controllers & CGROUP_OF_THREADS;
    g_ptr_array_add(cgroup->folders, folder);
}

/* "/machine/testing" is machine/testing.partition: only the default has no suffix. */
static char *partition_folder(const char *partition)
{
    g_auto(GStrv) parts = g_strsplit(partition, "/", -1);
    GString *path = g_string_new(NULL);

    for (char **part = parts; *part; part++) {
        if (!**part)
            continue;
        if (path->len)
            g_string_append_c(path, '/');
        g_string_append(path, *part);
        if (path->len != strlen(*part) || strcmp(*part, &CGROUP_PARTITION_DEFAULT[1]))
            g_string_append(path, PARTITION_SUFFIX);
    }
    return g_string_free(path, FALSE);
}

Cgroup *cgroup_new(GPtrArray *hierarchies, unsigned controllers, const char *partition,
                   const char *name, GError **error)
{
    g_autoptr(Cgroup) cgroup = cgroup_alloc(hierarchies);
    g_autofree char *above = NULL;
    g_autofree char *own = g_strconcat(name, CONSUMER_SUFFIX, NULL);

    if (*partition != '/') {
        error_set(error, VIR_FROM_CGROUP, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Resource partition '%s' must start with '/'", partition);
        return NULL;
    }
    above = partition_folder(partition);
    for (guint i = 0; i < hierarchies->len; i++) {
        const CgroupHierarchy *hierarchy = hierarchies->pdata[i];

        if (is_wanted(hierarchy, controllers))
            add_folder(cgroup, hierarchy, controllers,
                       g_build_filename(hierarchy->mount, above, own, NULL));
    }
    return g_steal_pointer(&cgroup);
}

Cgroup *cgroup_new_in_scope(const HostRoots *roots, GPtrArray *hierarchies, unsigned controllers,
                            pid_t pid, const char *scope)
{
    Cgroup *cgroup = cgroup_alloc(hierarchies);

    for (guint i = 0; i < hierarchies->len; i++) {
        const CgroupHierarchy *hierarchy = hierarchies->pdata[i];
        g_autofree char *path = cgroup_of_process(roots, hierarchy, pid);
        char *end = path ? strstr(path, scope) : NULL;

        /* systemd leaves controllers alone that it does not know: cpuset of version 1. */
        if (!end || !is_wanted(hierarchy, controllers))
            continue;
        end[strlen(scope)] = 0;
        add_folder(cgroup, hierarchy, controllers, g_build_filename(path, SCOPE_FOLDER, NULL));
    }
    return cgroup;
}

/* ---- Files of a group ---- */

static bool write_value(const char *folder, const char *file, const char *value, GError **error)
{
    return host_file_write(folder, value, error, "%s", file);
}

/* Like its parent's, if it has none yet: a group without processors takes no process. */
static bool inherit_value(const char *path, const char *file, GError **error)
{
    g_autofree char *above = g_path_get_dirname(path);
    g_autofree char *value = NULL;
    g_autofree char *inherited = NULL;

    if (!host_file_read(path, HOST_FILE_LIMIT, &value, NULL, error, "%s", file))
        return false;
    if (*g_strstrip(value))
        return true;
    return host_file_read(above, HOST_FILE_LIMIT, &inherited, NULL, error, "%s", file) &&
           write_value(path, file, g_strstrip(inherited), error);
}

static bool make_group(const CgroupFolder *folder, const char *path, GError **error)
{
    if (mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST) {
        error_set_errno(error, VIR_FROM_CGROUP, errno, "cannot make the control group %s", path);
        return false;
    }
    return folder->is_unified || !(folder->controllers & CGROUP_CPUSET) ||
           (inherit_value(path, "cpuset.cpus", error) && inherit_value(path, "cpuset.mems", error));
}

/* Lets the groups below have what this one has. As far as it goes: a controller that processes
 * above stand in the way of is not there for guests. */
static void pass_down(const char *path, unsigned controllers)
{
    static const struct {
        unsigned controller;
        const char *word;
    } words[] = {
        { CGROUP_CPU, "+cpu" }, { CGROUP_CPUSET, "+cpuset" },
        { CGROUP_MEMORY, "+memory" }, { CGROUP_BLKIO, "+io" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (controllers & words[i].controller)
            write_value(path, "cgroup.subtree_control", words[i].word, NULL);
    }
}

/* The group for threads of one kind. In version 2 it is "threaded", which makes the guest's group
 * the one for what is not counted by thread (kernel, admin-guide/cgroup-v2.rst, "Threads"). */
static bool make_thread_group(const CgroupFolder *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder->path, name, NULL);
    g_autofree char *type = NULL;

    if (!make_group(folder, path, error))
        return false;
    if (!folder->is_unified)
        return true;
    /* One that is threaded already takes no second time. */
    return (host_file_read(path, HOST_FILE_LIMIT, &type, NULL, error, "cgroup.type") &&
            g_str_has_prefix(type, "threaded")) ||
           write_value(path, "cgroup.type", "threaded", error);
}

/* The default partition is made, from the mount downwards. */
static bool make_partition(const CgroupFolder *folder, GError **error)
{
    g_autofree char *above = g_path_get_dirname(folder->path);
    g_autofree char *usual = g_build_filename(folder->mount, CGROUP_PARTITION_DEFAULT, NULL);

    if (folder->is_unified)
        pass_down(folder->mount, folder->controllers);
    if (strcmp(above, usual) == 0 && !make_group(folder, above, error))
        return false;
    if (access(above, F_OK) < 0) {
        error_set_errno(error, VIR_FROM_CGROUP, errno,
                        "cannot use the partition: there is no control group %s", above);
        return false;
    }
    if (folder->is_unified)
        pass_down(above, folder->controllers);
    return true;
}

static bool make_folder(const CgroupFolder *folder, GError **error)
{
    if (!make_group(folder, folder->path, error))
        return false;
    if (!folder->sorts_threads)
        return true;
    if (!make_thread_group(folder, EMULATOR, error))
        return false;
    if (folder->is_unified)
        pass_down(folder->path, folder->controllers & (CGROUP_CPU | CGROUP_CPUSET));
    return true;
}

static bool may_write(const CgroupFolder *folder)
{
    g_autofree char *above = g_path_get_dirname(folder->path);

    return access(access(above, F_OK) == 0 ? above : folder->mount, W_OK) == 0;
}

/* With the lock held. */
static bool may_make(const Cgroup *cgroup, GError **error)
{
    if (!g_atomic_int_get(&cgroup->is_ending))
        return true;
    error_set(error, VIR_FROM_CGROUP, VIR_ERR_OPERATION_ABORTED, "the guest is being ended");
    return false;
}

bool cgroup_make(Cgroup *cgroup, bool skips_forbidden, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cgroup->lock);

    if (!may_make(cgroup, error))
        return false;
    for (guint i = 0; i < cgroup->folders->len;) {
        const CgroupFolder *folder = cgroup->folders->pdata[i];

        if (skips_forbidden && !may_write(folder)) {
            g_ptr_array_remove_index(cgroup->folders, i);
            continue;
        }
        if (!make_partition(folder, error) || !make_folder(folder, error))
            return false;
        i++;
    }
    return true;
}

bool cgroup_make_in_scope(Cgroup *cgroup, pid_t pid, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cgroup->lock);
    g_autofree char *number = g_strdup_printf("%d", (int)pid);

    if (!may_make(cgroup, error))
        return false;
    for (guint i = 0; i < cgroup->folders->len; i++) {
        const CgroupFolder *folder = cgroup->folders->pdata[i];
        g_autofree char *above = g_path_get_dirname(folder->path);

        if (!make_group(folder, folder->path, error) ||
            !write_value(folder->path, "cgroup.procs", number, error))
            return false;
        if (folder->is_unified)
            pass_down(above, folder->controllers);
        if (!make_folder(folder, error))
            return false;
        if (folder->sorts_threads &&
            !host_file_write(folder->path, number, error, EMULATOR "/cgroup.procs"))
            return false;
    }
    return true;
}

bool cgroup_join(Cgroup *cgroup, pid_t pid, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cgroup->lock);
    g_autofree char *number = g_strdup_printf("%d", (int)pid);

    for (guint i = 0; i < cgroup->folders->len && !g_atomic_int_get(&cgroup->is_ending); i++) {
        const CgroupFolder *folder = cgroup->folders->pdata[i];
        g_autoptr(GError) reason = NULL;

        if (write_value(folder->path,
                        folder->sorts_threads ? EMULATOR "/cgroup.procs" : "cgroup.procs", number,
                        &reason))
            continue;
        if (errno == ESRCH)
            return true;
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    return true;
}

bool cgroup_allow_devices(const Cgroup *cgroup, char *const *devices, bool *ret_is_done,
                          GError **error)
{
    *ret_is_done = false;
    for (guint i = 0; i < cgroup->folders->len; i++) {
        const CgroupFolder *folder = cgroup->folders->pdata[i];

        if (!(folder->controllers & CGROUP_DEVICES) || folder->is_unified)
            continue;
        if (!write_value(folder->path, "devices.deny", "a", error))
            return false;
        for (char *const *device = devices; *device; device++) {
            if (!write_value(folder->path, "devices.allow", *device, error))
                return false;
        }
        *ret_is_done = true;
    }
    return true;
}

/* ESRCH: the thread has ended. */
static bool move_thread(const CgroupFolder *folder, const char *group, pid_t thread,
                        GError **error)
{
    g_autofree char *number = g_strdup_printf("%d", (int)thread);
    g_autofree char *file = g_strconcat(
        group, folder->is_unified ? "/cgroup.threads" : "/tasks", NULL);
    g_autoptr(GError) reason = NULL;

    if (write_value(folder->path, file, number, &reason) || errno == ESRCH)
        return true;
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

/* One step, so that the end of the guest waits for no more than that. */
static bool sort_thread(Cgroup *cgroup, const CgroupFolder *folder, size_t number, pid_t thread,
                        GError **error)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cgroup->lock);
    g_autofree char *group = g_strdup_printf("vcpu%zu", number);

    return g_atomic_int_get(&cgroup->is_ending) ||
           (make_thread_group(folder, group, error) && move_thread(folder, group, thread, error));
}

bool cgroup_sort_threads(Cgroup *cgroup, const pid_t *vcpus, size_t n_vcpus, GError **error)
{
    for (guint i = 0; i < cgroup->folders->len; i++) {
        const CgroupFolder *folder = cgroup->folders->pdata[i];

        for (size_t j = 0; folder->sorts_threads && j < n_vcpus; j++) {
            if (!sort_thread(cgroup, folder, j, vcpus[j], error))
                return false;
        }
    }
    return true;
}

void cgroup_stop_sorting(Cgroup *cgroup)
{
    g_atomic_int_set(&cgroup->is_ending, 1);
}

/* ---- The end ---- */

/* Groups of threads have none below them. Files vanish with their folder. */
static void remove_thread_groups(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        /* Only folders have it. */
        if (!strchr(name, '.'))
            g_rmdir(inner);
    }
}

/* The first folder that stays, NULL: none; to be freed. */
static char *remove_folders(const Cgroup *cgroup)
{
    char *left = NULL;

    for (guint i = 0; i < cgroup->folders->len; i++) {
        const CgroupFolder *folder = cgroup->folders->pdata[i];

        if (g_rmdir(folder->path) == 0 || errno == ENOENT)
            continue;
        remove_thread_groups(folder->path);
        if (g_rmdir(folder->path) == 0 || errno == ENOENT || left)
            continue;
        left = g_strdup(folder->path);
    }
    return left;
}

bool cgroup_remove(Cgroup *cgroup, gint64 deadline_us, char **ret_path)
{
    G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cgroup->lock);

    g_atomic_int_set(&cgroup->is_ending, 1);
    while ((*ret_path = remove_folders(cgroup)) && g_get_monotonic_time() < deadline_us) {
        g_free(*ret_path);
        g_usleep(REMOVE_AGAIN_US);
    }
    return !*ret_path;
}
