/* XDR (RFC 4506) as the generated codecs use it. One function per type does three things, as
 * x_op says: encode, decode, or free what decoding has allocated. Decoding believes no length
 * or count before the bytes are there, and leaves what it has filled in to be freed by its
 * caller, whether it succeeds or not. */
#include "wire/xdr.h"

#include <string.h>

#include "base/wipe.h"

/* RFC 4506, section 3: everything takes a multiple of four bytes. */
#define UNIT 4

/* The first fault is the one to report: those behind it follow from it. */
static bool_t fail(XDR *xdrs, const char *fault)
{
    if (!xdrs->fault)
        xdrs->fault = fault;
    return FALSE;
}

/* Makes room for @need more bytes. Doubling keeps the copying linear. */
static bool grow(XDR *xdrs, size_t need)
{
    size_t used = xdrs->next - xdrs->buffer->data;

    if (need > xdrs->limit - used)
        return fail(xdrs, "it is longer than a message may be");
    g_byte_array_set_size(xdrs->buffer, MIN(xdrs->limit, MAX(used + need, 2 * used)));
    xdrs->next = xdrs->buffer->data + used;
    xdrs->left = xdrs->buffer->len - used;
    return true;
}

static inline bool put_word(XDR *xdrs, uint32_t word)
{
    if (xdrs->left < UNIT && !grow(xdrs, UNIT))
        return false;
    word = GUINT32_TO_BE(word);
    memcpy(xdrs->next, &word, UNIT);
    xdrs->next += UNIT;
    xdrs->left -= UNIT;
    return true;
}

static inline bool get_word(XDR *xdrs, uint32_t *ret_word)
{
    uint32_t word;

    if (xdrs->left < UNIT)
        return fail(xdrs, "it ends too early");
    memcpy(&word, xdrs->next, UNIT);
    *ret_word = GUINT32_FROM_BE(word);
    xdrs->next += UNIT;
    xdrs->left -= UNIT;
    return true;
}

/* Most of what goes over the wire comes through here. */
static inline bool_t word(XDR *xdrs, uint32_t *value)
{
    if (xdrs->x_op == XDR_DECODE)
        return get_word(xdrs, value);
    if (xdrs->x_op == XDR_ENCODE)
        return put_word(xdrs, *value);
    return TRUE;
}

/* A word that holds a smaller type: @min to @max, seen as a signed 32-bit value. */
static bool_t small(XDR *xdrs, int32_t *value, int32_t min, int32_t max)
{
    if (!word(xdrs, (uint32_t *)value))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE && (*value < min || *value > max))
        return fail(xdrs, "a small integer is out of range");
    return TRUE;
}

bool_t xdr_void(XDR *xdrs, void *value)
{
    return TRUE;
}

bool_t xdr_int(XDR *xdrs, int *value)
{
    return word(xdrs, (uint32_t *)value);
}

bool_t xdr_u_int(XDR *xdrs, u_int *value)
{
    return word(xdrs, value);
}

/* Any number: what is unknown to us may be known to the program that asked. */
bool_t xdr_enum(XDR *xdrs, enum_t *value)
{
    return word(xdrs, (uint32_t *)value);
}

bool_t xdr_bool(XDR *xdrs, bool_t *value)
{
    int32_t flag = xdrs->x_op == XDR_ENCODE ? *value != 0 : 0;

    if (!small(xdrs, &flag, 0, 1))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE)
        *value = flag;
    return TRUE;
}

/* Peers whose char is unsigned send bytes above 127 as they are, others as negative
 * numbers: both are the same byte. We send the latter on every machine. */
bool_t xdr_char(XDR *xdrs, char *value)
{
    int32_t number = xdrs->x_op == XDR_ENCODE ? (signed char)*value : 0;

    if (!small(xdrs, &number, INT8_MIN, UINT8_MAX))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE)
        *value = (char)number;
    return TRUE;
}

