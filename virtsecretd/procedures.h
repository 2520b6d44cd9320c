/* The calls about secrets, a table for each kind. */
#pragma once

#include "common/procedure.h"

extern const ProcedureTable secret_list_procedures;
extern const ProcedureTable secret_define_procedures;
extern const ProcedureTable secret_value_procedures;
extern const ProcedureTable secret_event_procedures;
