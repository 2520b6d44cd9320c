/* Built without gnutls: values are kept as existing installations do, and what is encrypted
 * cannot be read. */
#include "virtsecretd/cipher.h"

#include "base/error.h"

static bool refuse(GError **error)
{
    error_set(error, VIR_FROM_CRYPTO, VIR_ERR_NO_SUPPORT,
              "encryption of secrets: virtsecretd was built without gnutls");
    return false;
}

bool cipher_key_id(const uint8_t *key, uint8_t ret_id[static CIPHER_KEY_ID_BYTES], GError **error)
{
    return refuse(error);
}

bool cipher_seal(const uint8_t *key, const uint8_t *bound, size_t bound_length,
                 const SecretBytes *plain, uint8_t *ret_sealed, GError **error)
{
    return refuse(error);
}

SecretBytes *cipher_open(const uint8_t *key, const uint8_t *bound, size_t bound_length,
                         const uint8_t *sealed, size_t sealed_length, GError **error)
{
    refuse(error);
    return NULL;
}
