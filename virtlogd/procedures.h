/* The log manager's four calls, which virtqemud (any libvirt's) makes for its guests. */
#pragma once

#include "common/procedure.h"

extern const ProcedureTable log_procedures;
