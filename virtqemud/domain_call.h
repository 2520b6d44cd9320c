/* What calls about one domain have in common: finding it, and whether they mean the running
 * guest, the persistent definition, or both. */
#pragma once

#include "virtqemud/domain.h"
#include "virtqemud/driver.h"

/* The domain that the client names by uuid, a new reference. Errors: NO_DOMAIN. */
SUSPENDS Domain *call_get_domain(Call *call, remote_nonnull_domain wire, Driver **ret_driver,
                                 GError **error);

/* VIR_DOMAIN_AFFECT_* of @flags; neither means what there is now. Errors: OPERATION_INVALID for a
 * guest that does not run or a definition that there is not. */
bool domain_resolve_affect(const Domain *domain, unsigned flags, bool *ret_live, bool *ret_config,
                           GError **error);
