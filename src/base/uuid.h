/* UUIDs: the identities of domains, networks, pools and secrets. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define UUID_LENGTH 16
/* The text form and its terminator. */
#define UUID_TEXT_SIZE 37

typedef struct Uuid {
    uint8_t bytes[UUID_LENGTH];
} Uuid;

/* 32 hexadecimal digits of any case with dashes (or blanks) between any two bytes and
 * blanks around, as clients have always been allowed to write them.
 * Errors: INVALID_ARG. */
bool uuid_parse(const char *text, Uuid *ret_uuid, GError **error);

/* Writes the lower case form with dashes and returns @text. */
const char *uuid_format(const Uuid *uuid, char text[static UUID_TEXT_SIZE]);

/* A random one (version 4, RFC 4122). */
void uuid_generate(Uuid *ret_uuid);

/* False if all bytes are 0 or all are 0xff: that is no identity of anything. */
bool uuid_is_valid(const Uuid *uuid);

/* For GHashTable with const Uuid * keys. */
guint uuid_hash(gconstpointer uuid);
gboolean uuid_equal(gconstpointer a, gconstpointer b);
