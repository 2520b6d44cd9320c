/* The calls about domains, a table for each kind. */
#pragma once

#include "common/procedure.h"

extern const ProcedureTable domain_list_procedures;
extern const ProcedureTable domain_event_procedures;
extern const ProcedureTable monitor_event_procedures; /* of the QEMU program */
extern const ProcedureTable domain_console_procedures;
extern const ProcedureTable domain_define_procedures;
extern const ProcedureTable domain_info_procedures;
extern const ProcedureTable domain_job_procedures;
extern const ProcedureTable domain_lifecycle_procedures;
extern const ProcedureTable domain_metadata_procedures;
extern const ProcedureTable domain_monitor_procedures; /* of the QEMU program */
extern const ProcedureTable domain_security_procedures;
extern const ProcedureTable domain_stats_procedures;
