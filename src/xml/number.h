/* Whole numbers as XML holds them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A number between @min and @max: white space or a sign may stand before it, nothing
 * behind it. Decimal, or with @any_base as C writes it. */
bool xml_number_int(const char *text, bool any_base, int64_t min, int64_t max, int64_t *ret);

/* The same without sign but '+', up to @max. */
bool xml_number_uint(const char *text, bool any_base, uint64_t max, uint64_t *ret);
