/* Giving up capabilities, with libcap-ng. */
#include "common/privileges.h"

#include <cap-ng.h>
#include <errno.h>

#include "base/error.h"
#include "base/log.h"

LOG_INIT("daemon.privileges");

#define EVERY_SET (CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET)

char *privileges_name(unsigned capability)
{
    const char *name = capng_capability_to_name(capability);
    g_autofree char *upper = name ? g_ascii_strup(name, -1) : NULL;

    return upper ? g_strdup_printf("CAP_%s", upper) : g_strdup_printf("capability %u", capability);
}

static bool is_held(unsigned capability)
{
    return capng_have_capability(CAPNG_PERMITTED, capability) ||
           capng_have_capability(CAPNG_INHERITABLE, capability) ||
           capng_have_capability(CAPNG_BOUNDING_SET, capability);
}

/* In the library's picture of this process. How many there were to give up is returned: none
 * under a unit of ours, whose filter of system calls would not let them be given up either. */
static unsigned mark_others(uint64_t capabilities)
{
    unsigned n = 0;

    for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++) {
        if (capabilities & UINT64_C(1) << capability || !is_held(capability))
            continue;
        capng_update(CAPNG_DROP, EVERY_SET, capability);
        n++;
    }
    return n;
}

bool privileges_limit(uint64_t capabilities, GError **error)
{
    capng_select_t sets = CAPNG_SELECT_BOTH;
    unsigned n;

    capng_clear(CAPNG_SELECT_BOTH);
    if (capng_get_caps_process() < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "Cannot read the capabilities of this process");
        return false;
    }
    /* Without this one the bounding set cannot be made smaller; in a container, whoever made it
     * has decided on that. */
    if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
        sets = CAPNG_SELECT_CAPS;
    n = mark_others(capabilities);
    if (n > 0 && capng_apply(sets) != 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "Cannot give up capabilities, %u of them", n);
        return false;
    }
    LOG_DEBUG("capabilities that were given up: %u", n);
    return true;
}
