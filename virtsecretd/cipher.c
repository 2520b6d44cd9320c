/* What gnutls does for us. A key goes to it by pointer, and its copy (the schedule of the cipher)
 * lives for one call: gnutls wipes that. */
#include "virtsecretd/cipher.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/error.h"
#include "base/wipe.h"

/* Of the same interface as the headers. */
#define SONAME "libgnutls.so.30"

#define LIBRARY_SYMBOLS(X)                                                                         \
    X(gnutls_aead_cipher_init) X(gnutls_aead_cipher_deinit) X(gnutls_aead_cipher_encrypt)          \
    X(gnutls_aead_cipher_decrypt) X(gnutls_hmac_fast) X(gnutls_strerror)

typedef struct CipherLibrary {
#define LIBRARY_MEMBER(NAME) __typeof__(&NAME) NAME;
    LIBRARY_SYMBOLS(LIBRARY_MEMBER)
#undef LIBRARY_MEMBER
} CipherLibrary;

static const char *const symbol_names[] = {
#define SYMBOL_NAME(NAME) #NAME,
    LIBRARY_SYMBOLS(SYMBOL_NAME)
#undef SYMBOL_NAME
};

G_STATIC_ASSERT(sizeof(CipherLibrary) == G_N_ELEMENTS(symbol_names) * sizeof(void *));

/* Looking the names up each time costs microseconds, beside a file that is read or written. Once
 * loaded the library stays. */
static bool library_load(CipherLibrary *library, GError **error)
{
    void **members = (void **)library;
    void *handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    for (size_t i = 0; handle && i < G_N_ELEMENTS(symbol_names); i++) {
        members[i] = dlsym(handle, symbol_names[i]);
        if (!members[i])
            handle = NULL;
    }
    if (handle)
        return true;
    error_set(error, VIR_FROM_CRYPTO, VIR_ERR_INTERNAL_ERROR, "cannot load gnutls: %s", dlerror());
    return false;
}

/* None of its errors is an operator's to repair, but for a library that is broken. */
static bool fail(const CipherLibrary *library, const char *what, int result, GError **error)
{
    error_set(error, VIR_FROM_CRYPTO, VIR_ERR_INTERNAL_ERROR, "gnutls cannot %s: %s", what,
              library->gnutls_strerror(result));
    return false;
}

/* An HMAC under the key gives away less than a plain digest of it would. */
bool cipher_key_id(const uint8_t *key, uint8_t ret_id[static CIPHER_KEY_ID_BYTES], GError **error)
{
    static const char text[] = "splitvirt key id";
    CipherLibrary library;
    uint8_t digest[32];
    int result;

    if (!library_load(&library, error))
        return false;
    result = library.gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, CIPHER_KEY_BYTES, text,
                                      strlen(text), digest);
    if (result < 0)
        return fail(&library, "make a digest", result, error);
    memcpy(ret_id, digest, CIPHER_KEY_ID_BYTES);
    return true;
}

/* The key's schedule is wiped by gnutls with the handle. */
static bool handle_open(const CipherLibrary *library, const uint8_t *key,
                        gnutls_aead_cipher_hd_t *ret_handle, GError **error)
{
    gnutls_datum_t datum = { (unsigned char *)key, CIPHER_KEY_BYTES };
    int result = library->gnutls_aead_cipher_init(ret_handle, GNUTLS_CIPHER_AES_256_GCM, &datum);

    return result >= 0 || fail(library, "use AES-256-GCM", result, error);
}

/* The nonce is chosen anew each time: the same one twice under one key would show the difference of
 * two values. */
bool cipher_seal(const uint8_t *key, const uint8_t *bound, size_t bound_length,
                 const SecretBytes *plain, uint8_t *ret_sealed, GError **error)
{
    CipherLibrary library;
    gnutls_aead_cipher_hd_t handle;
    size_t length = plain->length + CIPHER_TAG_BYTES;
    int result;

    if (getrandom(ret_sealed, CIPHER_NONCE_BYTES, 0) != CIPHER_NONCE_BYTES) {
        error_set_errno(error, VIR_FROM_CRYPTO, errno, "cannot get random bytes");
        return false;
    }
    if (!library_load(&library, error) || !handle_open(&library, key, &handle, error))
        return false;
    result = library.gnutls_aead_cipher_encrypt(handle, ret_sealed, CIPHER_NONCE_BYTES, bound,
                                                bound_length, CIPHER_TAG_BYTES, plain->data,
                                                plain->length, ret_sealed + CIPHER_NONCE_BYTES,
                                                &length);
    library.gnutls_aead_cipher_deinit(handle);
    /* The key has been there. */
    wipe_registers();
    return result >= 0 || fail(&library, "encrypt", result, error);
}

/* Room is for as many bytes as there can be; gnutls compares the tag before it tells success. */
SecretBytes *cipher_open(const uint8_t *key, const uint8_t *bound, size_t bound_length,
                         const uint8_t *sealed, size_t sealed_length, GError **error)
{
    CipherLibrary library;
    gnutls_aead_cipher_hd_t handle;
    g_autoptr(SecretBytes) plain = NULL;
    size_t length;
    int result;

    if (sealed_length < CIPHER_NONCE_BYTES + CIPHER_TAG_BYTES) {
        error_set(error, VIR_FROM_CRYPTO, VIR_ERR_OPERATION_FAILED, "it is too short");
        return NULL;
    }
    length = sealed_length - CIPHER_NONCE_BYTES - CIPHER_TAG_BYTES;
    plain = secret_bytes_new(length, error);
    if (!plain || !library_load(&library, error) || !handle_open(&library, key, &handle, error))
        return NULL;
    result = library.gnutls_aead_cipher_decrypt(
        handle, sealed, CIPHER_NONCE_BYTES, bound, bound_length, CIPHER_TAG_BYTES,
        sealed + CIPHER_NONCE_BYTES, sealed_length - CIPHER_NONCE_BYTES, plain->data, &length);
    library.gnutls_aead_cipher_deinit(handle);
    /* The key has been there. */
    wipe_registers();
    if (result < 0) {
        error_set(error, VIR_FROM_CRYPTO, VIR_ERR_OPERATION_FAILED,
                  "it is not as it was encrypted: %s", library.gnutls_strerror(result));
        return NULL;
    }
    return g_steal_pointer(&plain);
}
