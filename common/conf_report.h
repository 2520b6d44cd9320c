/* What an operator is told about a configuration file, line by line: problems keep the daemon from
 * using it, notices do not. Loading goes on after a problem, so that --check-config shows all at
 * once. Belongs to one load. */
#pragma once

#include "common/conf_file.h"

typedef struct ConfReport {
    const ConfFile *file; /* NULL: there is none, defaults alone */
    GPtrArray *problems;  /* of strings, "FILE:LINE: reason"; the caller's, as are the notices */
    GPtrArray *notices;
} ConfReport;

void conf_problem(const ConfReport *report, int line, const char *format, ...) G_GNUC_PRINTF(3, 4);
void conf_notice(const ConfReport *report, int line, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The line of the entry that sets @key, 0 if the file leaves it alone. */
int conf_line_of(const ConfReport *report, const char *key);
