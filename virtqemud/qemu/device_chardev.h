/* Serial ports, consoles and channels: the device that the guest sees. What is behind it is a
 * character device of QEMU with the id chardev_id() (command.h). */
#pragma once

#include "virtqemud/qemu/device_json.h"

/* NULL in *@ret_device for a <console> that stands for a <serial>. */
bool chardev_device_json(const DeviceScope *scope, const ChardevDef *chardev,
                         JsonValue **ret_device, GError **error);
/* Whether it is a device of its own. */
bool chardev_is_real(const ChardevDef *chardev);
