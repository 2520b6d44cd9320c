/* Values that the manual's schemas have in common (basictypes.rng). White space around a value counts,
 * but where it is said that it does not: those are the schema language's own integers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool xml_is_empty(const char *text); /* white space at most */
bool xml_is_unsigned_int(const char *text);
bool xml_is_unsigned_long(const char *text);
/* With or without a sign and white space around it; the second from 0 on. */
bool xml_is_int(const char *text);
bool xml_is_number_up_to(const char *text, uint64_t max);
bool xml_is_hexuint(const char *text); /* "0x1f" or "1f" */
bool xml_is_uuid(const char *text);    /* all dashes or none */
bool xml_is_wwn(const char *text);     /* "0x2001001b32a9da4e", or without "0x" */
bool xml_is_mac(const char *text);     /* "52:54:00:00:00:01" */
/* "0x" and @min to @max hexadecimal digits. */
bool xml_is_hex_digits(const char *text, size_t min, size_t max);
