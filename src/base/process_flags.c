#include "base/process_flags.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

/* proc(5): the fields after the name, which is in parentheses and may contain any. */
#define STAT_FIELD_AFTER_NAME 3
#define STAT_FIELD_FLAGS 9
/* PF_EXITING of the kernel's include/linux/sched.h. */
#define EXITING 0x4

/* To be freed; NULL when there is no such process. */
static char *read_file_of(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", pid, name);
    char *text = NULL;

    return pid > 0 && g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

bool process_is_exiting(pid_t pid)
{
    g_autofree char *text = read_file_of(pid, "stat");
    const char *field = text ? strrchr(text, ')') : NULL;

    for (int i = STAT_FIELD_AFTER_NAME; field && i <= STAT_FIELD_FLAGS; i++)
        field = strchr(field + 1, ' ');
    return field && strtoul(field + 1, NULL, 10) & EXITING;
}

bool process_is_traced(pid_t pid)
{
    g_autofree char *text = read_file_of(pid, "status");
    const char *tracer = text ? strstr(text, "\nTracerPid:") : NULL;

    return tracer && strtol(tracer + strlen("\nTracerPid:"), NULL, 10) != 0;
}
