/* An access driver that allows every call and shows nobody anything in lists. It stands in for the
 * daemons' own, which is in a library and so gives way. */
#include "common/access.h"

bool access_check(Client *client, const WireProcedure *wire, GError **error)
{
    return true;
}

bool access_may_list(Client *client, const WireProcedure *wire)
{
    return wire->acl_filter[0] == '\0';
}
