/* The families of devices, one row each, in the order in which <devices> is written: what reads,
 * writes, checks and frees them, and where a domain keeps them. */
#pragma once

#include "virtqemud/model/domain_def.h"

typedef struct DeviceFamily {
    const char *name;       /* of the element */
    size_t offset;          /* in DomainDef: of a GPtrArray, or of the device if is_single */
    bool is_single;
    bool has_info;          /* begins with a DeviceInfo */
    const char *children;   /* elements inside that are understood, between blanks */
    bool (*parse)(const XmlNode *node, DomainParseFlags flags, void **ret_device, GError **error);
    void (*format)(const void *device, XmlWriter *writer, DomainFormatFlags flags);
    void (*free)(void *device);
    bool (*validate)(const void *device, GError **error); /* NULL: nothing to check */
} DeviceFamily;

#define N_DEVICE_FAMILIES 17
extern const DeviceFamily device_families[N_DEVICE_FAMILIES];

/* Calls @func for every device of @def; stops at, and returns, the first false. */
typedef bool (*DeviceFunc)(const DeviceFamily *family, void *device, void *data);
bool domain_devices_each(const DomainDef *def, DeviceFunc func, void *data);

/* Reads all of a <devices> element into @def. */
bool domain_devices_parse(const XmlNode *devices, DomainParseFlags flags, DomainDef *def,
                          GError **error);
/* Writes <devices> with all that is in it. */
void domain_devices_format(const DomainDef *def, XmlWriter *writer, DomainFormatFlags flags);
/* Makes the arrays of @def, and frees all devices. */
void domain_devices_init(DomainDef *def);
void domain_devices_clear(DomainDef *def);
