/* Names as existing installations make them; only the instance is ours. */
#include "virtqemud/host/cgroup.h"

#include <string.h>

/* machinectl(1) takes names like those of hosts, whose length hostname(7) limits. */
#define MACHINE_NAME_MAX 64

/* A dash or a dot may begin nothing, so it follows a letter or digit. */
static void append_clean(GString *result, const char *text, size_t max)
{
    for (; *text && result->len < max; text++) {
        char last = result->len ? result->str[result->len - 1] : '-';

        if (g_ascii_isalnum(*text) ||
            ((*text == '-' || *text == '.') && last != '-' && last != '.'))
            g_string_append_c(result, *text);
    }
}

char *machine_name_make(const char *driver, int id, const char *name, const char *instance)
{
    GString *result = g_string_new(NULL);
    size_t max = MACHINE_NAME_MAX - (*instance ? strlen(instance) + 1 : 0);

    g_string_printf(result, "%s-%d-", driver, id);
    append_clean(result, name, max);
    while (result->str[result->len - 1] == '-' || result->str[result->len - 1] == '.')
        g_string_truncate(result, result->len - 1);
    if (*instance)
        g_string_append_printf(result, "-%s", instance);
    return g_string_free(result, FALSE);
}
