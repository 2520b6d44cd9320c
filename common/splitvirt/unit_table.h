/* What systemd says of the suite's units. It is asked, over its bus, and nothing is started by
 * asking; where there is no systemd, or it does not answer, there is a reason instead. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

/* The words are systemd's own (systemd.unit(5), org.freedesktop.systemd1(5)). */
typedef struct Unit {
    char *name;
    char *load;   /* "loaded", "not-found", "masked", … */
    char *active; /* "active", "inactive", "failed", … */
    char *sub;    /* "running", "listening", … */
    char *result; /* "success", "exit-code", …; NULL: not told */
    char *file_state; /* "enabled", "disabled", …; NULL: not told */
    pid_t main_pid;   /* of a service that runs, or 0 */
    int exit_status;  /* of a service's last process */
} Unit;

typedef struct UnitTable UnitTable;

/* Asks for the units @names (NULL-terminated). NULL when systemd cannot be asked; @ret_reason
 * says why then (to be freed), and @ret_is_there whether it is there nevertheless. Blocks for
 * seconds at most. */
UnitTable *unit_table_read(const char *const *names, bool *ret_is_there, char **ret_reason);
void unit_table_free(UnitTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnitTable, unit_table_free)

/* NULL for a NULL table, and for a unit that was not asked for. */
const Unit *unit_table_find(const UnitTable *table, const char *name);
/* Each takes NULL: such a unit is nothing of it. */
bool unit_is_installed(const Unit *unit); /* masked ones, too */
bool unit_is_masked(const Unit *unit);
bool unit_is_active(const Unit *unit); /* or on its way there or back */
bool unit_has_failed(const Unit *unit);
/* "virtqemud.service failed: exit-code, status 1"; to be freed. */
char *unit_describe_failure(const Unit *unit);
