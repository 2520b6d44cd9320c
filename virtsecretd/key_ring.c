/* One file, read whole into locked memory, and written whole. What is wrong with it is told by its
 * path and by what repairs it, for whoever reads the error is seldom who has made the file. */
#include "virtsecretd/key_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/plural.h"

/* By which units name it: LoadCredential=secrets-encryption-key:/…, or one of the encrypted
 * kinds. */
#define CREDENTIAL "secrets-encryption-key"

/* A unit may have other credentials and none for us: then there is no key, as without any. A file
 * that the configuration names has to be there. */
KeySource *key_source_new(const DaemonConfig *config)
{
    KeySource *source = g_new0(KeySource, 1);
    const char *folder = g_getenv("CREDENTIALS_DIRECTORY");

    if (config->encryption_key_file) {
        source->path = g_strdup(config->encryption_key_file);
        source->may_create = config->encryption_key_create;
    } else if (folder) {
        source->path = g_build_filename(folder, CREDENTIAL, NULL);
        source->is_credential = true;
        if (!g_file_test(source->path, G_FILE_TEST_EXISTS))
            g_clear_pointer(&source->path, g_free);
    }
    return source;
}

void key_source_free(KeySource *source)
{
    if (!source)
        return;
    g_free(source->path);
    g_free(source);
}

static bool fail(const KeySource *source, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool fail(const KeySource *source, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    error_set(error, VIR_FROM_SECRET, VIR_ERR_OPERATION_FAILED,
              "the encryption key of secrets, '%s', cannot be used: %s", source->path, reason);
    return false;
}

/* Whoever can read the key can read all values. A credential's folder is guarded as a whole. */
static bool mode_check(const KeySource *source, GError **error)
{
    struct stat status;

    if (source->is_credential || stat(source->path, &status) < 0 || !(status.st_mode & 077))
        return true;
    return fail(source, error, "others than its owner may read or write it; run chmod 600, and "
                               "change the key with virtsecretd --rotate-key if that was so for "
                               "long");
}

/* The length is all that can be told of random bytes; whether they are the right ones, the values
 * tell by the id that each has. */
bool key_ring_load(const KeySource *source, SecretBytes **ret_ring, GError **error)
{
    g_autoptr(SecretBytes) ring = NULL;
    g_autoptr(GError) cause = NULL;

    if (!secret_bytes_read_file(source->path, KEY_RING_MAX_KEYS * CIPHER_KEY_BYTES, &ring, &cause))
        return fail(source, error, "%s; restore the file, or let this daemon read it",
                    error_detail(cause));
    if (!ring) {
        *ret_ring = NULL;
        return true;
    }
    if (ring->length == 0 || ring->length % CIPHER_KEY_BYTES != 0)
        return fail(source, error,
                    "it has %zu bytes, where a key has %d; restore it from a backup, or remove it "
                    "and set all values anew",
                    ring->length, CIPHER_KEY_BYTES);
    if (!mode_check(source, error))
        return false;
    *ret_ring = g_steal_pointer(&ring);
    return true;
}

void key_ring_fail_missing(const KeySource *source, unsigned n_values, GError **error)
{
    g_autofree char *needed =
        n_values > 0 ? g_strdup_printf(", and it encrypts %u value%s", n_values, plural_s(n_values))
                     : NULL;

    fail(source, error, "there is no such file%s; restore it from a backup%s",
         needed ? needed : "",
         source->is_credential ? ""
                               : ", or, where there is none, let encryption_key_create = 1 in "
                                 "virtsecretd.conf make a new one and set all values anew");
}

/* Never in place: a key that is half written would be the end of all values. */
static bool write_ring(const KeySource *source, const SecretBytes *ring, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(source->path);

    return mkdir_parents(folder, 0700, error) &&
           file_replace_atomic(source->path, ring->data, ring->length, 0600, FILE_KEEP_UID,
                               FILE_KEEP_GID, error);
}

/* The new key is first, and so the one that encrypts from now on. */
SecretBytes *key_ring_create(const KeySource *source, const SecretBytes *old, GError **error)
{
    size_t old_length = old ? old->length : 0;
    g_autoptr(SecretBytes) ring = secret_bytes_new(CIPHER_KEY_BYTES + old_length, error);

    if (!ring)
        return NULL;
    if (getrandom(ring->data, CIPHER_KEY_BYTES, 0) != CIPHER_KEY_BYTES) {
        error_set_errno(error, VIR_FROM_CRYPTO, errno, "cannot get random bytes");
        return NULL;
    }
    if (old)
        memcpy(ring->data + CIPHER_KEY_BYTES, old->data, old_length);
    return write_ring(source, ring, error) ? g_steal_pointer(&ring) : NULL;
}

bool key_ring_keep_first(const KeySource *source, const SecretBytes *ring, GError **error)
{
    g_autoptr(SecretBytes) first = secret_bytes_copy(ring->data, CIPHER_KEY_BYTES, error);

    return first && write_ring(source, first, error);
}

size_t key_ring_count(const SecretBytes *ring)
{
    return ring->length / CIPHER_KEY_BYTES;
}

/* Ids are made anew each time rather than kept: there are two keys at most but in trouble. */
bool key_ring_find(const SecretBytes *ring, const uint8_t *id, const uint8_t **ret_key,
                   GError **error)
{
    uint8_t found[CIPHER_KEY_ID_BYTES];

    *ret_key = NULL;
    for (size_t i = 0; i < key_ring_count(ring) && !*ret_key; i++) {
        const uint8_t *key = ring->data + i * CIPHER_KEY_BYTES;

        if (!cipher_key_id(key, found, error))
            return false;
        if (memcmp(found, id, CIPHER_KEY_ID_BYTES) == 0)
            *ret_key = key;
    }
    return true;
}
