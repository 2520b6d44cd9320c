/* Places on buses: the <address> of a device, in each of its types. */
#pragma once

#include "virtqemud/model/device_info.h"

/* Reads an <address>. A PCI address of zeros means that none is chosen yet.
 * Errors: XML_ERROR, CONFIG_UNSUPPORTED, INTERNAL_ERROR. */
bool device_address_parse(const XmlNode *node, DeviceAddress *ret_address, GError **error);

/* Nothing for ADDRESS_NONE. */
void device_address_format(const DeviceAddress *address, XmlWriter *writer);

/* Whether both are the same place: never for types without one, nor before it is chosen. */
bool device_address_equal(const DeviceAddress *a, const DeviceAddress *b);
