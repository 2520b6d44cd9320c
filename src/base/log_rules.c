/* Settings of filters and outputs are words of the form "LEVEL:REST". The words of the
 * errors are those that clients of the administration interface know. */
#include "base/log_rules.h"

#include <fnmatch.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

bool log_word_parse(const char *word, const char *what, const char *level_name, LogWord *ret_word,
                    GError **error)
{
    const char *colon = strchr(word, ':');
    const char *digits = word;
    int level = 0;

    if (colon == NULL) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Malformed format for %s '%s'", what,
                  word);
        return false;
    }
    /* Signs and zeros in front have always been accepted as in any number. */
    if (*digits == '+')
        digits++;
    while (digits + 1 < colon && *digits == '0')
        digits++;
    if (colon - digits == 1 && g_ascii_isdigit(*digits))
        level = g_ascii_digit_value(*digits);
    if (level < LOG_LEVEL_DEBUG || level > LOG_LEVEL_ERROR) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Invalid %s '%.*s' for %s '%s'",
                  level_name, (int) (colon - word), word, what, word);
        return false;
    }
    ret_word->level = level;
    ret_word->rest = colon + 1;
    return true;
}

/* For GArray, which owns what its elements point to. */
static void filter_clear(gpointer data)
{
    LogFilter *filter = data;

    g_clear_pointer(&filter->pattern, g_free);
}

/* "LEVEL:MATCH", where a match is found anywhere in the name of a source. */
static bool filter_parse(const char *text, LogFilter *ret_filter, GError **error)
{
    const char *match;
    LogWord word;

    if (!log_word_parse(text, "filter", "priority", &word, error))
        return false;
    match = word.rest;
    /* A leading '+' used to ask for stack traces and stays accepted. */
    if (*match == '+')
        match++;
    if (*match == '\0') {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Invalid match string '%s'",
                  word.rest);
        return false;
    }
    if (strchr(match, ':') != NULL) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Malformed format for filter '%s'",
                  text);
        return false;
    }
    ret_filter->level = word.level;
    /* What was read back from us may be set again without growing stars. */
    ret_filter->pattern = g_strdup_printf("%s%s%s", *match == '*' ? "" : "*", match,
                                          g_str_has_suffix(match, "*") ? "" : "*");
    return true;
}

GArray *log_filters_parse(const char *text, GError **error)
{
    g_autoptr(GArray) filters = g_array_new(FALSE, FALSE, sizeof(LogFilter));
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    g_array_set_clear_func(filters, filter_clear);
    for (size_t i = 0; words[i] != NULL; i++) {
        LogFilter filter;

        if (words[i][0] == '\0')
            continue;
        if (!filter_parse(words[i], &filter, error))
            return NULL;
        g_array_append_val(filters, filter);
    }
    return g_steal_pointer(&filters);
}

char *log_filters_format(const GArray *filters)
{
    GString *text = g_string_new(NULL);

    for (unsigned int i = 0; i < filters->len; i++) {
        const LogFilter *filter = &g_array_index(filters, LogFilter, i);

        g_string_append_printf(text, "%s%d:%s", i > 0 ? " " : "", filter->level, filter->pattern);
    }
    return g_string_free(text, FALSE);
}

int log_filters_level(const GArray *filters, const char *source, int fallback)
{
    for (unsigned int i = 0; i < filters->len; i++) {
        const LogFilter *filter = &g_array_index(filters, LogFilter, i);

        if (fnmatch(filter->pattern, source, 0) == 0)
            return filter->level;
    }
    return fallback;
}
