/* Built without libcap-ng: a daemon keeps what it was started with. */
#include "common/privileges.h"

#include "base/log.h"

LOG_INIT("daemon.privileges");

bool privileges_limit(uint64_t capabilities, GError **error)
{
    LOG_DEBUG("this build does not give up capabilities");
    return true;
}

char *privileges_name(unsigned capability)
{
    return g_strdup_printf("capability %u", capability);
}
