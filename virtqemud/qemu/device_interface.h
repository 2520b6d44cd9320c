/* Network interfaces: what is behind them on the host, and the card that the guest sees. */
#pragma once

#include "virtqemud/qemu/device_json.h"

/* The arguments of -netdev and netdev_add. */
JsonValue *interface_netdev_json(const InterfaceDef *interface, GError **error);
JsonValue *interface_device_json(const DeviceScope *scope, const InterfaceDef *interface,
                                 GError **error);
