/* Making devices and ending them: mediated ones by mdevctl, virtual ports by sysfs. Everything
 * that mdevctl does is seen by its list and by the kernel's files afterwards, not taken for
 * granted. */
#include "virtnodedevd/procedures.h"

#include <string.h>

#include "base/error.h"
#include "virtnodedevd/changes.h"
#include "virtnodedevd/definitions.h"
#include "virtnodedevd/device_xml.h"
#include "virtnodedevd/events.h"
#include "virtnodedevd/mdevctl.h"
#include "virtnodedevd/vport.h"
#include "wire/api_nodedev.h"
#include "wire/remote.h"
#include "wire/remote_nodedev.h"

static bool fail_type(GError **error)
{
    return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_CONFIG_UNSUPPORTED,
                      "Unsupported device type");
}

static bool fail_host(GError **error)
{
    return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR,
                      "Device is not a fibre channel HBA");
}

/* Fills in the parent as the kernel calls it. Errors: CONFIG_UNSUPPORTED when there is none. */
static bool find_mdev_parent(const Driver *driver, const DeviceRequest *request, GError **error)
{
    const Device *parent;
    const char *slash;

    if (!request->parent)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_CONFIG_UNSUPPORTED,
                          "missing parent device");
    parent = device_table_find(driver->devices, request->parent);
    slash = parent && parent->seen->path && kind_can_have_mdevs(parent->seen->kind)
                ? strrchr(parent->seen->path, '/')
                : NULL;
    if (!slash)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_CONFIG_UNSUPPORTED,
                          "invalid parent device '%s'", request->parent);
    g_free(request->mdev->parent);
    request->mdev->parent = g_strdup(slash + 1);
    return true;
}

/* Where the kernel shows it when it is active; NULL when its parent is gone. */
static char *mdev_path(const Driver *driver, const MdevConfig *config)
{
    const Device *parent = device_table_find_address(driver->devices, config->parent);

    return parent ? g_build_filename(parent->seen->path, config->uuid, NULL) : NULL;
}

/* Looks whether it is there now. */
static bool look_at_mdev(Driver *driver, const MdevConfig *config, GError **error)
{
    g_autofree char *path = mdev_path(driver, config);

    return !path || changes_look_at(driver, path, error);
}

/* One run of mdevctl at a time; it ends by its deadline, and so does this wait. */
typedef bool (*MdevctlFunc)(MdevConfig *config, GError **error);

static bool run_mdevctl(Driver *driver, MdevctlFunc func, MdevConfig *config, GError **error)
{
    bool is_done;

    if (!fiber_mutex_lock(&driver->mdevctl, FIBER_FOREVER, error))
        return false;
    is_done = func(config, error);
    fiber_mutex_unlock(&driver->mdevctl);
    return is_done;
}

static bool name_in_table(const Driver *driver, const MdevConfig *config, char **ret_name,
                          GError **error)
{
    g_autofree char *name = mdev_config_name(config);

    if (!device_table_find(driver->devices, name))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR,
                          "mediated device '%s' was made, but is not there", name);
    *ret_name = g_steal_pointer(&name);
    return true;
}

static bool start_mdev(Driver *driver, DeviceRequest *request, char **ret_name, GError **error)
{
    return find_mdev_parent(driver, request, error) &&
           run_mdevctl(driver, mdevctl_start_transient, request->mdev, error) &&
           look_at_mdev(driver, request->mdev, error) &&
           name_in_table(driver, request->mdev, ret_name, error);
}

static bool create_xml(Call *call, const remote_node_device_create_xml_args *args,
                       remote_node_device_create_xml_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(DeviceRequest) request = NULL;

    if (!driver || !nodedev_check_flags("nodeDeviceCreateXML", args->flags,
                                        VIR_NODE_DEVICE_CREATE_XML_VALIDATE, error))
        return false;
    request = device_request_parse(args->xml_desc, args->flags != 0, error);
    if (!request)
        return false;
    switch (request->kind) {
    case REQUEST_MDEV:
        return start_mdev(driver, request, &ret->dev.name, error);
    case REQUEST_VPORT:
        return vport_create(driver, request, &ret->dev.name, error);
    case REQUEST_PLAIN_HOST:
        return fail_host(error);
    default:
        return fail_type(error);
    }
}

