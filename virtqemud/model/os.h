/* How a domain boots: <os>; and what its machine can do: <features>. */
#pragma once

#include "virtqemud/model/format_flags.h"

typedef enum BootDevice { BOOT_FD, BOOT_CDROM, BOOT_DISK, BOOT_NETWORK, N_BOOT_DEVICES } BootDevice;
/* "fd", "cdrom", "hd", "network". */
extern const char *const boot_device_names[N_BOOT_DEVICES];

typedef enum SmbiosMode { SMBIOS_EMULATE, SMBIOS_HOST, SMBIOS_SYSINFO, N_SMBIOS_MODES } SmbiosMode;
extern const char *const smbios_mode_names[N_SMBIOS_MODES];

typedef struct DomainOs {
    bool is_firmware_bios; /* <os firmware='bios'>: what it would be anyway */
    char *type;    /* "hvm" */
    char *arch;    /* "x86_64"; NULL until completed */
    char *machine; /* canonical once completed ("pc-q35-7.2") */
    BootDevice boot[N_BOOT_DEVICES];
    unsigned n_boot;
    XmlTristate boot_menu;
    unsigned boot_menu_timeout_ms;
    bool has_boot_menu_timeout;
    char *kernel, *initrd, *cmdline, *dtb; /* direct boot; NULL */
    char *loader;                          /* a BIOS image: <loader type='rom'>; NULL */
    XmlTristate loader_readonly;           /* <loader readonly=''>, yes/no */
    XmlTristate bios_use_serial;
    int bios_reboot_timeout_ms; /* -1: never reboots */
    bool has_bios_reboot_timeout;
    bool smbios_mode_set; /* <smbios mode=''> */
    int smbios_mode;      /* a SmbiosMode */
} DomainOs;

typedef struct DomainFeatures {
    bool acpi, pae;
    bool apic;
    XmlTristate apic_eoi, hap, pmu, vmport, smm, kvm_hidden;
} DomainFeatures;

/* @os: the <os> element. Errors: XML_ERROR, CONFIG_UNSUPPORTED for another type than hvm. */
bool domain_os_parse(const XmlNode *os, DomainParseFlags flags, DomainOs *ret, GError **error);
void domain_os_format(const DomainOs *os, XmlWriter *writer, DomainFormatFlags flags);
void domain_os_clear(DomainOs *os);

/* @features: the <features> element. Nothing is written when there are none. */
bool domain_features_parse(const XmlNode *features, DomainFeatures *ret, GError **error);
void domain_features_format(const DomainFeatures *features, XmlWriter *writer);