bool_t xdr_u_char(XDR *xdrs, u_char *value)
{
    int32_t number = xdrs->x_op == XDR_ENCODE ? *value : 0;

    if (!small(xdrs, &number, 0, UINT8_MAX))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE)
        *value = number;
    return TRUE;
}

bool_t xdr_short(XDR *xdrs, short *value)
{
    int32_t number = xdrs->x_op == XDR_ENCODE ? *value : 0;

    if (!small(xdrs, &number, INT16_MIN, INT16_MAX))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE)
        *value = number;
    return TRUE;
}

bool_t xdr_u_short(XDR *xdrs, u_short *value)
{
    int32_t number = xdrs->x_op == XDR_ENCODE ? *value : 0;

    if (!small(xdrs, &number, 0, UINT16_MAX))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE)
        *value = number;
    return TRUE;
}

/* Hyper integers and doubles: the high word first. */
static bool_t two_words(XDR *xdrs, uint64_t *value)
{
    uint32_t high = *value >> 32;
    uint32_t low = *value;

    if (xdrs->x_op == XDR_FREE)
        return TRUE;
    if (!word(xdrs, &high) || !word(xdrs, &low))
        return FALSE;
    *value = (uint64_t)high << 32 | low;
    return TRUE;
}

bool_t xdr_u_quad_t(XDR *xdrs, u_quad_t *value)
{
    uint64_t bits = xdrs->x_op == XDR_ENCODE ? *value : 0;

    if (!two_words(xdrs, &bits))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE)
        *value = bits;
    return TRUE;
}

bool_t xdr_quad_t(XDR *xdrs, quad_t *value)
{
    return xdr_u_quad_t(xdrs, (u_quad_t *)value);
}

bool_t xdr_double(XDR *xdrs, double *value)
{
    uint64_t bits = 0;

    if (xdrs->x_op == XDR_ENCODE)
        memcpy(&bits, value, sizeof(bits));
    if (!two_words(xdrs, &bits))
        return FALSE;
    if (xdrs->x_op == XDR_DECODE)
        memcpy(value, &bits, sizeof(bits));
    return TRUE;
}

/* @length is at most 32 bits wide, so nothing overflows. */
static inline size_t padded(size_t length)
{
    return (length + UNIT - 1) / UNIT * UNIT;
}

/* Finds @length bytes and their padding in the payload, and moves behind them. */
static const uint8_t *take(XDR *xdrs, size_t length)
{
    const uint8_t *bytes = xdrs->next;

    if (padded(length) > xdrs->left) {
        fail(xdrs, "it ends too early");
        return NULL;
    }
    xdrs->next += padded(length);
    xdrs->left -= padded(length);
    return bytes;
}

/* Padding is zero, as the RFC wants it, and so that nothing of our memory leaks. */
static bool_t put(XDR *xdrs, const char *bytes, size_t length)
{
    size_t padding = padded(length) - length;

    if (xdrs->left < padded(length) && !grow(xdrs, padded(length)))
        return FALSE;
    if (length > 0)
        memcpy(xdrs->next, bytes, length);
    memset(xdrs->next + length, 0, padding);
    xdrs->next += length + padding;
    xdrs->left -= length + padding;
    return TRUE;
}

/* Of a length that both sides know: no count is sent. */
bool_t xdr_opaque(XDR *xdrs, char *bytes, u_int length)
{
    const uint8_t *found;

    if (xdrs->x_op == XDR_FREE)
        return TRUE;
    if (xdrs->x_op == XDR_ENCODE)
        return put(xdrs, bytes, length);
    found = take(xdrs, length);
    if (!found)
        return FALSE;
    memcpy(bytes, found, length);
    return TRUE;
}

/* The count in front of strings, byte strings and arrays. */
static bool_t count_word(XDR *xdrs, u_int *count, u_int max)
{
    if (!word(xdrs, count))
        return FALSE;
    if (*count > max)
        return fail(xdrs, "a string or list is longer than its limit");
    return TRUE;
}