/* What @device is defined as becomes @config. */
static bool modify_definition(Driver *driver, const Device *device, const MdevConfig *config,
                              GError **error)
{
    g_autoptr(MdevConfig) old = mdev_config_copy(device->config);
    bool is_done;

    if (!fiber_mutex_lock(&driver->mdevctl, FIBER_FOREVER, error))
        return false;
    is_done = mdevctl_modify(old, config, error);
    fiber_mutex_unlock(&driver->mdevctl);
    /* What was done of it counts, also when not all of it could be. */
    return definitions_refresh(driver, is_done ? error : NULL) && is_done;
}

/* One that is defined already is changed (manual: virsh, nodedev-define). */
static bool define_mdev(Driver *driver, MdevConfig *config, GError **error)
{
    g_autofree char *name = config->uuid ? mdev_config_name(config) : NULL;
    g_autoptr(Device) defined = name ? device_table_find(driver->devices, name) : NULL;

    if (defined)
        device_ref(defined);
    if (!defined || !defined->config)
        return run_mdevctl(driver, mdevctl_define, config, error) &&
               definitions_refresh(driver, error);
    config->is_autostarted = defined->config->is_autostarted;
    return modify_definition(driver, defined, config, error);
}

static bool define_xml(Call *call, const remote_node_device_define_xml_args *args,
                       remote_node_device_define_xml_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(DeviceRequest) request = NULL;

    if (!driver || !nodedev_check_flags("nodeDeviceDefineXML", args->flags,
                                        VIR_NODE_DEVICE_DEFINE_XML_VALIDATE, error))
        return false;
    request = device_request_parse(args->xml_desc, args->flags != 0, error);
    if (!request)
        return false;
    if (request->kind != REQUEST_MDEV)
        return fail_type(error);
    return find_mdev_parent(driver, request, error) &&
           define_mdev(driver, request->mdev, error) &&
           name_in_table(driver, request->mdev, &ret->dev.name, error);
}

/* The device of a call that changes a mediated one. */
static Device *get_mdev(Call *call, const char *name, Driver **ret_driver, GError **error)
{
    g_autoptr(Device) device = call_get_device(call, name, ret_driver, error);

    if (!device)
        return NULL;
    if (device->seen->kind == mdev_kind)
        return g_steal_pointer(&device);
    fail_type(error);
    return NULL;
}

static bool adapt_undefine(MdevConfig *config, GError **error)
{
    return mdevctl_undefine(config, error);
}

static bool undefine(Call *call, const remote_node_device_undefine_args *args, none *ret,
                     GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = NULL;
    g_autoptr(MdevConfig) config = NULL;

    if (!nodedev_check_flags("nodeDeviceUndefine", args->flags, 0, error))
        return false;
    device = call_get_device(call, args->name, &driver, error);
    if (!device)
        return false;
    if (!device_is_persistent(device))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "Node device '%s' is not defined", args->name);
    if (!device->config)
        return fail_type(error);
    config = mdev_config_copy(device->config);
    return run_mdevctl(driver, adapt_undefine, config, error) &&
           definitions_refresh(driver, error);
}

static bool adapt_start(MdevConfig *config, GError **error)
{
    return mdevctl_start(config, error);
}

/* Starts a device that is defined. */
static bool create(Call *call, const remote_node_device_create_args *args, none *ret,
                   GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = NULL;
    g_autoptr(MdevConfig) config = NULL;

    if (!nodedev_check_flags("nodeDeviceCreate", args->flags, 0, error))
        return false;
    device = call_get_device(call, args->name, &driver, error);
    if (!device)
        return false;
    if (device_is_active(device))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "Device is already active");
    config = mdev_config_copy(device->config);
    if (!config)
        return nodedev_fail_missing(args->name, error);
    if (!run_mdevctl(driver, adapt_start, config, error) || !look_at_mdev(driver, config, error))
        return false;
    if (!device_is_active(device))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR,
                          "mediated device '%s' was started, but is not there", args->name);
    return true;
}

static bool adapt_stop(MdevConfig *config, GError **error)
{
    return mdevctl_stop(config->uuid, error);
}

static bool destroy_mdev(Driver *driver, const Device *device, GError **error)
{
    g_autoptr(MdevConfig) config = mdev_config_new();
    g_autofree char *path = NULL;

    if (!device_is_active(device))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "Device '%s' is not active", device_name(device));
    path = g_strdup(device->seen->path);
    config->uuid = g_path_get_basename(path);
    return run_mdevctl(driver, adapt_stop, config, error) && changes_look_at(driver, path, error);
}

