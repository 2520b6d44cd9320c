/* Names of a running guest's devices, as clients use them and QEMU has them as ids. They are
 * kept while the guest runs; names that begin with "ua-" are the user's, and never changed. */
#pragma once

#include "virtqemud/model/domain_def.h"

/* Gives every device of a complete definition its alias. */
void domain_def_assign_aliases(DomainDef *def);
