/* The calls about node devices, a table for each kind. */
#pragma once

#include "common/procedure.h"

extern const ProcedureTable nodedev_list_procedures;
extern const ProcedureTable nodedev_look_procedures;
extern const ProcedureTable nodedev_make_procedures;
extern const ProcedureTable nodedev_assign_procedures;
extern const ProcedureTable nodedev_event_procedures;
