/* Bit maps that grow as needed: sets of CPUs, memory nodes, ports, and whatever else is
 * numbered from 0. Bits that were never set read as 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* A bit number that nobody has: what searches return when there is none. */
#define BITMAP_NONE SIZE_MAX

/* Lists of CPUs in XML documents and arguments are limited to these many bits. */
#define BITMAP_CPUSET_MAX 16384

typedef struct Bitmap Bitmap;

Bitmap *bitmap_new(void);
Bitmap *bitmap_copy(const Bitmap *bitmap);
void bitmap_free(Bitmap *bitmap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bitmap, bitmap_free)

/* Setting a bit takes memory up to it: bound numbers that come from outside first. */
void bitmap_set(Bitmap *bitmap, size_t bit);
void bitmap_clear(Bitmap *bitmap, size_t bit);
bool bitmap_has(const Bitmap *bitmap, size_t bit);

/* Sets bits @first to @last, both included. */
void bitmap_set_range(Bitmap *bitmap, size_t first, size_t last);

size_t bitmap_count(const Bitmap *bitmap);
bool bitmap_equal(const Bitmap *a, const Bitmap *b);
/* Whether @bitmap has every bit of @part. */
bool bitmap_contains(const Bitmap *bitmap, const Bitmap *part);
bool bitmap_overlaps(const Bitmap *a, const Bitmap *b);
void bitmap_intersect(Bitmap *bitmap, const Bitmap *with);
void bitmap_unite(Bitmap *bitmap, const Bitmap *with);
void bitmap_subtract(Bitmap *bitmap, const Bitmap *with);

/* The first bit that is set, or clear, at or after @from. BITMAP_NONE if there is none. */
size_t bitmap_next_set(const Bitmap *bitmap, size_t from);
size_t bitmap_next_clear(const Bitmap *bitmap, size_t from);
/* BITMAP_NONE if no bit is set. */
size_t bitmap_last_set(const Bitmap *bitmap);

/* A list as in "0-3,^2,7" ("formatdomain.html", cpuset): numbers and ranges below
 * @max_bits; "^N" takes one away again, in the order of the text. Blanks may stand
 * around numbers, and one comma at the end. NULL on error. Errors: INVALID_ARG. */
Bitmap *bitmap_parse(const char *text, size_t max_bits, GError **error);

/* The list in its shortest form; "" for an empty map. To be freed. */
char *bitmap_format(const Bitmap *bitmap);

/* A map as it travels: bit N is bit N % 8 of byte N / 8. */
Bitmap *bitmap_from_bytes(const uint8_t *bytes, size_t length);
/* Fills all of @bytes; bits that do not fit are left out. */
void bitmap_to_bytes(const Bitmap *bitmap, uint8_t *bytes, size_t length);
