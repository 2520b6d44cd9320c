/* Finding one device and showing it: the procedures that only look. */
#include "virtnodedevd/procedures.h"

#include "base/error.h"
#include "fiber/offload.h"
#include "virtnodedevd/driver.h"
#include "wire/api_nodedev.h"
#include "wire/remote.h"
#include "wire/remote_nodedev.h"

static bool lookup_by_name(Call *call, const remote_node_device_lookup_by_name_args *args,
                           remote_node_device_lookup_by_name_ret *ret, GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);

    if (!device)
        return false;
    ret->dev.name = g_strdup(device_name(device));
    return true;
}

static bool lookup_scsi_host(Call *call,
                             const remote_node_device_lookup_scsi_host_by_wwn_args *args,
                             remote_node_device_lookup_scsi_host_by_wwn_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    const Device *device;

    if (!driver || !nodedev_check_flags("nodeDeviceLookupSCSIHostByWWN", args->flags, 0, error))
        return false;
    device = device_table_find_host(driver->devices, args->wwnn, args->wwpn);
    if (!device)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_NO_NODE_DEVICE,
                          "no SCSI host with wwnn '%s' and wwpn '%s'", args->wwnn, args->wwpn);
    ret->dev.name = g_strdup(device_name(device));
    return true;
}

typedef struct Description {
    Subject subject;
    char *xml; /* made */
} Description;

/* In a thread: all of it is its own. */
static bool describe(void *data, GError **error)
{
    Description *what = data;

    what->xml = subject_describe(&what->subject);
    return what->xml || nodedev_fail_missing(what->subject.name, error);
}

static bool describe_active(const Driver *driver, const Device *device, char **ret_xml,
                            GError **error)
{
    Description what = {
        .subject = {
            .roots = driver->roots,
            .kind = device->seen->kind,
            .name = g_strdup(device_name(device)),
            .path = g_strdup(device->seen->path),
            .parent = g_strdup(device_table_parent(driver->devices, device)),
            .config = mdev_config_copy(device->config),
        },
    };
    bool is_described = fiber_offload(describe, &what, error);

    subject_clear(&what.subject);
    if (is_described)
        *ret_xml = what.xml;
    return is_described;
}

static bool get_xml_desc(Call *call, const remote_node_device_get_xml_desc_args *args,
                         remote_node_device_get_xml_desc_ret *ret, GError **error)
{
    bool wants_inactive = args->flags & VIR_NODE_DEVICE_XML_INACTIVE;
    Driver *driver;
    g_autoptr(Device) device = NULL;

    if (!nodedev_check_flags("nodeDeviceGetXMLDesc", args->flags, VIR_NODE_DEVICE_XML_INACTIVE,
                             error))
        return false;
    device = call_get_device(call, args->name, &driver, error);
    if (!device)
        return false;
    if (wants_inactive && !device_is_persistent(device))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_INVALID,
                          "node device '%s' is not persistent", args->name);
    if (device->config && (wants_inactive || !device_is_active(device))) {
        ret->xml = mdev_config_format(device->config,
                                      device_table_parent(driver->devices, device));
        return true;
    }
    return describe_active(driver, device, &ret->xml, error);
}

static bool get_parent(Call *call, const remote_node_device_get_parent_args *args,
                       remote_node_device_get_parent_ret *ret, GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);
    const char *parent = device ? device_table_parent(driver->devices, device) : NULL;

    if (parent) {
        ret->parentName = g_new(remote_nonnull_string, 1);
        *ret->parentName = g_strdup(parent);
    }
    return device != NULL;
}

/* One bit for each capability. */
static unsigned capabilities(const Device *device)
{
    return device->seen->traits;
}

static bool num_of_caps(Call *call, const remote_node_device_num_of_caps_args *args,
                        remote_node_device_num_of_caps_ret *ret, GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);

    if (!device)
        return false;
    ret->num = __builtin_popcount(capabilities(device));
    return true;
}

static bool list_caps(Call *call, const remote_node_device_list_caps_args *args,
                      remote_node_device_list_caps_ret *ret, GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);
    unsigned count = 0, room;

    if (!device)
        return false;
    if (!nodedev_check_room(args->maxnames, REMOTE_NODE_DEVICE_CAPS_LIST_MAX,
                            "REMOTE_NODE_DEVICE_CAPS_LIST_MAX", error))
        return false;
    room = MIN((unsigned)args->maxnames, 32);
    ret->names.names_val = g_new0(remote_nonnull_string, room);
    for (unsigned bit = 0; bit < 31 && count < room; bit++) {
        if (capabilities(device) & 1u << bit)
            ret->names.names_val[count++] = g_strdup(trait_name(1u << bit));
    }
    ret->names.names_len = count;
    return true;
}

static bool is_active(Call *call, const remote_node_device_is_active_args *args,
                      remote_node_device_is_active_ret *ret, GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);

    if (!device)
        return false;
    ret->active = device_is_active(device);
    return true;
}

static bool is_persistent(Call *call, const remote_node_device_is_persistent_args *args,
                          remote_node_device_is_persistent_ret *ret, GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);

    if (!device)
        return false;
    ret->persistent = device_is_persistent(device);
    return true;
}

static bool get_autostart(Call *call, const remote_node_device_get_autostart_args *args,
                          remote_node_device_get_autostart_ret *ret, GError **error)
{
    Driver *driver;
    g_autoptr(Device) device = call_get_device(call, args->name, &driver, error);

    if (!device)
        return false;
    ret->autostart = device_is_autostarted(device);
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_LOOKUP_BY_NAME, lookup_by_name,
              remote_node_device_lookup_by_name_args, remote_node_device_lookup_by_name_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN, lookup_scsi_host,
              remote_node_device_lookup_scsi_host_by_wwn_args,
              remote_node_device_lookup_scsi_host_by_wwn_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_GET_XML_DESC, get_xml_desc,
              remote_node_device_get_xml_desc_args, remote_node_device_get_xml_desc_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_GET_PARENT, get_parent, remote_node_device_get_parent_args,
              remote_node_device_get_parent_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_NUM_OF_CAPS, num_of_caps,
              remote_node_device_num_of_caps_args, remote_node_device_num_of_caps_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_LIST_CAPS, list_caps, remote_node_device_list_caps_args,
              remote_node_device_list_caps_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_IS_ACTIVE, is_active, remote_node_device_is_active_args,
              remote_node_device_is_active_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_IS_PERSISTENT, is_persistent,
              remote_node_device_is_persistent_args, remote_node_device_is_persistent_ret),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_GET_AUTOSTART, get_autostart,
              remote_node_device_get_autostart_args, remote_node_device_get_autostart_ret),
};

const ProcedureTable nodedev_look_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
