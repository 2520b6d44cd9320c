#include "virtnodedevd/pci_assign.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/offload.h"
#include "fiber/process.h"
#include "virtnodedevd/sysfs_write.h"

/* A driver may take a while to bind. */
#define BIND_DEADLINE_MS 5000
#define LOOK_AGAIN_MS 20
#define MODPROBE_DEADLINE_MS 30000

bool pci_driver_is_vfio(const char *driver)
{
    return driver && (g_str_equal(driver, "vfio-pci") || strstr(driver, "vfio") != NULL);
}

bool pci_can_assign(const SysRoots *roots)
{
    g_autofree char *dir = g_build_filename(roots->sys, "kernel/iommu_groups", NULL);
    g_autoptr(GPtrArray) groups = sys_list_dir(dir);

    return groups->len > 0;
}

/* The first of @nodes that the process has open, borrowed; NULL when there is none. */
static const char *find_open(const char *process, const GPtrArray *nodes)
{
    g_autofree char *dir = g_build_filename("/proc", process, "fd", NULL);
    g_autoptr(GPtrArray) fds = sys_list_dir(dir);

    for (guint f = 0; f < fds->len; f++) {
        g_autofree char *fd = g_build_filename(dir, fds->pdata[f], NULL);
        char target[PATH_MAX];
        ssize_t length = readlink(fd, target, sizeof(target) - 1);

        for (guint n = 0; length > 0 && n < nodes->len; n++) {
            const char *node = nodes->pdata[n];

            if ((size_t)length == strlen(node) && memcmp(target, node, (size_t)length) == 0)
                return node;
        }
    }
    return NULL;
}

/* The process that has one of @nodes open, 0 when there is none that can be looked into: one of
 * another user cannot, without a capability that the daemon does not have. */
static int find_user(const GPtrArray *nodes, const char **ret_node)
{
    g_autoptr(GPtrArray) processes = sys_list_dir("/proc");

    for (guint i = 0; i < processes->len; i++) {
        const char *process = processes->pdata[i];
        const char *node = g_ascii_isdigit(*process) ? find_open(process, nodes) : NULL;

        if (node) {
            *ret_node = node;
            return (int)g_ascii_strtoll(process, NULL, 10);
        }
    }
    return 0;
}

/* A group can be opened once at a time (kernel: Documentation/driver-api/vfio.rst), and not while
 * iommufd has a device of it, which tells of processes that cannot be looked into. Opening the
 * device's own node would tell nothing: it can be opened by many. */
static bool is_open(const char *node)
{
    int fd = open(node, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return errno == EBUSY;
    close(fd);
    return false;
}

/* By what processes use a device: its group's node, and the nodes that iommufd knows devices by.
 * The host cannot have one device of a group while a guest has another. */
static GPtrArray *list_nodes(const SysDevice *device, const char *group)
{
    GPtrArray *nodes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) members = sys_list(device, "iommu_group/devices");

    g_ptr_array_add(nodes, g_build_filename("/dev/vfio", group, NULL));
    for (guint m = 0; m < members->len; m++) {
        g_autofree char *folder = g_build_filename("iommu_group/devices", members->pdata[m],
                                                   "vfio-dev", NULL);
        g_autoptr(GPtrArray) names = sys_list(device, folder);

        for (guint i = 0; i < names->len; i++)
            g_ptr_array_add(nodes, g_build_filename("/dev/vfio/devices", names->pdata[i], NULL));
    }
    return nodes;
}

/* The kernel would wait for a guest to give the device back, for as long as it runs. */
static bool check_unused(const SysDevice *device, GError **error)
{
    g_autofree char *group = sys_link_name(device, "iommu_group");
    g_autoptr(GPtrArray) nodes = group ? list_nodes(device, group) : NULL;
    const char *node = nodes ? nodes->pdata[0] : NULL;
    int user = nodes ? find_user(nodes, &node) : 0;

    if (user != 0)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "PCI device %s is in use: process %d has %s of its IOMMU group open",
                          device->name, user, node);
    if (node && is_open(node))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "PCI device %s is in use: a process has its IOMMU group %s open",
                          device->name, group);
    return true;
}

