/* Names and messages of taints; a new one is a row. */
#include "virtqemud/guest/taint.h"

#include <glib.h>

static const struct {
    const char *name, *message;
} taints[N_TAINTS] = {
    [TAINT_HIGH_PRIVILEGES] = { "high-privileges",
                                "tainted: running with undesirable elevated privileges" },
    [TAINT_CUSTOM_DTB] = { "custom-dtb", "tainted: custom device tree blob used" },
    [TAINT_DEPRECATED_CONFIG] = { "deprecated-config",
                                  "tainted: use of deprecated configuration settings" },
    [TAINT_CUSTOM_MONITOR] = { "custom-monitor",
                               "tainted: custom monitor control commands issued" },
};

const char *taint_name(GuestTaint taint)
{
    return taints[taint].name;
}

const char *taint_message(GuestTaint taint)
{
    return taints[taint].message;
}

bool taint_from_name(const char *name, GuestTaint *ret_taint)
{
    for (int i = 0; i < N_TAINTS; i++) {
        if (g_strcmp0(taints[i].name, name) == 0) {
            *ret_taint = (GuestTaint)i;
            return true;
        }
    }
    return false;
}
