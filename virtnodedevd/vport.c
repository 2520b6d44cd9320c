#include "virtnodedevd/vport.h"

#include "base/error.h"
#include "fiber/offload.h"
#include "virtnodedevd/changes.h"
#include "virtnodedevd/fc_host.h"
#include "virtnodedevd/sysfs_write.h"
#include "wire/api_nodedev.h"

/* A host logs in to its fabric before it comes. */
#define APPEAR_DEADLINE_MS 10000
#define LOOK_AGAIN_MS 100

static bool can_have_vports(const Device *device)
{
    return device->seen->traits & VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS;
}

static bool is_called(const char *name, const char *wanted)
{
    return name && g_ascii_strcasecmp(name, wanted) == 0;
}

static bool is_wanted(const Device *device, const DeviceRequest *request)
{
    const Sighting *seen = device->seen;

    if (request->parent)
        return g_str_equal(seen->name, request->parent);
    if (request->parent_wwnn && request->parent_wwpn)
        return is_called(seen->wwnn, request->parent_wwnn) &&
               is_called(seen->wwpn, request->parent_wwpn);
    if (request->parent_fabric)
        return is_called(seen->fabric, request->parent_fabric) && can_have_vports(device);
    return can_have_vports(device);
}

static const Device *find_parent(const Driver *driver, const DeviceRequest *request,
                                 GError **error)
{
    bool is_named = request->parent || request->parent_wwnn || request->parent_fabric;

    for (GList *link = device_table_first(driver->devices); link; link = link->next) {
        const Device *device = link->data;

        if (is_wanted(device, request) && can_have_vports(device))
            return device;
    }
    error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR, "%s",
              is_named ? "Could not find parent device for 'new device'"
                       : "Could not find any vport capable device");
    return NULL;
}

/* For the thread: all of it is its own. */
typedef struct PortCommand {
    const SysRoots *roots;
    char *path;       /* of the parent */
    const char *file; /* "vport_create" */
    char *text;       /* "WWPN:WWNN" */
} PortCommand;

static bool write_command(void *data, GError **error)
{
    const PortCommand *command = data;
    g_autoptr(SysDevice) host = sys_device_open(command->roots, command->path);
    g_autofree char *file = host ? fc_host_vport_file(host, command->file) : NULL;

    if (!file)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR,
                          "the host at %s has no virtual ports any more", command->path);
    return sysfs_write(file, command->text, error);
}

static bool run_command(const Driver *driver, const char *path, const char *file, const char *wwnn,
                        const char *wwpn, GError **error)
{
    PortCommand command = {
        .roots = driver->roots,
        .path = g_strdup(path),
        .file = file,
        .text = g_strdup_printf("%s:%s", wwpn, wwnn),
    };
    bool is_done = fiber_offload(write_command, &command, error);

    g_free(command.path);
    g_free(command.text);
    return is_done;
}

/* Locally administered, of the extended kind (NAA 2: twelve bits of a vendor's, then an address
 * as network cards have it). */
static char *random_name(unsigned vendor_bits)
{
    return g_strdup_printf("2%03x02%02x%08x", vendor_bits, g_random_int() & 0xff, g_random_int());
}

/* The new host's event may come before its names can be read. */
static bool wait_for_host(Driver *driver, const char *wwnn, const char *wwpn, char **ret_name,
                          GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(APPEAR_DEADLINE_MS);

    for (;;) {
        const Device *host;

        if (!changes_look_at_all(driver, error))
            return false;
        host = device_table_find_host(driver->devices, wwnn, wwpn);
        if (host) {
            *ret_name = g_strdup(device_name(host));
            return true;
        }
        if (fiber_now_us() > deadline_us)
            return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_TIMEOUT,
                              "no host with wwnn '%s' and wwpn '%s' has come", wwnn, wwpn);
        if (!fiber_sleep(LOOK_AGAIN_MS * 1000, error))
            return false;
    }
}

bool vport_create(Driver *driver, const DeviceRequest *request, char **ret_name, GError **error)
{
    const Device *parent = find_parent(driver, request, error);
    g_autofree char *wwnn = request->wwnn ? g_strdup(request->wwnn) : random_name(0);
    g_autofree char *wwpn = request->wwpn ? g_strdup(request->wwpn) : random_name(1);

    if (!parent)
        return false;
    if (device_table_find_host(driver->devices, wwnn, wwpn))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_FAILED,
                          "a host with wwnn '%s' and wwpn '%s' exists already", wwnn, wwpn);
    return run_command(driver, parent->seen->path, "vport_create", wwnn, wwpn, error) &&
           wait_for_host(driver, wwnn, wwpn, ret_name, error);
}

/* The host above it that can have ports; what is between them are the port's own folders. */
static const Device *find_maker(const Driver *driver, const Device *host)
{
    g_autofree char *path = g_path_get_dirname(host->seen->path);

    while (path[1] != '\0') {
        const Device *above = device_table_find_path(driver->devices, path);
        char *up;

        if (above)
            return can_have_vports(above) ? above : NULL;
        up = g_path_get_dirname(path);
        g_free(path);
        path = up;
    }
    return NULL;
}

bool vport_delete(Driver *driver, const Device *host, GError **error)
{
    const Device *maker = device_is_active(host) ? find_maker(driver, host) : NULL;
    g_autofree char *wwnn = g_strdup(host->seen->wwnn);
    g_autofree char *wwpn = g_strdup(host->seen->wwpn);

    if (!maker)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_CONFIG_UNSUPPORTED,
                          "Unsupported device type");
    return run_command(driver, maker->seen->path, "vport_delete", wwnn, wwpn, error) &&
           changes_look_at_all(driver, error);
}
