#include "common/conf_report.h"

#include <stdarg.h>

static void add(const ConfReport *report, GPtrArray *texts, int line, const char *format,
                va_list arguments) G_GNUC_PRINTF(4, 0);

static void add(const ConfReport *report, GPtrArray *texts, int line, const char *format,
                va_list arguments)
{
    g_autofree char *text = g_strdup_vprintf(format, arguments);

    g_ptr_array_add(texts, g_strdup_printf("%s:%d: %s", report->file->path, line, text));
}

void conf_problem(const ConfReport *report, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(report, report->problems, line, format, arguments);
    va_end(arguments);
}

void conf_notice(const ConfReport *report, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(report, report->notices, line, format, arguments);
    va_end(arguments);
}

int conf_line_of(const ConfReport *report, const char *key)
{
    const ConfEntry *entry = report->file ? conf_file_find(report->file, key) : NULL;

    return entry ? entry->line : 0;
}
