#include "virtqemud/libvirt_guests/record.h"

#include <string.h>

void guests_record_append(GString *text, const char *uri, const GPtrArray *guests)
{
    for (guint i = 0; i < guests->len; i++) {
        const GuestName *guest = guests->pdata[i];
        char uuid[UUID_TEXT_SIZE];

        g_string_append_printf(text, "%s %s %s\n", uri, uuid_format(&guest->uuid, uuid),
                               guest->name);
    }
}

GPtrArray *guests_record_find(const char *text, const char *uri)
{
    GPtrArray *guests = g_ptr_array_new_with_free_func(guest_name_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        /* Names may have spaces. */
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);
        Uuid uuid;

        if (g_strv_length(words) == 3 && strcmp(words[0], uri) == 0 &&
            uuid_parse(words[1], &uuid, NULL))
            g_ptr_array_add(guests, guest_name_new(words[2], &uuid));
    }
    return guests;
}