static bool destroy(Call *call, const remote_node_device_destroy_args *args, none *ret,
                    GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);

    if (!device)
        return false;
    if (device->seen->kind == mdev_kind)
        return destroy_mdev(driver, device, error);
    if (device->seen->wwpn)
        return vport_delete(driver, device, error);
    return device->seen->traits & VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST ? fail_host(error)
                                                                              : fail_type(error);
}

static bool adapt_auto(MdevConfig *config, GError **error)
{
    return mdevctl_set_autostart(config, config->is_autostarted, error);
}

static bool set_autostart(Call *call, const remote_node_device_set_autostart_args *args, none *ret,
                          GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);
    g_autoptr(MdevConfig) config = NULL;

    if (!device)
        return false;
    if (device->seen->kind != mdev_kind)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_UNSUPPORTED,
                          "Unsupported device type");
    if (!device->config)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "cannot set autostart for transient device");
    config = mdev_config_copy(device->config);
    config->is_autostarted = args->autostart != 0;
    return run_mdevctl(driver, adapt_auto, config, error) && definitions_refresh(driver, error);
}

static bool adapt_modify_live(MdevConfig *config, GError **error)
{
    return mdevctl_modify_live(config, error);
}

/* Which of the two an update is for; neither named: whatever the device is now (manual:
 * virNodeDeviceUpdate). */
static bool check_update(const Device *device, unsigned *flags, GError **error)
{
    if (*flags == VIR_NODE_DEVICE_UPDATE_AFFECT_CURRENT)
        *flags = device_is_active(device) ? VIR_NODE_DEVICE_UPDATE_AFFECT_LIVE
                                          : VIR_NODE_DEVICE_UPDATE_AFFECT_CONFIG;
    if (*flags & VIR_NODE_DEVICE_UPDATE_AFFECT_LIVE && !device_is_active(device))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "Device '%s' is not active", device_name(device));
    if (*flags & VIR_NODE_DEVICE_UPDATE_AFFECT_CONFIG && !device->config)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "Node device '%s' is not defined", device_name(device));
    return true;
}

/* The document must be about the same device: what it is, where, and what it is called stay. */
static bool check_same(const Device *device, const MdevConfig *config, GError **error)
{
    g_autofree char *name = config->uuid ? mdev_config_name(config) : NULL;

    if (name && g_str_equal(name, device_name(device)))
        return true;
    return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_CONFIG_UNSUPPORTED,
                      "the XML is not of device '%s': uuid and parent cannot be changed",
                      device_name(device));
}

static bool update(Call *call, const remote_node_device_update_args *args, none *ret,
                   GError **error)
{
    unsigned flags = args->flags;
    Driver *driver;
    g_autoptr(Device) device = NULL;
    g_autoptr(DeviceRequest) request = NULL;

    if (!nodedev_check_flags("nodeDeviceUpdate", flags,
                             VIR_NODE_DEVICE_UPDATE_AFFECT_LIVE |
                                 VIR_NODE_DEVICE_UPDATE_AFFECT_CONFIG,
                             error))
        return false;
    device = get_mdev(call, args->name, &driver, error);
    request = device ? device_request_parse(args->xml_desc, false, error) : NULL;
    if (!request)
        return false;
    if (request->kind != REQUEST_MDEV)
        return fail_type(error);
    if (!check_update(device, &flags, error) || !find_mdev_parent(driver, request, error) ||
        !check_same(device, request->mdev, error))
        return false;
    request->mdev->is_autostarted = device->config && device->config->is_autostarted;
    if (flags & VIR_NODE_DEVICE_UPDATE_AFFECT_LIVE) {
        if (!run_mdevctl(driver, adapt_modify_live, request->mdev, error))
            return false;
        nodedev_emit_update(driver, device);
    }
    return !(flags & VIR_NODE_DEVICE_UPDATE_AFFECT_CONFIG) ||
           modify_definition(driver, device, request->mdev, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_CREATE_XML, create_xml, remote_node_device_create_xml_args,
              remote_node_device_create_xml_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_DESTROY, destroy, remote_node_device_destroy_args, none),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_DEFINE_XML, define_xml, remote_node_device_define_xml_args,
              remote_node_device_define_xml_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_UNDEFINE, undefine, remote_node_device_undefine_args, none),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_CREATE, create, remote_node_device_create_args, none),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_SET_AUTOSTART, set_autostart,
              remote_node_device_set_autostart_args, none),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_UPDATE, update, remote_node_device_update_args, none),
};

const ProcedureTable nodedev_make_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
