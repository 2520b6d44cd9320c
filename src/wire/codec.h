/* Values to bytes and back: the payloads of messages. The types and their codecs come from
 * the .x files; xdr.h says what is refused. */
#pragma once

#include "wire/xdr.h"

/* Decodes all of @payload into @value, which must be zeroed memory of the type that @proc
 * is for. The result belongs to the caller: codec_free(). On failure nothing is left to
 * free. Errors: RPC, naming @what ("arguments of virDomainCreate"), the byte and the reason;
 * also when bytes are left over. */
bool codec_decode(const uint8_t *payload, size_t length, xdrproc_t proc, void *value,
                  const char *what, GError **error);

/* Appends the encoded @value to @buffer, which must not grow beyond @limit bytes. On
 * failure @buffer is as before.
 * Errors: INTERNAL_ERROR for a value that the wire has no form for (a missing string, a
 * list over its limit), or one that is too long. */
bool codec_encode(GByteArray *buffer, size_t limit, xdrproc_t proc, const void *value,
                  GError **error);

/* Frees everything that @value holds, not @value itself, and leaves it empty: a second
 * call is harmless. */
void codec_free(xdrproc_t proc, void *value);
