/* The calls that give PCI devices away and take them back. */
#include "virtnodedevd/procedures.h"

#include <string.h>

#include "base/error.h"
#include "virtnodedevd/driver.h"
#include "virtnodedevd/pci_assign.h"
#include "wire/api_nodedev.h"
#include "wire/remote.h"
#include "wire/remote_nodedev.h"

#define DEFAULT_DRIVER "vfio-pci"

/* The path of a PCI device, to be freed; NULL with an error for others. */
static char *get_pci_path(Call *call, const char *name, Driver **ret_driver, GError **error)
{
    g_autoptr(Device) device = call_get_device(call, name, ret_driver, error);

    if (!device)
        return NULL;
    if (device->seen->traits & VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV)
        return g_strdup(device->seen->path);
    error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INVALID_ARG, "device %s is not a PCI device", name);
    return NULL;
}

/* The kernel's driver that stands for what the client calls a driver (manual:
 * virNodeDeviceDetachFlags, and virsh, nodedev-detach). */
static const char *choose_driver(const char *name, GError **error)
{
    if (!name || g_str_equal(name, "vfio"))
        return DEFAULT_DRIVER;
    if (g_str_equal(name, "kvm")) {
        error_set(error, VIR_FROM_NODEDEV, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  "KVM device assignment is no longer supported on this system");
        return NULL;
    }
    if (pci_driver_is_vfio(name) && !strchr(name, '/'))
        return name;
    error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INVALID_ARG, "unknown driver name '%s'", name);
    return NULL;
}

static bool detach(Call *call, const char *name, const char *driver_name, GError **error)
{
    const char *kernel_driver = choose_driver(driver_name, error);
    Driver *driver = kernel_driver ? driver_of(call, error) : NULL;
    g_autofree char *path = NULL;

    if (!driver)
        return false;
    if (!pci_can_assign(driver->roots))
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_ARGUMENT_UNSUPPORTED,
                          "VFIO device assignment is currently not supported on this system");
    path = get_pci_path(call, name, &driver, error);
    return path && pci_detach(driver->roots, path, kernel_driver, error);
}

static bool node_device_dettach(Call *call, const remote_node_device_dettach_args *args, none *ret,
                                GError **error)
{
    return detach(call, args->name, NULL, error);
}

static bool node_device_detach_flags(Call *call, const remote_node_device_detach_flags_args *args,
                                     none *ret, GError **error)
{
    return nodedev_check_flags("nodeDeviceDetachFlags", args->flags, 0, error) &&
           detach(call, args->name, args->driverName ? *args->driverName : NULL, error);
}

static bool node_device_re_attach(Call *call, const remote_node_device_re_attach_args *args,
                                  none *ret, GError **error)
{
    Driver *driver;
    g_autofree char *path = get_pci_path(call, args->name, &driver, error);

    return path && pci_reattach(driver->roots, path, error);
}

static bool node_device_reset(Call *call, const remote_node_device_reset_args *args, none *ret,
                              GError **error)
{
    Driver *driver;
    g_autofree char *path = get_pci_path(call, args->name, &driver, error);

    return path && pci_reset(driver->roots, path, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_DETTACH, node_device_dettach,
              remote_node_device_dettach_args, none),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_DETACH_FLAGS, node_device_detach_flags,
              remote_node_device_detach_flags_args, none),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_RE_ATTACH, node_device_re_attach,
              remote_node_device_re_attach_args, none),
    PROCEDURE(REMOTE_PROC_NODE_DEVICE_RESET, node_device_reset, remote_node_device_reset_args,
              none),
};

const ProcedureTable nodedev_assign_procedures = { REMOTE_PROGRAM, procedures,
                                                   G_N_ELEMENTS(procedures) };
