/* Look-up by uuid: names change, and a client's id may be that of an earlier start. */
#include "virtqemud/domain_call.h"

#include <string.h>

#include "virtqemud/guest/guest.h"
#include "wire/api_domain.h"

Domain *call_get_domain(Call *call, remote_nonnull_domain wire, Driver **ret_driver,
                        GError **error)
{
    Driver *driver = driver_of(call, error);
    Uuid uuid;

    if (!driver)
        return NULL;
    memcpy(uuid.bytes, wire.uuid, sizeof(uuid.bytes));
    *ret_driver = driver;
    return object_store_get_uuid(driver->domains, &uuid, wire.name, error);
}

bool domain_resolve_affect(const Domain *domain, unsigned flags, bool *ret_live, bool *ret_config,
                           GError **error)
{
    bool is_live = flags & VIR_DOMAIN_AFFECT_LIVE;
    bool is_config = flags & VIR_DOMAIN_AFFECT_CONFIG;

    if (!is_live && !is_config) {
        is_live = domain_is_active(domain);
        is_config = !is_live;
    }
    if (is_live && (!domain->guest || domain->guest->phase != GUEST_UP)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return false;
    }
    if (is_config && !domain->is_persistent) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                  "transient domains do not have any persistent config");
        return false;
    }
    *ret_live = is_live;
    *ret_config = is_config;
    return true;
}
