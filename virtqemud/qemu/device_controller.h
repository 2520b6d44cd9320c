/* Buses: controllers as QEMU's devices. */
#pragma once

#include "virtqemud/qemu/device_json.h"

/* Sets @ret_device to the device, or to NULL when the machine has the controller built in (or it
 * stands for having none). Errors: as in device_json.h. */
bool controller_device_json(const DeviceScope *scope, const ControllerDef *controller,
                            JsonValue **ret_device, GError **error);
/* Whether unit numbers are the targets of a bus that has one unit per target: old SCSI cards. */
bool controller_is_narrow_scsi(const ControllerDef *controller);
/* The option for "-global" that sets the size of the PCI hole of a root bus; NULL: nothing to set.
 * To be freed. */
char *controller_hole_option(const DeviceScope *scope, const ControllerDef *controller);
