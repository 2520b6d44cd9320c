/* Log filters: which messages of which source are wanted. Owned by logging (log.c). */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* One word of a list of filters or outputs: "LEVEL:REST". */
typedef struct LogWord {
    int level;
    const char *rest;
} LogWord;

typedef struct LogFilter {
    int level;
    char *pattern; /* shell pattern for the name of a source */
} LogFilter;

/* Splits "LEVEL:REST" and checks the level. @what names it in errors ("filter"),
 * @level_name its level ("priority"). Errors: INVALID_ARG. */
bool log_word_parse(const char *word, const char *what, const char *level_name, LogWord *ret_word,
                    GError **error);

/* The filters in @text, separated by spaces, as an array of LogFilter that owns its
 * patterns; NULL on error. Errors: INVALID_ARG. */
GArray *log_filters_parse(const char *text, GError **error);
char *log_filters_format(const GArray *filters);

/* The level of the first filter that matches @source, @fallback if none does. */
int log_filters_level(const GArray *filters, const char *source, int fallback);
