/* From a client's XML to a definition that can be kept or started: read, completed with what
 * the emulator and the machine bring, and checked. */
#pragma once

#include "virtqemud/driver.h"

/* May probe the emulator. Errors: what the XML has wrong, or the emulator. */
SUSPENDS DomainDef *domain_prepare_definition(Driver *driver, const char *xml, bool is_validated,
                                              GError **error);

/* The domain that @def is of: the one with its uuid and name, or a new one, which is in no store
 * yet. A reference. Errors: OPERATION_FAILED when only one of the two is taken. */
Domain *domain_find_for(Driver *driver, const DomainDef *def, bool *ret_is_new, GError **error);
