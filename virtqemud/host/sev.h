/* Whether the host can encrypt the memory of guests (AMD SEV). What the platform can do in
 * detail comes from QEMU. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/roots.h"

/* Errors: OPERATION_UNSUPPORTED when it cannot. */
bool sev_check(const HostRoots *roots, GError **error);
