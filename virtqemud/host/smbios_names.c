/* Names for the numbers of SMBIOS tables, as the specification (DSP0134) lists them. A number
 * that is not in here has no name, and is left out of what clients see. */
#include "virtqemud/host/smbios_names.h"

#define INTEL SMBIOS_PROCESSOR_INTEL
#define AMD SMBIOS_PROCESSOR_AMD

typedef struct Family {
    guint number;
    const char *name;
    SmbiosProcessorKind kind;
} Family;

/* Processors that a hypervisor can run on, and what others of their makers may claim. */
static const Family families[] = {
    { 0x01, "Other", SMBIOS_PROCESSOR_OTHER },
    { 0x02, "Unknown", SMBIOS_PROCESSOR_OTHER },
    { 0x0b, "Pentium", INTEL },
    { 0x0c, "Pentium Pro", INTEL },
    { 0x0d, "Pentium II", INTEL },
    { 0x0e, "Pentium MMX", INTEL },
    { 0x0f, "Celeron", INTEL },
    { 0x10, "Pentium II Xeon", INTEL },
    { 0x11, "Pentium III", INTEL },
    { 0x14, "Celeron M", INTEL },
    { 0x15, "Pentium 4 HT", INTEL },
    { 0x18, "Duron", AMD },
    { 0x19, "K5", AMD },
    { 0x1a, "K6", AMD },
    { 0x1d, "Athlon", AMD },
    { 0x1f, "K6-2+", AMD },
    { 0x28, "Core Duo", INTEL },
    { 0x29, "Core Duo Mobile", INTEL },
    { 0x2a, "Core Solo Mobile", INTEL },
    { 0x2b, "Atom", INTEL },
    { 0x2c, "Core M", INTEL },
    { 0x2d, "Core m3", INTEL },
    { 0x2e, "Core m5", INTEL },
    { 0x2f, "Core m7", INTEL },
    { 0x38, "Turion II Ultra Dual-Core Mobile M", AMD },
    { 0x39, "Turion II Dual-Core Mobile M", AMD },
    { 0x3a, "Athlon II Dual-Core M", AMD },
    { 0x3b, "Opteron 6100", AMD },
    { 0x3c, "Opteron 4100", AMD },
    { 0x3d, "Opteron 6200", AMD },
    { 0x3e, "Opteron 4200", AMD },
    { 0x3f, "FX", AMD },
    { 0x46, "C-Series", AMD },
    { 0x47, "E-Series", AMD },
    { 0x48, "A-Series", AMD },
    { 0x49, "G-Series", AMD },
    { 0x4a, "Z-Series", AMD },
    { 0x4b, "R-Series", AMD },
    { 0x4c, "Opteron 4300", AMD },
    { 0x4d, "Opteron 6300", AMD },
    { 0x4e, "Opteron 3300", AMD },
    { 0x4f, "FirePro", AMD },
    { 0x66, "Athlon X4", AMD },
    { 0x67, "Opteron X1000", AMD },
    { 0x68, "Opteron X2000", AMD },
    { 0x69, "Opteron A-Series", AMD },
    { 0x6a, "Opteron X3000", AMD },
    { 0x6b, "Zen", AMD },
    { 0x83, "Athlon 64", AMD },
    { 0x84, "Opteron", AMD },
    { 0x85, "Sempron", AMD },
    { 0x86, "Turion 64", AMD },
    { 0x87, "Dual-Core Opteron", AMD },
    { 0x88, "Athlon 64 X2", AMD },
    { 0x89, "Turion 64 X2", AMD },
    { 0x8a, "Quad-Core Opteron", AMD },
    { 0x8b, "Third-Generation Opteron", AMD },
    { 0x8c, "Phenom FX", AMD },
    { 0x8d, "Phenom X4", AMD },
    { 0x8e, "Phenom X2", AMD },
    { 0x8f, "Athlon X2", AMD },
    { 0xa1, "Quad-Core Xeon 3200", INTEL },
    { 0xa2, "Dual-Core Xeon 3000", INTEL },
    { 0xa3, "Quad-Core Xeon 5300", INTEL },
    { 0xa4, "Dual-Core Xeon 5100", INTEL },
    { 0xa5, "Dual-Core Xeon 5000", INTEL },
    { 0xa6, "Dual-Core Xeon LV", INTEL },
    { 0xa7, "Dual-Core Xeon ULV", INTEL },
    { 0xa8, "Dual-Core Xeon 7100", INTEL },
    { 0xa9, "Quad-Core Xeon 5400", INTEL },
    { 0xaa, "Quad-Core Xeon", INTEL },
    { 0xab, "Dual-Core Xeon 5200", INTEL },
    { 0xac, "Dual-Core Xeon 7200", INTEL },
    { 0xad, "Quad-Core Xeon 7300", INTEL },
    { 0xae, "Quad-Core Xeon 7400", INTEL },
    { 0xaf, "Multi-Core Xeon 7400", INTEL },
    { 0xb0, "Pentium III Xeon", INTEL },
    { 0xb1, "Pentium III Speedstep", INTEL },
    { 0xb2, "Pentium 4", INTEL },
    { 0xb3, "Xeon", INTEL },
    { 0xb5, "Xeon MP", INTEL },
    { 0xb6, "Athlon XP", AMD },
    { 0xb7, "Athlon MP", AMD },
    { 0xb9, "Pentium M", INTEL },
    { 0xba, "Celeron D", INTEL },
    { 0xbb, "Pentium D", INTEL },
    { 0xbc, "Pentium EE", INTEL },
    { 0xbd, "Core Solo", INTEL },
    { 0xbf, "Core 2 Duo", INTEL },
    { 0xc0, "Core 2 Solo", INTEL },
    { 0xc1, "Core 2 Extreme", INTEL },
    { 0xc2, "Core 2 Quad", INTEL },
    { 0xc3, "Core 2 Extreme Mobile", INTEL },
    { 0xc4, "Core 2 Duo Mobile", INTEL },
    { 0xc5, "Core 2 Solo Mobile", INTEL },
    { 0xc6, "Core i7", INTEL },
    { 0xc7, "Dual-Core Celeron", INTEL },
    { 0xcd, "Core i5", INTEL },
    { 0xce, "Core i3", INTEL },
    { 0xcf, "Core i9", INTEL },
    { 0xd6, "Multi-Core Xeon", INTEL },
    { 0xd7, "Dual-Core Xeon 3xxx", INTEL },
    { 0xd8, "Quad-Core Xeon 3xxx", INTEL },
    { 0xda, "Dual-Core Xeon 5xxx", INTEL },
    { 0xdb, "Quad-Core Xeon 5xxx", INTEL },
    { 0xdd, "Dual-Core Xeon 7xxx", INTEL },
    { 0xde, "Quad-Core Xeon 7xxx", INTEL },
    { 0xdf, "Multi-Core Xeon 7xxx", INTEL },
    { 0xe0, "Multi-Core Xeon 3400", INTEL },
    { 0xe4, "Opteron 3000", AMD },
    { 0xe5, "Sempron II", AMD },
    { 0xe6, "Embedded Opteron Quad-Core", AMD },
    { 0xe7, "Phenom Triple-Core", AMD },
    { 0xe8, "Turion Ultra Dual-Core Mobile", AMD },
    { 0xe9, "Turion Dual-Core Mobile", AMD },
    { 0xea, "Athlon Dual-Core", AMD },
    { 0xeb, "Sempron SI", AMD },
    { 0xec, "Phenom II", AMD },
    { 0xed, "Athlon II", AMD },
    { 0xee, "Six-Core Opteron", AMD },
    { 0xef, "Sempron M", AMD },
    { 0x100, "ARMv7", SMBIOS_PROCESSOR_OTHER },
    { 0x101, "ARMv8", SMBIOS_PROCESSOR_OTHER },
    { 0x102, "ARMv9", SMBIOS_PROCESSOR_OTHER },
    { 0x200, "RV32", SMBIOS_PROCESSOR_OTHER },
    { 0x201, "RV64", SMBIOS_PROCESSOR_OTHER },
    { 0x202, "RV128", SMBIOS_PROCESSOR_OTHER },
};

