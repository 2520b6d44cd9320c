/* AES-256-GCM and names of keys, held against published vectors. */
#include "virtsecretd/cipher.h"

#include <string.h>

#include "base/error.h"

/* NIST's GCM test vectors (McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B):
 * case 16, AES-256 with a nonce of 96 bits. */
#define KEY_HEX "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define BOUND_HEX "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define PLAIN_HEX                                                                                  \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6" \
    "b525b16aedf5aa0de657ba637b39"
#define SEALED_HEX                                                                                 \
    "cafebabefacedbaddecaf888"                                                                     \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682" \
    "8838c5f61e6393ba7a0abcc9f662"                                                                 \
    "76fc6ece0f4e1768cddf8853bb2d551b"

typedef struct Bytes {
    uint8_t data[128];
    size_t length;
} Bytes;

static Bytes from_hex(const char *hex)
{
    Bytes bytes = { .length = strlen(hex) / 2 };

    for (size_t i = 0; i < bytes.length; i++)
        bytes.data[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) * 16 +
                                  g_ascii_xdigit_value(hex[2 * i + 1]));
    return bytes;
}

static void test_published_vector(void)
{
    Bytes key = from_hex(KEY_HEX), bound = from_hex(BOUND_HEX), plain = from_hex(PLAIN_HEX);
    Bytes sealed = from_hex(SEALED_HEX);
    g_autoptr(SecretBytes) opened = cipher_open(key.data, bound.data, bound.length, sealed.data,
                                                sealed.length, NULL);

    g_assert_nonnull(opened);
    g_assert_cmpmem(opened->data, opened->length, plain.data, plain.length);
}

static void test_sealing_is_undone_by_opening(void)
{
    Bytes key = from_hex(KEY_HEX), bound = from_hex(BOUND_HEX);
    g_autoptr(SecretBytes) plain = secret_bytes_copy("value", 5, NULL);
    uint8_t sealed[2][CIPHER_NONCE_BYTES + 5 + CIPHER_TAG_BYTES];

    for (int i = 0; i < 2; i++) {
        g_autoptr(SecretBytes) opened = NULL;

        g_assert_true(cipher_seal(key.data, bound.data, bound.length, plain, sealed[i], NULL));
        opened = cipher_open(key.data, bound.data, bound.length, sealed[i], sizeof(sealed[i]),
                             NULL);
        g_assert_nonnull(opened);
        g_assert_cmpmem(opened->data, opened->length, "value", 5);
    }
    g_assert_cmpint(memcmp(sealed[0], sealed[1], sizeof(sealed[0])), !=, 0);
}

static void test_any_change_is_found(void)
{
    Bytes key = from_hex(KEY_HEX), bound = from_hex(BOUND_HEX), sealed = from_hex(SEALED_HEX);

    for (size_t i = 0; i < sealed.length; i++) {
        g_autoptr(GError) error = NULL;

        sealed.data[i] ^= 1;
        g_assert_null(cipher_open(key.data, bound.data, bound.length, sealed.data, sealed.length,
                                  &error));
        g_assert_error(error, error_quark(VIR_FROM_CRYPTO), VIR_ERR_OPERATION_FAILED);
        sealed.data[i] ^= 1;
    }
    bound.data[0] ^= 1;
    g_assert_null(cipher_open(key.data, bound.data, bound.length, sealed.data, sealed.length, NULL));
    bound.data[0] ^= 1;
    key.data[31] ^= 1;
    g_assert_null(cipher_open(key.data, bound.data, bound.length, sealed.data, sealed.length, NULL));
    g_assert_null(cipher_open(key.data, bound.data, bound.length, sealed.data, 5, NULL));
}

static void test_keys_have_names(void)
{
    uint8_t keys[2][CIPHER_KEY_BYTES] = { { 1 }, { 2 } };
    uint8_t ids[3][CIPHER_KEY_ID_BYTES];

    g_assert_true(cipher_key_id(keys[0], ids[0], NULL));
    g_assert_true(cipher_key_id(keys[1], ids[1], NULL));
    g_assert_true(cipher_key_id(keys[0], ids[2], NULL));
    g_assert_cmpmem(ids[0], sizeof(ids[0]), ids[2], sizeof(ids[2]));
    g_assert_cmpint(memcmp(ids[0], ids[1], sizeof(ids[0])), !=, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cipher/published_vector", test_published_vector);
    g_test_add_func("/cipher/sealing_is_undone_by_opening", test_sealing_is_undone_by_opening);
    g_test_add_func("/cipher/any_change_is_found", test_any_change_is_found);
    g_test_add_func("/cipher/keys_have_names", test_keys_have_names);
    return g_test_run();
}
