/* Numbers are read digit by digit: the functions of the C library skip blanks, take minus
 * signs for unsigned numbers, and follow the locale. */
#include "base/units.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

/* The digits of @text as a number. @named is the whole text for errors; the number ends
 * at @ret_end if that is given, else with the text. */
static bool parse_digits(const char *text, const char *named, int base, uint64_t *ret,
                         const char **ret_end, GError **error)
{
    uint64_t value = 0;
    const char *p = text;

    if (base == 16 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && g_ascii_isxdigit(p[2]))
        p += 2;
    for (text = p; *p != '\0'; p++) {
        int digit = g_ascii_xdigit_value(*p);

        if (digit < 0 || digit >= base)
            break;
        if (__builtin_mul_overflow(value, (uint64_t) base, &value) ||
            __builtin_add_overflow(value, (uint64_t) digit, &value)) {
            error_set(error, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "value too large: %s", named);
            return false;
        }
    }
    if (p == text || (ret_end == NULL && *p != '\0')) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "'%s' is not a number", named);
        return false;
    }
    *ret = value;
    if (ret_end != NULL)
        *ret_end = p;
    return true;
}

/* A plus sign has always been accepted where a number is read. */
static const char *skip_plus(const char *text)
{
    return *text == '+' ? text + 1 : text;
}

bool parse_uint64(const char *text, int base, uint64_t *ret, GError **error)
{
    return parse_digits(skip_plus(text), text, base, ret, NULL, error);
}

/* By the wider parser: what does not fit is told as too large, not cut off. */
bool parse_uint32(const char *text, int base, uint32_t *ret, GError **error)
{
    uint64_t value;

    if (!parse_uint64(text, base, &value, error))
        return false;
    if (value > UINT32_MAX) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "value too large: %s", text);
        return false;
    }
    *ret = (uint32_t) value;
    return true;
}

/* A signed number of at most @max, at least -@max - 1. */
static bool parse_signed(const char *text, int base, uint64_t max, int64_t *ret, GError **error)
{
    bool is_negative = *text == '-';
    uint64_t magnitude;

    if (!parse_digits(is_negative ? text + 1 : skip_plus(text), text, base, &magnitude, NULL,
                      error))
        return false;
    if (magnitude > max + (is_negative ? 1 : 0)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "value too %s: %s",
                  is_negative ? "small" : "large", text);
        return false;
    }
    /* Negated as unsigned: the smallest number has no positive counterpart. */
    *ret = (int64_t) (is_negative ? 0 - magnitude : magnitude);
    return true;
}

bool parse_int64(const char *text, int base, int64_t *ret, GError **error)
{
    return parse_signed(text, base, INT64_MAX, ret, error);
}

bool parse_int32(const char *text, int base, int32_t *ret, GError **error)
{
    int64_t value;

    if (!parse_signed(text, base, INT32_MAX, &value, error))
        return false;
    *ret = (int32_t) value;
    return true;
}

/* One of two words, to the letter. */
static bool parse_choice(const char *text, const char *truth, const char *falsehood, bool *ret,
                         GError **error)
{
    if (strcmp(text, truth) != 0 && strcmp(text, falsehood) != 0) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "'%s' is neither '%s' nor '%s'", text,
                  truth, falsehood);
        return false;
    }
    *ret = strcmp(text, truth) == 0;
    return true;
}

bool parse_yes_no(const char *text, bool *ret, GError **error)
{
    return parse_choice(text, "yes", "no", ret, error);
}

bool parse_on_off(const char *text, bool *ret, GError **error)
{
    return parse_choice(text, "on", "off", ret, error);
}

/* The bytes that @suffix stands for; 0 if it is unknown. */
static uint64_t suffix_scale(const char *suffix)
{
    static const char letters[] = "kmgtpe";
    const char *letter;
    uint64_t scale = 1;
    uint64_t step;

    if (g_ascii_strcasecmp(suffix, "b") == 0 || g_ascii_strcasecmp(suffix, "byte") == 0 ||
        g_ascii_strcasecmp(suffix, "bytes") == 0)
        return 1;
    letter = strchr(letters, g_ascii_tolower(suffix[0]));
    if (suffix[0] == '\0' || letter == NULL)
        return 0;
    if (suffix[1] == '\0' || g_ascii_strcasecmp(suffix + 1, "ib") == 0)
        step = 1024;
    else if (g_ascii_strcasecmp(suffix + 1, "b") == 0)
        step = 1000;
    else
        return 0;
    for (const char *p = letters; p <= letter; p++)
        scale *= step;
    return scale;
}

/* @limit is what the caller can store, which may be less than 64 bits. */
bool scale_bytes(uint64_t *value, const char *suffix, uint64_t default_scale, uint64_t limit,
                 GError **error)
{
    uint64_t scale = default_scale;
    uint64_t scaled;

    if (suffix != NULL && suffix[0] != '\0')
        scale = suffix_scale(suffix);
    if (scale == 0) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "unknown suffix '%s'", suffix);
        return false;
    }
    if (__builtin_mul_overflow(*value, scale, &scaled) || scaled > limit) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "value too large: %" PRIu64 "%s", *value,
                  suffix != NULL ? suffix : "");
        return false;
    }
    *value = scaled;
    return true;
}

bool parse_bytes(const char *text, uint64_t default_scale, uint64_t limit, uint64_t *ret,
                 GError **error)
{
    const char *suffix;
    uint64_t value;

    if (!parse_digits(skip_plus(text), text, 10, &value, &suffix, error))
        return false;
    if (suffix[0] == ' ')
        suffix++;
    if (!scale_bytes(&value, suffix, default_scale, limit, error))
        return false;
    *ret = value;
    return true;
}
