/* Listing devices: the procedures that see all of them. None waits after driver_of(), so that what
 * they see is of one moment. */
#include "virtnodedevd/procedures.h"

#include "common/access.h"
#include "common/list_filter.h"
#include "virtnodedevd/driver.h"
#include "wire/api_nodedev.h"
#include "wire/remote.h"
#include "wire/remote_nodedev.h"

#define STATES (VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE | VIR_CONNECT_LIST_NODE_DEVICES_INACTIVE)
#define LIVES \
    (VIR_CONNECT_LIST_NODE_DEVICES_PERSISTENT | VIR_CONNECT_LIST_NODE_DEVICES_TRANSIENT)
/* From the lowest to the highest. */
#define CAPABILITIES ((VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_MEMBER << 1) - 1u)

static unsigned device_traits(const Device *device)
{
    return device->seen->traits |
           (device_is_active(device) ? VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE
                                     : VIR_CONNECT_LIST_NODE_DEVICES_INACTIVE) |
           (device_is_persistent(device) ? VIR_CONNECT_LIST_NODE_DEVICES_PERSISTENT
                                         : VIR_CONNECT_LIST_NODE_DEVICES_TRANSIENT);
}

/* Those that match and that the client may see, in order of appearance, at most @max; an array of
 * borrowed Device: no waiting while it is used. */
static GPtrArray *devices_select(Call *call, const Driver *driver, unsigned flags, guint max)
{
    static const unsigned groups[] = { CAPABILITIES, STATES, LIVES, 0 };
    GPtrArray *devices = g_ptr_array_new();

    for (GList *link = device_table_first(driver->devices); link && devices->len < max;
         link = link->next) {
        if (list_filter_matches(flags, groups, device_traits(link->data)) &&
            access_may_list(call_get_client(call), call_get_wire(call)))
            g_ptr_array_add(devices, link->data);
    }
    return devices;
}

/* The older calls name one capability. One that is not known is nobody's. */
static GPtrArray *devices_with(Call *call, const Driver *driver, const char *capability, guint max)
{
    unsigned trait = capability ? trait_from_name(capability) : 0;

    if (capability && !trait)
        return g_ptr_array_new();
    return devices_select(call, driver, trait, max);
}

/* What cannot be listed is not counted either. */
static bool num_of_devices(Call *call, const remote_node_num_of_devices_args *args,
                           remote_node_num_of_devices_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) devices = NULL;

    if (!driver || !nodedev_check_flags("nodeNumOfDevices", args->flags, 0, error))
        return false;
    devices = devices_with(call, driver, args->cap ? *args->cap : NULL, G_MAXUINT);
    ret->num = (int)devices->len;
    return true;
}

static bool list_devices(Call *call, const remote_node_list_devices_args *args,
                         remote_node_list_devices_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) devices = NULL;

    if (!driver || !nodedev_check_flags("nodeListDevices", args->flags, 0, error))
        return false;
    if (!nodedev_check_room(args->maxnames, REMOTE_NODE_DEVICE_LIST_MAX,
                            "REMOTE_NODE_DEVICE_LIST_MAX", error))
        return false;
    devices = devices_with(call, driver, args->cap ? *args->cap : NULL, (guint)args->maxnames);
    ret->names.names_len = devices->len;
    ret->names.names_val = g_new0(remote_nonnull_string, devices->len);
    for (guint i = 0; i < devices->len; i++)
        ret->names.names_val[i] = g_strdup(device_name(devices->pdata[i]));
    return true;
}

/* No limit here: the codec refuses to encode a list that is longer than the protocol's. */
static bool list_all_devices(Call *call, const remote_connect_list_all_node_devices_args *args,
                             remote_connect_list_all_node_devices_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) devices = NULL;

    if (!driver || !nodedev_check_flags("nodeConnectListAllNodeDevices", args->flags,
                                        CAPABILITIES | STATES | LIVES, error))
        return false;
    devices = devices_select(call, driver, args->flags, G_MAXUINT);
    ret->ret = devices->len;
    if (!args->need_results)
        return true;
    ret->devices.devices_len = devices->len;
    ret->devices.devices_val = g_new0(remote_nonnull_node_device, devices->len);
    for (guint i = 0; i < devices->len; i++)
        ret->devices.devices_val[i].name = g_strdup(device_name(devices->pdata[i]));
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_NODE_NUM_OF_DEVICES, num_of_devices, remote_node_num_of_devices_args,
              remote_node_num_of_devices_ret),
    PROCEDURE(REMOTE_PROC_NODE_LIST_DEVICES, list_devices, remote_node_list_devices_args,
              remote_node_list_devices_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_LIST_ALL_NODE_DEVICES, list_all_devices,
              remote_connect_list_all_node_devices_args,
              remote_connect_list_all_node_devices_ret),
};

const ProcedureTable nodedev_list_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
