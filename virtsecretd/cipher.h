/* AES-256-GCM (NIST SP 800-38D) by gnutls, which is loaded when it is first needed: most hosts
 * keep few secrets and ask for them seldom. Any thread may call. */
#pragma once

#include "base/secret_bytes.h"

#define CIPHER_KEY_BYTES 32
#define CIPHER_NONCE_BYTES 12
#define CIPHER_TAG_BYTES 16
#define CIPHER_KEY_ID_BYTES 8

/* What names a key without telling anything of it: the beginning of an HMAC-SHA256 under it.
 * Errors: INTERNAL_ERROR when gnutls cannot be loaded, or fails. So have the others. */
bool cipher_key_id(const uint8_t *key, uint8_t ret_id[static CIPHER_KEY_ID_BYTES], GError **error);

/* Encrypts @plain; @bound is not encrypted, but decrypting needs the same. @ret_sealed has room
 * for the nonce, as many bytes as @plain, and the tag; the nonce is random, so a key is good for
 * some 2^32 values. */
bool cipher_seal(const uint8_t *key, const uint8_t *bound, size_t bound_length,
                 const SecretBytes *plain, uint8_t *ret_sealed, GError **error);
/* The reverse. Errors besides: OPERATION_FAILED when anything is not as it was. */
SecretBytes *cipher_open(const uint8_t *key, const uint8_t *bound, size_t bound_length,
                         const uint8_t *sealed, size_t sealed_length, GError **error);
