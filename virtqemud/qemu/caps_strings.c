#include "virtqemud/qemu/caps_strings.h"

#include <string.h>

static int compare(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

/* The distinct strings, sorted, and the bytes they take. */
static GPtrArray *sort(const GPtrArray *strings, gsize *ret_bytes)
{
    GPtrArray *sorted = g_ptr_array_sized_new(strings->len);
    gsize bytes = 0;
    guint kept = 0;

    for (guint i = 0; i < strings->len; i++) {
        if (strings->pdata[i])
            g_ptr_array_add(sorted, strings->pdata[i]);
    }
    g_ptr_array_sort(sorted, compare);
    for (guint i = 0; i < sorted->len; i++) {
        if (kept > 0 && strcmp(sorted->pdata[kept - 1], sorted->pdata[i]) == 0)
            continue;
        bytes += strlen(sorted->pdata[i]) + 1;
        sorted->pdata[kept++] = sorted->pdata[i];
    }
    g_ptr_array_set_size(sorted, (gint) kept);
    *ret_bytes = bytes;
    return sorted;
}

void string_set_init(StringSet *set, const GPtrArray *strings)
{
    gsize bytes;
    g_autoptr(GPtrArray) sorted = sort(strings, &bytes);
    char *end;

    set->text = end = g_malloc(bytes + 1);
    set->offsets = g_new(guint32, sorted->len + 1);
    set->count = sorted->len;
    for (guint i = 0; i < sorted->len; i++) {
        set->offsets[i] = (guint32) (end - set->text);
        end = g_stpcpy(end, sorted->pdata[i]) + 1;
    }
}

void string_set_clear(StringSet *set)
{
    g_clear_pointer(&set->text, g_free);
    g_clear_pointer(&set->offsets, g_free);
    set->count = 0;
}

const char *string_set_find(const StringSet *set, const char *string)
{
    guint low = 0, high = set->count;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        int order = strcmp(string, string_set_at(set, middle));

        if (order == 0)
            return string_set_at(set, middle);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