/* Also says whose it is: makers count the parts of a signature differently. */
const char *smbios_processor_family(guint family, SmbiosProcessorKind *ret_kind)
{
    *ret_kind = SMBIOS_PROCESSOR_OTHER;
    for (gsize i = 0; i < G_N_ELEMENTS(families); i++) {
        if (families[i].number == family) {
            *ret_kind = families[i].kind;
            return families[i].name;
        }
    }
    return NULL;
}

/* NULL for numbers of later versions of the specification, and for holes. */
static const char *name_at(const char *const *names, gsize n_names, guint number)
{
    return number < n_names ? names[number] : NULL;
}

const char *smbios_processor_type(guint type)
{
    static const char *const names[] = {
        NULL, "Other", "Unknown", "Central Processor", "Math Processor", "DSP Processor",
        "Video Processor",
    };

    return name_at(names, G_N_ELEMENTS(names), type);
}

/* The low three bits of the status. */
const char *smbios_processor_status(guint status)
{
    static const char *const names[] = {
        "Unknown", "Enabled", "Disabled By User", "Disabled By BIOS", "Idle", NULL, NULL, "Other",
    };

    return name_at(names, G_N_ELEMENTS(names), status);
}

const char *smbios_memory_form_factor(guint form_factor)
{
    static const char *const names[] = {
        NULL, "Other", "Unknown", "SIMM", "SIP", "Chip", "DIP", "ZIP", "Proprietary Card", "DIMM",
        "TSOP", "Row Of Chips", "RIMM", "SODIMM", "SRIMM", "FB-DIMM", "Die",
    };

    return name_at(names, G_N_ELEMENTS(names), form_factor);
}

