/* What the driver tells those who have registered for events of node devices. */
#pragma once

#include "virtnodedevd/driver.h"

/* @event: virNodeDeviceEventLifecycleType. */
void nodedev_emit_lifecycle(const Driver *driver, const Device *device, int event);
void nodedev_emit_update(const Driver *driver, const Device *device);
