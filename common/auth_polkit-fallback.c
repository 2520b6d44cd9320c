/* Built without polkit. */
#include "base/error.h"
#include "common/auth.h"

bool auth_polkit_check(Client *client, GError **error)
{
    error_set(error, VIR_FROM_RPC, VIR_ERR_AUTH_UNAVAILABLE,
              "this daemon was built without support for polkit");
    return false;
}

bool auth_polkit_is_known(void)
{
    return false;
}

bool auth_polkit_is_there(void)
{
    return false;
}

void auth_polkit_cancel(Daemon *daemon)
{
}

void auth_polkit_disconnect(Daemon *daemon)
{
}