/* What a thread does to one device. */
typedef struct Job {
    const SysRoots *roots;
    const char *path;
    const char *driver; /* to bind to; NULL: whichever the kernel finds */
    bool is_bound;      /* out: already, nothing is to be done or waited for */
    /* Out, when it is taken from its driver: as it was before; NULL: there was none. */
    bool is_taken;
    char *old_driver, *old_override;
} Job;

static bool fail_gone(const char *path, GError **error)
{
    return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_NO_NODE_DEVICE, "no PCI device at %s", path);
}

static bool write_attr(const SysDevice *device, const char *name, const char *text, GError **error)
{
    g_autofree char *file = g_build_filename(device->dir, name, NULL);

    return sysfs_write(file, text, error);
}

/* Takes it from its driver and lets the kernel look for another, which the override decides. */
static bool rebind(const SysDevice *device, const char *override, GError **error)
{
    g_autofree char *probe = g_build_filename(device->roots->sys, "bus/pci/drivers_probe", NULL);

    return write_attr(device, "driver_override", override, error) &&
           (!device->driver || write_attr(device, "driver/unbind", device->name, error)) &&
           sysfs_write(probe, device->name, error);
}

/* The kernel shows one that is not set as a null pointer. */
static char *read_override(const SysDevice *device)
{
    g_autofree char *override = sys_attr(device, "driver_override");

    return g_strcmp0(override, "(null)") == 0 ? NULL : g_steal_pointer(&override);
}

static bool detach_job(void *data, GError **error)
{
    Job *job = data;
    g_autoptr(SysDevice) device = sys_device_open(job->roots, job->path);

    if (!device)
        return fail_gone(job->path, error);
    if (!sys_has(device, "iommu_group"))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "PCI device %s is in no IOMMU group: it cannot be given to a guest",
                          device->name);
    job->is_bound = g_strcmp0(device->driver, job->driver) == 0;
    if (job->is_bound)
        return true;
    job->is_taken = true;
    job->old_driver = g_strdup(device->driver);
    job->old_override = read_override(device);
    return rebind(device, job->driver, error);
}

/* The driver that it had is named: which one the kernel would find may have changed since. One
 * that has bound at last stays. */
static bool give_back_job(void *data, GError **error)
{
    Job *job = data;
    g_autoptr(SysDevice) device = sys_device_open(job->roots, job->path);
    g_autofree char *bind = NULL;

    if (!device)
        return fail_gone(job->path, error);
    job->is_bound = g_strcmp0(device->driver, job->driver) == 0;
    if (job->is_bound)
        return true;
    if (!write_attr(device, "driver_override", job->old_override ? job->old_override : "\n", error))
        return false;
    if (!job->old_driver || device->driver)
        return true;
    bind = g_build_filename(job->roots->sys, "bus/pci/drivers", job->old_driver, "bind", NULL);
    return sysfs_write(bind, device->name, error);
}

static bool reattach_job(void *data, GError **error)
{
    Job *job = data;
    g_autoptr(SysDevice) device = sys_device_open(job->roots, job->path);

    if (!device)
        return fail_gone(job->path, error);
    job->is_bound = !pci_driver_is_vfio(device->driver);
    return job->is_bound || (check_unused(device, error) && rebind(device, "\n", error));
}

static bool has_driver(void *data, GError **error)
{
    Job *job = data;
    g_autoptr(SysDevice) device = sys_device_open(job->roots, job->path);

    if (!device)
        return fail_gone(job->path, error);
    job->is_bound = job->driver ? g_strcmp0(device->driver, job->driver) == 0
                                : !pci_driver_is_vfio(device->driver);
    return true;
}

