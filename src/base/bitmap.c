/* An array of words, as long as the highest bit that was ever set needs; everything after
 * its end counts as 0, so maps of different lengths compare and combine freely. */
#include "base/bitmap.h"

#include <string.h>

#include "base/error.h"

/* of uint64_t, also where long has 32 */
#define WORD_BITS 64

struct Bitmap {
    uint64_t *words; /* bit N is bit N % 64 of word N / 64 */
    size_t n_words;
};

Bitmap *bitmap_new(void)
{
    return g_new0(Bitmap, 1);
}

Bitmap *bitmap_copy(const Bitmap *bitmap)
{
    Bitmap *copy = bitmap_new();

    copy->words = g_memdup2(bitmap->words, bitmap->n_words * sizeof(uint64_t));
    copy->n_words = bitmap->n_words;
    return copy;
}

void bitmap_free(Bitmap *bitmap)
{
    if (bitmap == NULL)
        return;
    g_free(bitmap->words);
    g_free(bitmap);
}

/* Words after the end are 0. */
static uint64_t word_at(const Bitmap *bitmap, size_t index)
{
    return index < bitmap->n_words ? bitmap->words[index] : 0;
}

/* Never shrinks. */
static void bitmap_grow(Bitmap *bitmap, size_t n_words)
{
    if (n_words <= bitmap->n_words)
        return;
    bitmap->words = g_renew(uint64_t, bitmap->words, n_words);
    memset(bitmap->words + bitmap->n_words, 0, (n_words - bitmap->n_words) * sizeof(uint64_t));
    bitmap->n_words = n_words;
}

/* The caller limits @bit: it decides how much memory the map takes. */
void bitmap_set(Bitmap *bitmap, size_t bit)
{
    bitmap_grow(bitmap, bit / WORD_BITS + 1);
    bitmap->words[bit / WORD_BITS] |= UINT64_C(1) << (bit % WORD_BITS);
}

void bitmap_clear(Bitmap *bitmap, size_t bit)
{
    if (bit / WORD_BITS < bitmap->n_words)
        bitmap->words[bit / WORD_BITS] &= ~(UINT64_C(1) << (bit % WORD_BITS));
}

bool bitmap_has(const Bitmap *bitmap, size_t bit)
{
    return (word_at(bitmap, bit / WORD_BITS) >> (bit % WORD_BITS) & 1) != 0;
}

void bitmap_set_range(Bitmap *bitmap, size_t first, size_t last)
{
    if (first > last)
        return;
    bitmap_grow(bitmap, last / WORD_BITS + 1);
    for (size_t i = first / WORD_BITS; i <= last / WORD_BITS; i++) {
        uint64_t mask = UINT64_MAX;

        if (i == first / WORD_BITS)
            mask &= UINT64_MAX << (first % WORD_BITS);
        if (i == last / WORD_BITS)
            mask &= UINT64_MAX >> (WORD_BITS - 1 - last % WORD_BITS);
        bitmap->words[i] |= mask;
    }
}

size_t bitmap_count(const Bitmap *bitmap)
{
    size_t count = 0;

    for (size_t i = 0; i < bitmap->n_words; i++)
        count += (size_t) __builtin_popcountll(bitmap->words[i]);
    return count;
}

/* By content: one of them may be longer, if it ends in zeros. */
bool bitmap_equal(const Bitmap *a, const Bitmap *b)
{
    for (size_t i = 0; i < MAX(a->n_words, b->n_words); i++) {
        if (word_at(a, i) != word_at(b, i))
            return false;
    }
    return true;
}

/* Every map contains the empty one. */
bool bitmap_contains(const Bitmap *bitmap, const Bitmap *part)
{
    for (size_t i = 0; i < part->n_words; i++) {
        if ((part->words[i] & ~word_at(bitmap, i)) != 0)
            return false;
    }
    return true;
}

bool bitmap_overlaps(const Bitmap *a, const Bitmap *b)
{
    for (size_t i = 0; i < MIN(a->n_words, b->n_words); i++) {
        if ((a->words[i] & b->words[i]) != 0)
            return true;
    }
    return false;
}

/* The length stays: bits are cleared, not cut off. */
void bitmap_intersect(Bitmap *bitmap, const Bitmap *with)
{
    for (size_t i = 0; i < bitmap->n_words; i++)
        bitmap->words[i] &= word_at(with, i);
}

void bitmap_unite(Bitmap *bitmap, const Bitmap *with)
{
    bitmap_grow(bitmap, with->n_words);
    for (size_t i = 0; i < with->n_words; i++)
        bitmap->words[i] |= with->words[i];
}

void bitmap_subtract(Bitmap *bitmap, const Bitmap *with)
{
    for (size_t i = 0; i < bitmap->n_words; i++)
        bitmap->words[i] &= ~word_at(with, i);
}

