/* What every device may have besides what it is: an alias, an address on a bus, a place in the
 * boot order. Embedded in each device; zeroed is "has none". */
#pragma once

#include <stdint.h>

#include "virtqemud/model/format_flags.h"

typedef enum AddressType {
    ADDRESS_NONE,
    ADDRESS_PCI,
    ADDRESS_DRIVE,
    ADDRESS_VIRTIO_SERIAL,
    ADDRESS_CCID,
    ADDRESS_USB,
    ADDRESS_VIRTIO_MMIO,
    ADDRESS_ISA,
    N_ADDRESS_TYPES
} AddressType;
extern const char *const address_type_names[N_ADDRESS_TYPES]; /* "pci", "drive", … */

typedef struct PciAddress {
    unsigned domain, bus, slot, function; /* 0000:00:00.0 with is_set false: not chosen yet */
    XmlTristate multifunction;
} PciAddress;

typedef struct DeviceAddress {
    AddressType type;
    union {
        PciAddress pci;
        struct {
            unsigned controller, bus, target, unit;
        } drive;
        struct {
            unsigned controller, bus, port;
        } virtio_serial;
        struct {
            unsigned controller, slot;
        } ccid;
        struct {
            unsigned bus;
            unsigned ports[4]; /* "1.2" is {1, 2, 0, 0}; all 0: no port chosen yet */
        } usb;
        struct {
            unsigned iobase, irq;
            bool has_iobase, has_irq;
        } isa;
    };
} DeviceAddress;

typedef struct DeviceInfo {
    char *alias; /* NULL until the guest starts, unless the user has given one ("ua-…") */
    DeviceAddress address;
    unsigned boot_index; /* <boot order='N'/>, from 1; 0: none */
    char *load_parm;     /* of <boot>; NULL */
    char *rom_file;      /* <rom file=''>; NULL */
    XmlTristate rom_bar, rom_enabled;
    unsigned acpi_index; /* <acpi index=''/>; 0: none */
} DeviceInfo;

/* Reads <alias>, <address>, <boot>, <rom>, <acpi> of a device; <boot> and <rom> only of the
 * elements that can have them. Only user aliases are kept with DOMAIN_PARSE_INACTIVE. Errors:
 * XML_ERROR, CONFIG_UNSUPPORTED, INTERNAL_ERROR, as existing clients know them. */
bool device_info_parse(const XmlNode *device, DomainParseFlags flags, DeviceInfo *ret_info,
                       GError **error);
/* Writes them, in the reference's order: boot (device_info_format_boot), … alias, rom, acpi,
 * address. */
void device_info_format(const DeviceInfo *info, XmlWriter *writer, DomainFormatFlags flags);
/* The same in two parts, for devices that have something of their own after the alias. */
void device_info_format_alias(const DeviceInfo *info, XmlWriter *writer, DomainFormatFlags flags);
void device_info_format_rest(const DeviceInfo *info, XmlWriter *writer);
void device_info_format_boot(const DeviceInfo *info, XmlWriter *writer);
void device_info_clear(DeviceInfo *info);
bool device_info_has_user_alias(const DeviceInfo *info);
/* "0000:00:02.0" style text in errors and in maps. To be freed. */
char *pci_address_text(const PciAddress *address);
bool pci_address_equal(const PciAddress *a, const PciAddress *b);
