/* How many virtual processors a guest may have, by its type (manual:
 * virConnectGetMaxVcpus). What an emulator allows is in the domain capabilities. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/roots.h"

/* @type is a domain type in any case, or NULL for the default. Errors: INVALID_ARG for a type that
 * is not ours, SYSTEM_ERROR when KVM is asked for and cannot be. */
bool max_vcpus_read(const HostRoots *roots, const char *type, guint *ret_max, GError **error);
