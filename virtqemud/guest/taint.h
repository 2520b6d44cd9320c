/* What makes a guest hard to answer for, in the words of existing installations: its log names it
 * when it comes up, the status file has it (so it survives a restart of the daemon), and clients
 * ask for it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum GuestTaint {
    TAINT_HIGH_PRIVILEGES,   /* QEMU runs as root */
    TAINT_CUSTOM_DTB,        /* a device tree of the user's */
    TAINT_DEPRECATED_CONFIG, /* a machine type that QEMU wants to be rid of */
    TAINT_CUSTOM_MONITOR,    /* a client has spoken to its monitor */
    N_TAINTS,
} GuestTaint;

/* "high-privileges", in logs and status files. */
const char *taint_name(GuestTaint taint);
/* What clients are told. */
const char *taint_message(GuestTaint taint);
/* False for a name that is not known here. */
bool taint_from_name(const char *name, GuestTaint *ret_taint);
