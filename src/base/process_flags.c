#include "base/process_flags.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

/* proc(5): the fields after the name, which is in parentheses and may contain any. */
#define STAT_FIELD_AFTER_NAME 3
#define STAT_FIELD_FLAGS 9
/* PF_EXITING of the kernel's include/linux/sched.h. */
#define EXITING 0x4

bool process_is_exiting(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *text = NULL;

    if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL))
        return false;
    const char *field = strrchr(text, ')');
    for (int i = STAT_FIELD_AFTER_NAME; field && i <= STAT_FIELD_FLAGS; i++)
        field = strchr(field + 1, ' ');
    return field && strtoul(field + 1, NULL, 10) & EXITING;
}

bool process_is_traced(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;

    if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL))
        return false;
    const char *tracer = strstr(text, "\nTracerPid:");
    return tracer && strtol(tracer + strlen("\nTracerPid:"), NULL, 10) != 0;
}