size_t bitmap_next_set(const Bitmap *bitmap, size_t from)
{
    /* Hides the bits before @from in the first word. */
    uint64_t mask = UINT64_MAX << (from % WORD_BITS);

    for (size_t i = from / WORD_BITS; i < bitmap->n_words; i++) {
        uint64_t word = bitmap->words[i] & mask;

        if (word != 0)
            return i * WORD_BITS + (size_t) __builtin_ctzll(word);
        mask = UINT64_MAX;
    }
    return BITMAP_NONE;
}

/* Always finds one: a map has no end. */
size_t bitmap_next_clear(const Bitmap *bitmap, size_t from)
{
    uint64_t mask = UINT64_MAX << (from % WORD_BITS);

    for (size_t i = from / WORD_BITS; i < bitmap->n_words; i++) {
        uint64_t word = ~bitmap->words[i] & mask;

        if (word != 0)
            return i * WORD_BITS + (size_t) __builtin_ctzll(word);
        mask = UINT64_MAX;
    }
    /* All bits after the end are clear. */
    return MAX(from, bitmap->n_words * WORD_BITS);
}

size_t bitmap_last_set(const Bitmap *bitmap)
{
    for (size_t i = bitmap->n_words; i > 0; i--) {
        uint64_t word = bitmap->words[i - 1];

        if (word != 0)
            return i * WORD_BITS - 1 - (size_t) __builtin_clzll(word);
    }
    return BITMAP_NONE;
}

static void skip_blanks(const char **p)
{
    while (g_ascii_isspace(**p))
        (*p)++;
}

/* A number below @max_bits. */
static bool take_number(const char **p, size_t max_bits, size_t *ret_number)
{
    size_t number = 0;

    if (!g_ascii_isdigit(**p))
        return false;
    for (; g_ascii_isdigit(**p); (*p)++) {
        number = number * 10 + (size_t) g_ascii_digit_value(**p);
        /* At once: a long row of digits must not overflow into a small number. */
        if (number >= max_bits)
            return false;
    }
    *ret_number = number;
    return true;
}

/* "N", "N-M" or "^N", with blanks around. */
static bool take_item(Bitmap *bitmap, const char **p, size_t max_bits)
{
    size_t first;
    size_t last;

    skip_blanks(p);
    if (**p == '^') {
        (*p)++;
        if (!take_number(p, max_bits, &first))
            return false;
        bitmap_clear(bitmap, first);
        skip_blanks(p);
        return true;
    }
    if (!take_number(p, max_bits, &first))
        return false;
    last = first;
    skip_blanks(p);
    if (**p == '-') {
        (*p)++;
        skip_blanks(p);
        if (!take_number(p, max_bits, &last) || last < first)
            return false;
        skip_blanks(p);
    }
    bitmap_set_range(bitmap, first, last);
    return true;
}

/* Items separated by commas; a comma at the very end separates nothing. */
static bool take_list(Bitmap *bitmap, const char *p, size_t max_bits)
{
    while (take_item(bitmap, &p, max_bits)) {
        if (*p == '\0')
            return true;
        if (*p++ != ',')
            return false;
        skip_blanks(&p);
        if (*p == '\0')
            return true;
    }
    return false;
}

Bitmap *bitmap_parse(const char *text, size_t max_bits, GError **error)
{
    g_autoptr(Bitmap) bitmap = bitmap_new();

    /* So that a number cannot overflow before it is compared. */
    g_return_val_if_fail(max_bits <= SIZE_MAX / 16, NULL);
    if (!take_list(bitmap, text, max_bits)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", text);
        return NULL;
    }
    return g_steal_pointer(&bitmap);
}

char *bitmap_format(const Bitmap *bitmap)
{
    GString *text = g_string_new(NULL);
    size_t first = bitmap_next_set(bitmap, 0);

    while (first != BITMAP_NONE) {
        size_t end = bitmap_next_clear(bitmap, first);

        g_string_append_printf(text, "%s%zu", text->len > 0 ? "," : "", first);
        if (end - 1 > first)
            g_string_append_printf(text, "-%zu", end - 1);
        first = bitmap_next_set(bitmap, end);
    }
    return g_string_free(text, FALSE);
}

/* As maps of processors are on the wire: bit N is bit N % 8 of byte N / 8, whatever the byte
 * order of the machine. */
Bitmap *bitmap_from_bytes(const uint8_t *bytes, size_t length)
{
    Bitmap *bitmap = bitmap_new();

    bitmap_grow(bitmap, (length + 7) / 8);
    for (size_t i = 0; i < length; i++)
        bitmap->words[i / 8] |= (uint64_t) bytes[i] << (i % 8 * 8);
    return bitmap;
}

void bitmap_to_bytes(const Bitmap *bitmap, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t) (word_at(bitmap, i / 8) >> (i % 8 * 8));
}
