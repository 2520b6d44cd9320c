/* Numbers and sizes from text: strict, as clients, files and XML documents write them.
 * All refuse what is not wholly a number (blanks, signs where none belong, leftovers)
 * and say so with INVALID_ARG; what is too large is OVERFLOW. @ret is untouched then. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* @base is 8, 10 or 16 ("0x" before base 16 is accepted). An initial '+' is accepted. */
bool parse_uint64(const char *text, int base, uint64_t *ret, GError **error);
bool parse_uint32(const char *text, int base, uint32_t *ret, GError **error);

/* The same with an optional '-'. */
bool parse_int64(const char *text, int base, int64_t *ret, GError **error);
bool parse_int32(const char *text, int base, int32_t *ret, GError **error);

/* "yes" and "no". */
bool parse_yes_no(const char *text, bool *ret, GError **error);
/* "on" and "off". */
bool parse_on_off(const char *text, bool *ret, GError **error);

/* Multiplies *@value by what @suffix stands for: "b", "byte(s)", "k" or "KiB" (1024),
 * "KB" (1000) and so on with M, G, T, P, E, in any case ("formatdomain.html", memory
 * unit). NULL or "" means @default_scale bytes. The result is at most @limit bytes. */
bool scale_bytes(uint64_t *value, const char *suffix, uint64_t default_scale, uint64_t limit,
                 GError **error);

/* A number with its suffix in one word ("10", "10KiB", "10 KiB"). */
bool parse_bytes(const char *text, uint64_t default_scale, uint64_t limit, uint64_t *ret,
                 GError **error);