/* The holes are numbers that the specification keeps. */
const char *smbios_memory_type(guint type)
{
    static const char *const names[] = {
        [0x01] = "Other", [0x02] = "Unknown", [0x03] = "DRAM", [0x04] = "EDRAM",
        [0x05] = "VRAM", [0x06] = "SRAM", [0x07] = "RAM", [0x08] = "ROM",
        [0x09] = "Flash", [0x0a] = "EEPROM", [0x0b] = "FEPROM", [0x0c] = "EPROM",
        [0x0d] = "CDRAM", [0x0e] = "3DRAM", [0x0f] = "SDRAM", [0x10] = "SGRAM",
        [0x11] = "RDRAM", [0x12] = "DDR", [0x13] = "DDR2", [0x14] = "DDR2 FB-DIMM",
        [0x18] = "DDR3", [0x19] = "FBD2", [0x1a] = "DDR4", [0x1b] = "LPDDR",
        [0x1c] = "LPDDR2", [0x1d] = "LPDDR3", [0x1e] = "LPDDR4",
        [0x1f] = "Logical non-volatile device", [0x20] = "HBM", [0x21] = "HBM2",
        [0x22] = "DDR5", [0x23] = "LPDDR5", [0x24] = "HBM3",
    };

    return name_at(names, G_N_ELEMENTS(names), type);
}

/* Bit 0 is reserved. */
const char *smbios_memory_detail(guint bit)
{
    static const char *const names[] = {
        NULL, "Other", "Unknown", "Fast-paged", "Static Column", "Pseudo-static", "RAMBus",
        "Synchronous", "CMOS", "EDO", "Window DRAM", "Cache DRAM", "Non-Volatile",
        "Registered (Buffered)", "Unbuffered (Unregistered)", "LRDIMM",
    };

    return name_at(names, G_N_ELEMENTS(names), bit);
}
