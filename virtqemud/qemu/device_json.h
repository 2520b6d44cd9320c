/* What all builders of devices share. A device is built once, as the JSON object that QEMU takes
 * both after "-device" and in device_add; the same holds for -blockdev, -netdev and -object and
 * their commands in QMP. A builder returns a new value, or NULL with an error. Errors:
 * CONFIG_UNSUPPORTED that names device and emulator, INTERNAL_ERROR for a definition that is not
 * complete (no alias, no address, no controller). */
#pragma once

#include "json/value.h"
#include "json/write.h"
#include "virtqemud/model/domain_def.h"
#include "virtqemud/qemu/caps.h"

/* The machine that devices are built for. */
typedef struct DeviceScope {
    const DomainDef *def;
    const EmulatorCaps *caps;
} DeviceScope;

/* Whether the machine is one of the PCI Express kind ("q35"), by its canonical name. */
bool machine_is_q35(const DomainDef *def);

/* An object with the member "driver", if the emulator has @driver. */
JsonValue *device_json_new(const DeviceScope *scope, const char *driver, GError **error);
/* The same for the member "qom-type" and "id", from -object's types. */
JsonValue *object_json_new(const DeviceScope *scope, const char *type, const char *id,
                           GError **error);
/* A new device with id, boot index, address and what else every device may have: most of what
 * small devices need. */
JsonValue *device_json_new_placed(const DeviceScope *scope, const char *driver,
                                  const DeviceInfo *info, GError **error);

/* The members id, bootindex, acpi-index, rombar, romfile. */
bool device_json_put_info(const DeviceScope *scope, JsonValue *device, const DeviceInfo *info,
                          GError **error);
/* Where it sits: bus and addr, port, nr, iobase and irq. Drives have their own rules (disk);
 * nothing for ADDRESS_NONE. */
bool device_json_put_address(const DeviceScope *scope, JsonValue *device, const DeviceInfo *info,
                             GError **error);
/* true and false; nothing when absent. */
void device_json_put_switch(JsonValue *device, const char *key, XmlTristate state);
/* Nothing for 0. */
void device_json_put_size(JsonValue *device, const char *key, uint64_t value);

/* What every virtio device may have; nothing of what is left unsaid. */
void device_json_put_virtio(JsonValue *device, const VirtioOptions *options);

/* The controller of @type and @index, the one without a master among companions. Its alias is
 * the name of the bus. */
const ControllerDef *device_find_controller(const DeviceScope *scope, ControllerType type,
                                            unsigned index, GError **error);
/* The place in the boot order, from 1; 0: none. <boot order=''> if given, else what
 * <boot dev=''> means for the first device of each kind. */
unsigned device_boot_index(const DomainDef *def, const DeviceInfo *info);
/* "-transitional" and "-non-transitional" behind a virtio driver's name; "". */
const char *virtio_model_suffix(VirtioModel model);
