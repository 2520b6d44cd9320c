/* Lists are short and looked up only for what the parser does not take itself. */
#include "virtqemud/model/known_names.h"

#include "base/enum_names.h"

bool known_architecture(const char *name)
{
    static const char *const names[] = {
        "aarch64", "alpha", "armv6l", "armv7b", "armv7l", "cris", "i686", "itanium", "lm32",
        "loongarch64", "m68k", "microblaze", "microblazeel", "mips", "mips64", "mips64el",
        "mipsel", "openrisc", "or32", "parisc", "parisc64", "ppc", "ppc64", "ppc64le", "ppcemb",
        "ppcle", "riscv32", "riscv64", "s390", "s390x", "sh4", "sh4eb", "sparc", "sparc64",
        "unicore32", "x86_64", "xtensa", "xtensaeb",
    };
    int index = 0;

    return ENUM_FROM_NAME(names, name, &index);
}

bool known_feature(const char *name)
{
    static const char *const names[] = {
        "acpi", "aia", "apic", "async-teardown", "capabilities", "ccf-assist", "cfpc", "gic",
        "hap", "hpt", "htm", "hyperv", "ibs", "ioapic", "kvm", "msrs", "nested-hv", "pae", "pmu",
        "privnet", "ps2", "pvspinlock", "ras", "sbbc", "smm", "tcg", "viridian", "vmcoreinfo",
        "vmport", "xen",
    };
    int index = 0;

    return ENUM_FROM_NAME(names, name, &index);
}

bool known_kvm_feature(const char *name)
{
    static const char *const names[] = {
        "dirty-ring", "hidden", "hint-dedicated", "poll-control", "pv-ipi",
    };
    int index = 0;

    return ENUM_FROM_NAME(names, name, &index);
}
