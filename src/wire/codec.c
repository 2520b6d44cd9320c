#include "wire/codec.h"

#include "base/error.h"

/* Most replies fit; the others grow by doubling. */
#define FIRST_ROOM 256

/* The one thing that fails without our primitives is a union of unknown type. */
static const char *reason(const XDR *xdrs)
{
    return xdrs->fault ? xdrs->fault : "a value has no known type";
}

bool codec_decode(const uint8_t *payload, size_t length, xdrproc_t proc, void *value,
                  const char *what, GError **error)
{
    XDR xdrs = { .x_op = XDR_DECODE, .next = (uint8_t *)payload, .left = length };
    bool is_decoded = proc(&xdrs, value);

    if (is_decoded && xdrs.left == 0)
        return true;
    if (is_decoded)
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC,
                  "cannot decode the %s: %zu of %zu bytes are left over", what, xdrs.left, length);
    else
        error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "cannot decode the %s: %s (byte %zu of %zu)",
                  what, reason(&xdrs), length - xdrs.left, length);
    codec_free(proc, value);
    return false;
}

bool codec_encode(GByteArray *buffer, size_t limit, xdrproc_t proc, const void *value,
                  GError **error)
{
    size_t start = buffer->len;
    XDR xdrs = { .x_op = XDR_ENCODE, .buffer = buffer, .limit = MAX(limit, start) };
    size_t end = start;
    bool is_encoded;

    g_byte_array_set_size(buffer, MIN(xdrs.limit, start + FIRST_ROOM));
    xdrs.next = buffer->data + start;
    xdrs.left = buffer->len - start;
    is_encoded = proc(&xdrs, (void *)value);
    if (is_encoded)
        end = xdrs.next - buffer->data;
    g_byte_array_set_size(buffer, end);
    if (!is_encoded)
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "cannot encode a message: %s",
                  reason(&xdrs));
    return is_encoded;
}

void codec_free(xdrproc_t proc, void *value)
{
    XDR xdrs = { .x_op = XDR_FREE };

    proc(&xdrs, value);
}
