/* Architectures of guests: libvirt's names (manual: the arch names of capability.rng), QEMU's,
 * and which emulators of this host run them. */
#pragma once

#include <glib.h>

typedef struct Arch {
    const char *name;     /* "i686" */
    const char *target;   /* QEMU's, as in qemu-system-TARGET: "i386" */
    const char *stand_in; /* the target that runs it too; NULL: none */
    unsigned int word_size;
} Arch;

/* All of them, in the order in which they are listed to clients. */
extern const Arch arch_table[];
extern const guint arch_table_length;

/* NULL when there is none such. */
const Arch *arch_find(const char *name);
const Arch *arch_find_target(const char *target);
/* The host's own. */
const Arch *arch_find_host(void);
