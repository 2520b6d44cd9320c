/* Graphics cards. */
#pragma once

#include "virtqemud/qemu/device_json.h"

/* Sets *@ret_device to NULL for <model type='none'>. The card that is marked as primary,
 * or else the first, can be used with VGA's registers where its model has them. */
bool video_device_json(const DeviceScope *scope, const VideoDef *video, JsonValue **ret_device,
                       GError **error);
