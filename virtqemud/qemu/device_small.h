/* Devices with little to say: random numbers, balloon, watchdog, panic, vsock, hub, input. */
#pragma once

#include "virtqemud/qemu/device_json.h"

/* The source of numbers, for -object and object-add, and the device that hands them out. */
JsonValue *rng_object_json(const DeviceScope *scope, const RngDef *rng, GError **error);
JsonValue *rng_device_json(const DeviceScope *scope, const RngDef *rng, GError **error);

JsonValue *balloon_device_json(const DeviceScope *scope, const BalloonDef *balloon,
                               GError **error);

/* Set *@ret_device to NULL for what is part of the machine (itco, ps2) or no device at all
 * (hyperv's panic, which is a flag of the CPU). */
bool watchdog_device_json(const DeviceScope *scope, const WatchdogDef *watchdog,
                          JsonValue **ret_device, GError **error);
bool panic_device_json(const DeviceScope *scope, const PanicDef *panic, JsonValue **ret_device,
                       GError **error);
JsonValue *hub_device_json(const DeviceScope *scope, const HubDef *hub, GError **error);
bool input_device_json(const DeviceScope *scope, const InputDef *input, JsonValue **ret_device,
                       GError **error);
/* "-action watchdog=NAME", in QEMU's words. */
const char *watchdog_qemu_action(WatchdogAction action);

/* @vhost_fd: a number in QEMU, or the name that getfd gave it. */
JsonValue *vsock_device_json(const DeviceScope *scope, const VsockDef *vsock, const char *vhost_fd,
                             GError **error);
