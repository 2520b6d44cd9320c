/* Values on disk: the two kinds of files, and which of them counts. Nothing of a value is ever in
 * ordinary memory here; what is encrypted may be anywhere. */
#include "virtsecretd/value_files.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "virtsecretd/folder_lock.h"

#define MAGIC "splitvirt-secret-1\n"
#define MAGIC_BYTES (sizeof(MAGIC) - 1)
#define HEAD_BYTES (MAGIC_BYTES + CIPHER_KEY_ID_BYTES)
#define SEALED_MAX_BYTES (HEAD_BYTES + CIPHER_NONCE_BYTES + VALUE_MAX_BYTES + CIPHER_TAG_BYTES)
/* A wrong key is wrong for all, or nearly. */
#define KEY_CHECKS_MAX 100
/* Lines may have been wrapped by whoever made the file. */
#define PLAIN_MAX_BYTES (2 * VALUE_MAX_BYTES)

static char *value_path(const ValuePlace *place, const char *suffix)
{
    char uuid[UUID_TEXT_SIZE];

    return g_strconcat(place->folder, "/", uuid_format(&place->uuid, uuid), suffix, NULL);
}

static bool fail(const ValuePlace *place, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool fail(const ValuePlace *place, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    char uuid[UUID_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    error_set(error, VIR_FROM_SECRET, VIR_ERR_OPERATION_FAILED,
              "the value of secret '%s' cannot be used: %s", uuid_format(&place->uuid, uuid),
              reason);
    return false;
}

/* ---- Plain ---- */

/* Whether it is base64 (RFC 4648) with white space anywhere, and a whole number of bytes. */
static bool is_base64(const SecretBytes *text)
{
    size_t n_digits = 0;
    size_t n_padding = 0;

    for (size_t i = 0; i < text->length; i++) {
        char c = (char)text->data[i];

        if (g_ascii_isspace(c))
            continue;
        if (c == '=')
            n_padding++;
        else if ((!g_ascii_isalnum(c) && c != '+' && c != '/') || n_padding > 0)
            return false;
        n_digits++;
    }
    return n_padding <= 2 && n_digits % 4 == 0;
}

/* The steps of GLib's decoder hold no more than a few bits of the value. */
static bool plain_decode(const ValuePlace *place, const SecretBytes *text, SecretBytes **ret_value,
                         GError **error)
{
    g_autoptr(SecretBytes) value = NULL;
    int state = 0;
    guint save = 0;

    if (!is_base64(text))
        return fail(place, error, "its file is not base64; set the value anew");
    value = secret_bytes_new(text->length / 4 * 3 + 3, error);
    if (!value)
        return false;
    value->length = g_base64_decode_step((const char *)text->data, text->length, value->data,
                                         &state, &save);
    if (value->length > VALUE_MAX_BYTES)
        return fail(place, error, "it has more than %d bytes; set the value anew",
                    VALUE_MAX_BYTES);
    *ret_value = g_steal_pointer(&value);
    return true;
}

/* NULL when there is none, which only who looked for an encrypted one before can tell. */
static bool plain_read(const ValuePlace *place, SecretBytes **ret_value, GError **error)
{
    g_autofree char *path = value_path(place, VALUE_PLAIN_SUFFIX);
    g_autoptr(SecretBytes) text = NULL;

    if (!secret_bytes_read_file(path, PLAIN_MAX_BYTES, &text, error))
        return false;
    if (text)
        return plain_decode(place, text, ret_value, error);
    *ret_value = NULL;
    return true;
}

/* Without a newline at its end, as existing installations have it. */
static bool plain_write(const ValuePlace *place, const SecretBytes *value, GError **error)
{
    g_autofree char *path = value_path(place, VALUE_PLAIN_SUFFIX);
    g_autoptr(SecretBytes) text = secret_bytes_new((value->length / 3 + 2) * 4, error);
    int state = 0;
    int save = 0;
    size_t length;

    if (!text)
        return false;
    length = g_base64_encode_step(value->data, value->length, FALSE, (char *)text->data, &state,
                                  &save);
    length += g_base64_encode_close(FALSE, (char *)text->data + length, &state, &save);
    return file_replace_atomic(path, text->data, length, 0600, FILE_KEEP_UID, FILE_KEEP_GID,
                               error);
}

/* ---- Sealed ---- */

/* Head and uuid: what is bound to the value without being part of it. */
static void bound_fill(const ValuePlace *place, const uint8_t *key_id,
                       uint8_t bound[static HEAD_BYTES + UUID_LENGTH])
{
    memcpy(bound, MAGIC, MAGIC_BYTES);
    memcpy(bound + MAGIC_BYTES, key_id, CIPHER_KEY_ID_BYTES);
    memcpy(bound + HEAD_BYTES, place->uuid.bytes, UUID_LENGTH);
}

/* A file that cannot be one of ours is told from one that was changed: it needs no key. */
static bool sealed_load(const ValuePlace *place, char **ret_data, size_t *ret_length,
                        GError **error)
{
    g_autofree char *path = value_path(place, VALUE_SEALED_SUFFIX);
    g_autofree char *data = NULL;

    if (!file_read_if_exists(path, SEALED_MAX_BYTES, &data, ret_length, error))
        return false;
    if (data && (*ret_length < HEAD_BYTES + CIPHER_NONCE_BYTES + CIPHER_TAG_BYTES ||
                 memcmp(data, MAGIC, MAGIC_BYTES) != 0))
        return fail(place, error,
                    "file '%s' is damaged; restore it from a backup, or set the value anew", path);
    *ret_data = g_steal_pointer(&data);
    return true;
}

/* The key that the file names, borrowed from @ring. */
static bool sealed_find_key(const ValuePlace *place, const SecretBytes *ring, const char *data,
                            const uint8_t **ret_key, GError **error)
{
    if (!key_ring_find(ring, (const uint8_t *)data + MAGIC_BYTES, ret_key, error))
        return false;
    return *ret_key || fail(place, error,
                            "it was encrypted with another key than that in '%s'; restore that "
                            "key, or set the value anew",
                            place->key->path);
}

static bool sealed_open(const ValuePlace *place, const SecretBytes *ring, const char *data,
                        size_t length, SecretBytes **ret_value, GError **error)
{
    const uint8_t *key_id = (const uint8_t *)data + MAGIC_BYTES;
    uint8_t bound[HEAD_BYTES + UUID_LENGTH];
    g_autoptr(GError) cause = NULL;
    const uint8_t *key;

    if (!sealed_find_key(place, ring, data, &key, error))
        return false;
    bound_fill(place, key_id, bound);
    *ret_value = cipher_open(key, bound, sizeof(bound), (const uint8_t *)data + HEAD_BYTES,
                             length - HEAD_BYTES, &cause);
    if (*ret_value)
        return true;
    return fail(place, error,
                "its file is damaged (%s); restore it from a backup, or set the value anew",
                error_detail(cause));
}

/* The ring, or the error that says why there is none. */
static bool ring_require(const ValuePlace *place, SecretBytes **ret_ring, GError **error)
{
    if (!place->key->path)
        return fail(place, error, "it is encrypted, and encryption_key_file in virtsecretd.conf "
                                  "names no key");
    if (!key_ring_load(place->key, ret_ring, error))
        return false;
    if (*ret_ring)
        return true;
    key_ring_fail_missing(place->key, 0, error);
    return false;
}

/* With the first key. */
static bool sealed_write(const ValuePlace *place, const SecretBytes *ring,
                         const SecretBytes *value, GError **error)
{
    size_t length = HEAD_BYTES + CIPHER_NONCE_BYTES + value->length + CIPHER_TAG_BYTES;
    g_autofree char *path = value_path(place, VALUE_SEALED_SUFFIX);
    g_autofree uint8_t *data = g_malloc(length);
    uint8_t bound[HEAD_BYTES + UUID_LENGTH];
    uint8_t key_id[CIPHER_KEY_ID_BYTES];

    if (!cipher_key_id(ring->data, key_id, error))
        return false;
    bound_fill(place, key_id, bound);
    memcpy(data, bound, HEAD_BYTES);
    return cipher_seal(ring->data, bound, sizeof(bound), value, data + HEAD_BYTES, error) &&
           file_replace_atomic(path, data, length, 0600, FILE_KEEP_UID, FILE_KEEP_GID, error);
}

/* ---- Either ---- */

/* The key is read only for those that need it. */
static bool read_locked(const ValuePlace *place, SecretBytes **ret_value, GError **error)
{
    g_autofree char *data = NULL;
    g_autoptr(SecretBytes) ring = NULL;
    size_t length = 0;

    if (!sealed_load(place, &data, &length, error))
        return false;
    if (!data)
        return plain_read(place, ret_value, error);
    return ring_require(place, &ring, error) &&
           sealed_open(place, ring, data, length, ret_value, error);
}

bool value_read(const ValuePlace *place, SecretBytes **ret_value, GError **error)
{
    g_auto(FolderLock) lock = FOLDER_LOCK_NONE;

    return folder_lock_take(&lock, place->folder, FOLDER_SHARED, error) &&
           read_locked(place, ret_value, error);
}

bool value_load_ring(const KeySource *key, const char *folder, SecretBytes **ret_ring,
                     GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!key_ring_load(key, ret_ring, error))
        return false;
    if (*ret_ring)
        return true;
    if (!dir_list(folder, VALUE_SEALED_SUFFIX, &names, error))
        return false;
    if (names->len > 0 || !key->may_create) {
        key_ring_fail_missing(key, names->len, error);
        return false;
    }
    *ret_ring = key_ring_create(key, NULL, error);
    return *ret_ring != NULL;
}

/* Others may look at the file at the same time: whoever has the lock alone makes it. */
static bool ring_create(const ValuePlace *place, FolderLock *lock, SecretBytes **ret_ring,
                        GError **error)
{
    folder_lock_release(lock);
    return folder_lock_take(lock, place->folder, FOLDER_ALONE, error) &&
           value_load_ring(place->key, place->folder, ret_ring, error);
}

/* The new file first, then the old one of the other kind. In between the encrypted one counts: that is
 * the new value, or the old one of a call that has not been answered. */
static bool write_locked(const ValuePlace *place, FolderLock *lock, const SecretBytes *value,
                         GError **error)
{
    g_autofree char *plain = value_path(place, VALUE_PLAIN_SUFFIX);
    g_autofree char *sealed = value_path(place, VALUE_SEALED_SUFFIX);
    g_autoptr(SecretBytes) ring = NULL;

    if (!place->key->path)
        return plain_write(place, value, error) && file_remove_durable(sealed, error);
    if (!key_ring_load(place->key, &ring, error) ||
        (!ring && !ring_create(place, lock, &ring, error)))
        return false;
    return sealed_write(place, ring, value, error) && file_remove_durable(plain, error);
}

bool value_write(const ValuePlace *place, const SecretBytes *value, GError **error)
{
    g_auto(FolderLock) lock = FOLDER_LOCK_NONE;

    return folder_lock_take(&lock, place->folder, FOLDER_SHARED, error) &&
           write_locked(place, &lock, value, error);
}

bool value_remove(const ValuePlace *place, GError **error)
{
    g_auto(FolderLock) lock = FOLDER_LOCK_NONE;
    g_autofree char *plain = value_path(place, VALUE_PLAIN_SUFFIX);
    g_autofree char *sealed = value_path(place, VALUE_SEALED_SUFFIX);

    /* Plain first: it counts only without the other, so nothing older comes up again. */
    return folder_lock_take(&lock, place->folder, FOLDER_SHARED, error) &&
           file_remove_durable(plain, error) && file_remove_durable(sealed, error);
}

/* One value's; that a file is damaged is said when it is read. */
static bool check_key(const ValuePlace *place, const SecretBytes *ring, GError **error)
{
    g_autofree char *data = NULL;
    size_t length = 0;
    const uint8_t *key;

    return !sealed_load(place, &data, &length, NULL) || !data ||
           sealed_find_key(place, ring, data, &key, error);
}

bool value_check_keys(const char *folder, const KeySource *key, const SecretBytes *ring,
                      GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!dir_list(folder, VALUE_SEALED_SUFFIX, &names, error))
        return false;
    for (guint i = 0; i < MIN(names->len, KEY_CHECKS_MAX); i++) {
        g_autofree char *stem = g_strndup(names->pdata[i], UUID_TEXT_SIZE - 1);
        ValuePlace place = { .folder = folder, .key = key };

        if (uuid_parse(stem, &place.uuid, NULL) && !check_key(&place, ring, error))
            return false;
    }
    return true;
}

/* Plain values are encrypted on this occasion, too. */
bool value_seal_again(const ValuePlace *place, const SecretBytes *ring, bool *ret_is_changed,
                      GError **error)
{
    g_autoptr(SecretBytes) value = NULL;
    g_autofree char *data = NULL;
    g_autofree char *plain = value_path(place, VALUE_PLAIN_SUFFIX);
    uint8_t first_id[CIPHER_KEY_ID_BYTES];
    size_t length = 0;

    *ret_is_changed = false;
    if (!cipher_key_id(ring->data, first_id, error) || !sealed_load(place, &data, &length, error))
        return false;
    /* A plain one beside it is from a write that was cut short. */
    if (data && memcmp(data + MAGIC_BYTES, first_id, sizeof(first_id)) == 0)
        return file_remove_durable(plain, error);
    if (data && !sealed_open(place, ring, data, length, &value, error))
        return false;
    if (!data && !plain_read(place, &value, error))
        return false;
    if (!value)
        return true;
    *ret_is_changed = true;
    return sealed_write(place, ring, value, error) && file_remove_durable(plain, error);
}
