#include "virtqemud/qemu/arch.h"

#include <string.h>
#include <sys/utsname.h>

const Arch arch_table[] = {
    { "alpha", "alpha", NULL, 64 },
    { "armv7l", "arm", "aarch64", 32 },
    { "aarch64", "aarch64", NULL, 64 },
    { "cris", "cris", NULL, 32 },
    { "i686", "i386", "x86_64", 32 },
    { "lm32", "lm32", NULL, 32 },
    { "loongarch64", "loongarch64", NULL, 64 },
    { "m68k", "m68k", NULL, 32 },
    { "microblaze", "microblaze", NULL, 32 },
    { "microblazeel", "microblazeel", NULL, 32 },
    { "mips", "mips", NULL, 32 },
    { "mipsel", "mipsel", NULL, 32 },
    { "mips64", "mips64", NULL, 64 },
    { "mips64el", "mips64el", NULL, 64 },
    { "parisc", "hppa", NULL, 32 },
    { "ppc", "ppc", NULL, 32 },
    { "ppc64", "ppc64", NULL, 64 },
    { "ppc64le", "ppc64le", "ppc64", 64 },
    { "riscv32", "riscv32", NULL, 32 },
    { "riscv64", "riscv64", NULL, 64 },
    { "s390x", "s390x", NULL, 64 },
    { "sh4", "sh4", NULL, 32 },
    { "sh4eb", "sh4eb", NULL, 32 },
    { "sparc", "sparc", NULL, 32 },
    { "sparc64", "sparc64", NULL, 64 },
    { "x86_64", "x86_64", NULL, 64 },
    { "xtensa", "xtensa", NULL, 32 },
    { "xtensaeb", "xtensaeb", NULL, 32 },
};

const guint arch_table_length = G_N_ELEMENTS(arch_table);

const Arch *arch_find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(arch_table); i++) {
        if (strcmp(arch_table[i].name, name) == 0)
            return &arch_table[i];
    }
    return NULL;
}

const Arch *arch_find_target(const char *target)
{
    for (guint i = 0; i < G_N_ELEMENTS(arch_table); i++) {
        if (strcmp(arch_table[i].target, target) == 0)
            return &arch_table[i];
    }
    return NULL;
}

/* The kernel's names are libvirt's but for the 32-bit ones, which have many. */
const Arch *arch_find_host(void)
{
    struct utsname host;
    const Arch *arch;

    uname(&host);
    if (g_str_has_prefix(host.machine, "i") && g_str_has_suffix(host.machine, "86"))
        return arch_find("i686");
    if (g_str_has_prefix(host.machine, "armv"))
        return arch_find("armv7l");
    arch = arch_find(host.machine);
    return arch ? arch : arch_find("x86_64");
}