bool_t xdr_bytes(XDR *xdrs, char **bytes, u_int *length, u_int max)
{
    const uint8_t *found;
    u_int count = 0;

    if (xdrs->x_op == XDR_FREE) {
        /* Values of secrets, and passwords, come and go as such. */
        if (*bytes)
            wipe(*bytes, *length);
        g_clear_pointer(bytes, g_free);
        *length = 0;
        return TRUE;
    }
    if (xdrs->x_op == XDR_ENCODE) {
        if (!*bytes && *length > 0)
            return fail(xdrs, "bytes are missing");
        return count_word(xdrs, length, max) && put(xdrs, *bytes, *length);
    }
    if (!count_word(xdrs, &count, max))
        return FALSE;
    found = take(xdrs, count);
    if (!found)
        return FALSE;
    *bytes = g_memdup2(found, count);
    *length = count;
    return TRUE;
}

/* Without the NUL at its end; one inside would make the text another one to C code than to the
 * peer that checked it. */
bool_t xdr_string(XDR *xdrs, char **text, u_int max)
{
    const uint8_t *found;
    u_int length = 0;
    size_t given;

    if (xdrs->x_op == XDR_FREE) {
        g_clear_pointer(text, g_free);
        return TRUE;
    }
    if (xdrs->x_op == XDR_ENCODE) {
        if (!*text)
            return fail(xdrs, "a string is missing");
        given = strlen(*text);
        length = MIN(given, UINT32_MAX);
        return count_word(xdrs, &length, max) && put(xdrs, *text, length);
    }
    if (!count_word(xdrs, &length, max))
        return FALSE;
    found = take(xdrs, length);
    if (!found)
        return FALSE;
    if (memchr(found, '\0', length))
        return fail(xdrs, "a string holds a NUL byte");
    *text = g_strndup((const char *)found, length);
    return TRUE;
}

bool_t xdr_vector(XDR *xdrs, char *elements, u_int count, u_int size, xdrproc_t proc)
{
    for (u_int i = 0; i < count; i++) {
        /* Freeing goes on: a union that was never filled in must not keep the rest. */
        if (!proc(xdrs, elements + (size_t)i * size) && xdrs->x_op != XDR_FREE)
            return FALSE;
    }
    return TRUE;
}

bool_t xdr_array(XDR *xdrs, char **elements, u_int *count, u_int max, u_int size, xdrproc_t proc)
{
    u_int wanted = 0;

    if (xdrs->x_op == XDR_FREE) {
        if (*elements)
            xdr_vector(xdrs, *elements, *count, size, proc);
        g_clear_pointer(elements, g_free);
        *count = 0;
        return TRUE;
    }
    if (xdrs->x_op == XDR_ENCODE) {
        if (!*elements && *count > 0)
            return fail(xdrs, "the elements of a list are missing");
        return count_word(xdrs, count, max) && xdr_vector(xdrs, *elements, *count, size, proc);
    }
    if (!count_word(xdrs, &wanted, max))
        return FALSE;
    /* Every element takes at least one unit: a count that cannot be true costs nothing. */
    if (wanted > xdrs->left / UNIT)
        return fail(xdrs, "it ends too early");
    if (wanted == 0)
        return TRUE;
    *elements = g_malloc0_n(wanted, size);
    *count = wanted;
    return xdr_vector(xdrs, *elements, wanted, size, proc);
}

/* An optional value: a flag, and the value if it is set. A linked list of these would recurse,
 * the protocol has none. */
bool_t xdr_pointer(XDR *xdrs, char **value, u_int size, xdrproc_t proc)
{
    bool_t is_there = *value != NULL;

    if (xdrs->x_op == XDR_FREE) {
        if (*value)
            proc(xdrs, *value);
        g_clear_pointer(value, g_free);
        return TRUE;
    }
    if (!xdr_bool(xdrs, &is_there))
        return FALSE;
    if (!is_there)
        return TRUE;
    if (xdrs->x_op == XDR_DECODE)
        *value = g_malloc0(size);
    return proc(xdrs, *value);
}
