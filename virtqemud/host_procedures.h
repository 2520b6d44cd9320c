/* Calls about the host (manual: libvirt-host): arguments in, one function of host/, result
 * out. What the kernel shows is read anew for each call. */
#pragma once

#include "common/procedure.h"

extern const ProcedureTable capabilities_procedures;
extern const ProcedureTable host_procedures;
extern const ProcedureTable memory_procedures;
extern const ProcedureTable suspend_procedures;

/* Room that a caller gives for a list, between 0 and @max. Errors: INTERNAL_ERROR. */
bool host_check_room(int n_params, int max, GError **error);
