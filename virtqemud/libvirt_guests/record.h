/* The list of guests that ran when the host shut down (actions.h). */
#pragma once

#include "virtqemud/libvirt_guests/connection.h"

/* Adds the guests of @uri to the text of a list. */
void guests_record_append(GString *text, const char *uri, const GPtrArray *guests);
/* Of GuestName: those of @uri in @text; lines that cannot be understood are left out. */
GPtrArray *guests_record_find(const char *text, const char *uri);
