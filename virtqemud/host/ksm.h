/* The kernel's merging of equal pages (kernel: Documentation/admin-guide/mm/ksm.rst) as the
 * node's memory parameters (manual: virNodeGetMemoryParameters, virNodeSetMemoryParameters). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/roots.h"

#define KSM_MAX_PARAMETERS 8

/* Types of parameters, with their numbers on the wire. */
typedef enum KsmType {
    KSM_UINT = 2,
    KSM_ULLONG = 4,
} KsmType;

typedef struct KsmParameter {
    const char *name; /* as on the wire, "shm_pages_to_scan" */
    int type;         /* a KsmType; of a wish whatever the client sent (1 int … 7 string) */
    guint64 value;
} KsmParameter;

/* Reads the parameters that this kernel has: none where it has no KSM. */
bool ksm_read(const HostRoots *roots, KsmParameter ret_parameters[KSM_MAX_PARAMETERS],
              guint *ret_count, GError **error);

/* Sets @wishes, nothing of them when one cannot be meant.
 * Errors: ARGUMENT_UNSUPPORTED for a name that is unknown or cannot be set, INVALID_ARG for a
 * wrong type or a name that comes twice, OPERATION_INVALID when this kernel does not have it,
 * SYSTEM_ERROR when the kernel refuses a value (those before it are set then). */
bool ksm_set(const HostRoots *roots, const KsmParameter *wishes, guint n_wishes, GError **error);