/* Drivers bind in their own time. The error is half a sentence about the device. */
static bool wait_bound(Job *job, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(BIND_DEADLINE_MS);

    for (;;) {
        if (!fiber_offload(has_driver, job, error))
            return false;
        if (job->is_bound)
            return true;
        if (fiber_now_us() > deadline_us)
            return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_FAILED,
                              "it did not bind in %d s", BIND_DEADLINE_MS / 1000);
        if (!fiber_sleep(LOOK_AGAIN_MS * 1000, error))
            return false;
    }
}

/* A driver that is built in, or loaded, is there already; one that cannot be loaded will not
 * bind, which is said then. */
static bool load_driver(const SysRoots *roots, const char *driver, GError **error)
{
    g_autofree char *dir = g_build_filename(roots->sys, "bus/pci/drivers", driver, NULL);
    const char *const argv[] = { "modprobe", "--", driver, NULL };
    g_auto(ProcessResult) result = { 0 };
    ProcessSpec spec = { .argv = argv, .deadline_us = fiber_deadline_ms(MODPROBE_DEADLINE_MS) };

    if (access(dir, F_OK) == 0)
        return true;
    if (process_run(&spec, &result, NULL) && access(dir, F_OK) == 0)
        return true;
    return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_FAILED,
                      "the kernel's driver %s cannot be loaded%s%s", driver,
                      result.error_output && result.error_output->len ? ": " : "",
                      result.error_output ? g_strstrip(result.error_output->str) : "");
}

/* A device that no guest can have is the host's again. */
static bool give_back(Job *job, const GError *reason, GError **error)
{
    g_autofree char *name = g_path_get_basename(job->path);
    g_autoptr(GError) trouble = NULL;

    if (fiber_offload(give_back_job, job, &trouble) && job->is_bound)
        return true;
    if (trouble)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_FAILED,
                          "PCI device %s cannot be bound to %s (%s), nor given back to %s: %s",
                          name, job->driver, error_detail(reason),
                          job->old_driver ? job->old_driver : "the host", error_detail(trouble));
    return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_FAILED,
                      "PCI device %s cannot be bound to %s, and is as it was before: %s", name,
                      job->driver, error_detail(reason));
}

static bool detach(Job *job, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (fiber_offload(detach_job, job, &reason) && (job->is_bound || wait_bound(job, &reason)))
        return true;
    if (job->is_taken)
        return give_back(job, reason, error);
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

bool pci_detach(const SysRoots *roots, const char *path, const char *driver, GError **error)
{
    Job job = { .roots = roots, .path = path, .driver = driver };
    bool is_done = load_driver(roots, driver, error) && detach(&job, error);

    g_free(job.old_driver);
    g_free(job.old_override);
    return is_done;
}

bool pci_reattach(const SysRoots *roots, const char *path, GError **error)
{
    Job job = { .roots = roots, .path = path };
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GError) reason = NULL;

    if (!fiber_offload(reattach_job, &job, error))
        return false;
    return job.is_bound || wait_bound(&job, &reason) ||
           error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_FAILED,
                      "PCI device %s cannot be given back to a driver of the host: %s", name,
                      error_detail(reason));
}

static bool reset_job(void *data, GError **error)
{
    Job *job = data;
    g_autoptr(SysDevice) device = sys_device_open(job->roots, job->path);

    if (!device)
        return fail_gone(job->path, error);
    if (device->driver && !pci_driver_is_vfio(device->driver))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "PCI device %s is in use by the host's driver %s", device->name,
                          device->driver);
    if (!sys_has(device, "reset"))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR,
                          "Unable to reset PCI device %s: no FLR, PM reset or bus reset available",
                          device->name);
    return check_unused(device, error) && write_attr(device, "reset", "1", error);
}

bool pci_reset(const SysRoots *roots, const char *path, GError **error)
{
    Job job = { .roots = roots, .path = path };

    return fiber_offload(reset_job, &job, error);
}
