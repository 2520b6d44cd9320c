/* MAC addresses of network interfaces. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define MAC_LENGTH 6
/* The text form and its terminator. */
#define MAC_TEXT_SIZE 18

typedef struct Mac {
    uint8_t bytes[MAC_LENGTH];
} Mac;

/* Six numbers of one or two hexadecimal digits, separated by colons; blanks may follow.
 * Errors: INVALID_MAC. */
bool mac_parse(const char *text, Mac *ret_mac, GError **error);

/* Writes the lower case form, two digits each, and returns @text. */
const char *mac_format(const Mac *mac, char text[static MAC_TEXT_SIZE]);

/* A random one beginning with 52:54:00, as guests' interfaces have them. */
void mac_generate(Mac *ret_mac);

/* Whether it addresses a group (broadcast too), which no interface may have. */
bool mac_is_multicast(const Mac *mac);

/* As memcmp: orders addresses. */
int mac_compare(const Mac *a, const Mac *b);
