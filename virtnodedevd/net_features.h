/* What a network interface does by itself (reference manual, "net": feature), asked of the kernel
 * by name, in the network namespace that this process is in (kernel: uapi/linux/ethtool.h). */
#pragma once

#include "virtnodedevd/sysfs.h"
#include "xml/writer.h"

/* The <feature> elements; nothing when there is no such interface. */
void net_features_format(const SysDevice *device, XmlWriter *writer);
