/* A sorted set of strings in two allocations, for the thousands of names that an emulator
 * knows. Never changed. */
#pragma once

#include <glib.h>

typedef struct StringSet {
    char *text;       /* the strings, one after the other */
    guint32 *offsets; /* in @text, in the order of strcmp() */
    guint count;
} StringSet;

/* Takes copies; repeated ones and NULL count once and not at all. */
void string_set_init(StringSet *set, const GPtrArray *strings);
void string_set_clear(StringSet *set);
/* The set's own copy of @string, or NULL. */
const char *string_set_find(const StringSet *set, const char *string);
static inline const char *string_set_at(const StringSet *set, guint index)
{
    return set->text + set->offsets[index];
}
