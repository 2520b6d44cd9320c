/* The types of mediated devices that a device can make (kernel:
 * Documentation/driver-api/vfio-mediated-device.rst). */
#pragma once

#include "virtnodedevd/sysfs.h"
#include "xml/writer.h"

bool mdev_types_exist(const SysDevice *device);
/* The <capability type='mdev_types'>; nothing when there are none. */
void mdev_types_format(const SysDevice *device, XmlWriter *writer);
