/* Which security model of the kernel confines guests (manual: virNodeGetSecurityModel; drvqemu,
 * "Security"). Ownership of files ("dac") works beside any and is not named here. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/roots.h"

typedef struct SecurityModel {
    const char *name; /* "none", "apparmor", "selinux" */
    const char *doi;
} SecurityModel;

/* The model for the configuration's @driver; NULL takes what the kernel has active.
 * Errors: CONFIG_UNSUPPORTED for one that is unknown or not active here. */
bool security_model_choose(const HostRoots *roots, const char *driver, SecurityModel *ret_model,
                           GError **error);
