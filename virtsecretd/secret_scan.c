/* Reading what we have written ourselves: a file of ours has one layout, so comparing is enough.
 * The only freedom is in three texts, and one that has an entity in it (or anything else that the
 * writer would not put there) is left to the parser. */
#include <string.h>

#include "virtsecretd/secret_def.h"
#include "virtsecretd/usage.h"
#include "wire/api_secret.h"

/* Moves *@at behind @expected if that is what stands there. */
static bool skip(const char **at, const char *expected)
{
    size_t length = strlen(expected);

    if (strncmp(*at, expected, length) != 0)
        return false;
    *at += length;
    return true;
}

/* Takes the text up to @end, and skips that. NULL when it is empty or not plain. */
static char *take_text(const char **at, const char *end)
{
    const char *found = strstr(*at, end);
    char *text;

    if (!found || found == *at)
        return NULL;
    text = g_strndup(*at, (size_t)(found - *at));
    /* Carriage returns would be read as newlines; what is no UTF-8 is refused. */
    if (strpbrk(text, "<>&'\"\r") || strstr(text, "\xef\xbf\xbe") ||
        strstr(text, "\xef\xbf\xbf") || !g_utf8_validate(text, -1, NULL)) {
        g_free(text);
        return NULL;
    }
    for (const char *p = text; *p; p++) {
        if (g_ascii_iscntrl(*p) && *p != '\n' && *p != '\t') {
            g_free(text);
            return NULL;
        }
    }
    *at = found + strlen(end);
    return text;
}

/* Both words are always written, so both are expected. */
static bool scan_flag(const char **at, const char *name, bool *ret_flag)
{
    if (!skip(at, name))
        return false;
    *ret_flag = skip(at, "'yes'");
    return *ret_flag || skip(at, "'no'");
}

/* The element has to be the one that belongs to the type. */
static bool scan_usage(const char **at, SecretDef *def)
{
    g_autofree char *type = NULL;
    g_autofree char *open = NULL;
    g_autofree char *close = NULL;
    const char *element;

    if (!skip(at, "  <usage type='"))
        return true;
    type = take_text(at, "'>\n");
    if (!type || !secret_usage_from_name(type, &def->usage_type) ||
        !secret_usages[def->usage_type].element)
        return false;
    element = secret_usages[def->usage_type].element;
    open = g_strdup_printf("    <%s>", element);
    close = g_strdup_printf("</%s>\n  </usage>\n", element);
    if (!skip(at, open))
        return false;
    def->usage_id = take_text(at, close);
    return def->usage_id != NULL;
}

/* Up to the last byte: a file that was cut is not ours. */
static bool scan(const char *at, SecretDef *def)
{
    g_autofree char *uuid = NULL;
    char text[UUID_TEXT_SIZE];

    if (!skip(&at, "<secret ") || !scan_flag(&at, "ephemeral=", &def->is_ephemeral) ||
        !scan_flag(&at, " private=", &def->is_private) || !skip(&at, ">\n  <uuid>"))
        return false;
    uuid = take_text(&at, "</uuid>\n");
    if (!uuid || !uuid_parse(uuid, &def->uuid, NULL) ||
        strcmp(uuid_format(&def->uuid, text), uuid) != 0)
        return false;
    if (skip(&at, "  <description>")) {
        def->description = take_text(&at, "</description>\n");
        if (!def->description)
            return false;
    }
    return scan_usage(&at, def) && strcmp(at, "</secret>\n") == 0;
}

SecretDef *secret_def_scan(const char *xml)
{
    g_autoptr(SecretDef) def = g_new0(SecretDef, 1);

    return scan(xml, def) ? g_steal_pointer(&def) : NULL;
}
