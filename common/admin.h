/* The admin program: servers, worker pools, clients, limits, logging, TLS files, the idle
 * timeout and the end of the daemon, all effective at once. */
#pragma once

#include "common/procedure.h"

extern const ProcedureTable admin_procedures;
