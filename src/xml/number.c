/* Numbers more generous than base/units.h: documents in the field have white space before
 * theirs, and addresses are written in any base. */
#include "xml/number.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

static const char *skip_space(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

bool xml_number_int(const char *text, bool any_base, int64_t min, int64_t max, int64_t *ret)
{
    char *end = NULL;
    int64_t value = 0;

    text = skip_space(text);
    errno = 0;
    value = g_ascii_strtoll(text, &end, any_base ? 0 : 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return false;
    *ret = value;
    return true;
}

bool xml_number_uint(const char *text, bool any_base, uint64_t max, uint64_t *ret)
{
    char *end = NULL;
    uint64_t value = 0;

    text = skip_space(text);
    /* g_ascii_strtoull would wrap a negative number around. */
    if (*text == '-')
        return false;
    errno = 0;
    value = g_ascii_strtoull(text, &end, any_base ? 0 : 10);
    if (errno != 0 || end == text || *end != '\0' || value > max)
        return false;
    *ret = value;
    return true;
}
