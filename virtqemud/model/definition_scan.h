/* What lists need of a definition file, read without making a document of it: thousands of files
 * are looked at when a daemon starts. Knows only the XML that daemons write; whatever looks
 * different is for the full parser. */
#pragma once

#include "base/uuid.h"

typedef struct DefinitionSummary {
    char *name;
    Uuid uuid;
    char *title; /* NULL */
} DefinitionSummary;

/* Reads @text of @len bytes, followed by a NUL: comments, then <domain> as it is written to
 * files. True when it is well-formed to the end and names a domain and its uuid, as the full
 * parser would find them; values of other elements are not looked at. False, with *@ret_summary
 * untouched, for everything else: that is no error yet. */
bool definition_scan(const char *text, gsize len, DefinitionSummary *ret_summary);
void definition_summary_clear(DefinitionSummary *summary);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DefinitionSummary, definition_summary_clear)
