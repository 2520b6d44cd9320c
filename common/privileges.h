/* What a daemon that root has started may do beyond what anybody may: the capabilities
 * (capabilities(7)) of its description in systemd/daemons/, which its unit is made from, too. All
 * others are given up for good, by what it executes as well. Holds no state. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* "CAP_SYS_ADMIN" for 21; to be freed. */
char *privileges_name(unsigned capability);
/* Gives up every capability that is not in @capabilities, a bit for each (1 << CAP_KILL). Before
 * the first thread, which would keep its own. What this process does not have, it does not get.
 * Errors: SYSTEM_ERROR when the kernel refuses. */
bool privileges_limit(uint64_t capabilities, GError **error);
