/* Three steps, each under the lock of the folder that daemons hold while they use a key: a new key
 * in front of the old one in the file of keys, from where on daemons encrypt with it; every value
 * encrypted anew, or for the first time; the old key removed. */
#include "virtsecretd/rotate.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/plural.h"
#include "virtsecretd/folder.h"
#include "virtsecretd/folder_lock.h"
#include "virtsecretd/value_files.h"

typedef struct Rotation {
    const KeySource *key;
    char *folder;
    FILE *out;
    SecretBytes *ring;
    unsigned n_changed, n_kept, n_failed; /* values; kept: encrypted with the first key before */
} Rotation;

/* Keys beside the first are from a roll-over that was cut short: that is finished first. */
static bool add_key(Rotation *rotation, GError **error)
{
    g_auto(FolderLock) lock = FOLDER_LOCK_NONE;
    bool is_there = g_file_test(rotation->key->path, G_FILE_TEST_EXISTS);
    SecretBytes *ring;

    if (!folder_lock_take(&lock, rotation->folder, FOLDER_ALONE, error) ||
        !value_load_ring(rotation->key, rotation->folder, &rotation->ring, error))
        return false;
    /* One that has just been made is new enough, and a credential is not ours to write. */
    if (!is_there || rotation->key->is_credential || key_ring_count(rotation->ring) > 1)
        return true;
    ring = key_ring_create(rotation->key, rotation->ring, error);
    if (!ring)
        return false;
    secret_bytes_free(rotation->ring);
    rotation->ring = ring;
    return true;
}

/* The lock is taken for each value: daemons get their turns in between. */
static void seal_value(Rotation *rotation, const Uuid *uuid)
{
    ValuePlace place = { rotation->folder, *uuid, rotation->key };
    g_auto(FolderLock) lock = FOLDER_LOCK_NONE;
    g_autoptr(GError) reason = NULL;
    bool is_changed = false;

    if (folder_lock_take(&lock, rotation->folder, FOLDER_ALONE, &reason) &&
        value_seal_again(&place, rotation->ring, &is_changed, &reason)) {
        rotation->n_changed += is_changed;
        rotation->n_kept += !is_changed;
        return;
    }
    rotation->n_failed++;
    fprintf(rotation->out, "%s\n", reason->message);
}

static bool is_value_name(const char *name, const char *suffix, Uuid *ret_uuid)
{
    g_autofree char *stem = g_strndup(name, strlen(name) - strlen(suffix));

    return strlen(stem) == UUID_TEXT_SIZE - 1 && uuid_parse(stem, ret_uuid, NULL);
}

/* Names are read once: a value that is set later is encrypted with the new key anyway. */
static bool seal_values(Rotation *rotation, const char *suffix, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!dir_list(rotation->folder, suffix, &names, error))
        return false;
    for (guint i = 0; i < names->len; i++) {
        Uuid uuid;

        if (is_value_name(names->pdata[i], suffix, &uuid))
            seal_value(rotation, &uuid);
    }
    return true;
}

/* One can be plain still, or again: a daemon that was started before there was a key sets it so.
 * The caller has the lock: no write is under way. */
static bool check_none_plain(const Rotation *rotation, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!dir_list(rotation->folder, VALUE_PLAIN_SUFFIX, &names, error))
        return false;
    for (guint i = 0; i < names->len; i++) {
        Uuid uuid;

        if (is_value_name(names->pdata[i], VALUE_PLAIN_SUFFIX, &uuid))
            return error_fail(error, VIR_FROM_SECRET, VIR_ERR_OPERATION_FAILED,
                              "'%s/%s' is not encrypted, and the old key is kept: restart "
                              "virtsecretd, which may have no key yet, and run this again",
                              rotation->folder, (const char *)names->pdata[i]);
    }
    return true;
}

/* We cannot write where the service manager keeps it, but could do the rest. With one key that is
 * all, if no value was encrypted before. */
static bool check_credential(const Rotation *rotation, GError **error)
{
    if (key_ring_count(rotation->ring) > 1 || (rotation->n_changed > 0 && rotation->n_kept == 0))
        return true;
    if (rotation->n_changed > 0)
        fprintf(rotation->out, "Encrypted %u value%s that had not been\n", rotation->n_changed,
                plural_s(rotation->n_changed));
    return error_fail(error, VIR_FROM_SECRET, VIR_ERR_OPERATION_FAILED,
                      "the key is a credential, which only the service manager can change: put %d "
                      "random bytes in front of those that it has, restart virtsecretd, and run "
                      "this again with the new credential",
                      CIPHER_KEY_BYTES);
}

/* A value that could not be read with the old key cannot be read with the new one either, but an
 * operator may still repair its file. */
static bool drop_old_keys(Rotation *rotation, GError **error)
{
    g_auto(FolderLock) lock = FOLDER_LOCK_NONE;

    if (rotation->n_failed > 0) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_OPERATION_FAILED,
                  "%u value%s could not be encrypted anew, and the old key is kept: set the values "
                  "anew or undefine the secrets, and run this again",
                  rotation->n_failed, plural_s(rotation->n_failed));
        return false;
    }
    if (!folder_lock_take(&lock, rotation->folder, FOLDER_ALONE, error) ||
        !check_none_plain(rotation, error))
        return false;
    return rotation->key->is_credential
               ? check_credential(rotation, error)
               : key_ring_keep_first(rotation->key, rotation->ring, error);
}

static const char *say_old_key(const Rotation *rotation)
{
    if (!rotation->key->is_credential)
        return ", the old one is gone";
    return key_ring_count(rotation->ring) > 1 ? "; the old one can be removed from the credential"
                                              : "";
}

/* In the order that the top of this file tells. */
static bool run(Rotation *rotation, GError **error)
{
    if (!rotation->key->path) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_OPERATION_FAILED,
                  "values of secrets are not encrypted: encryption_key_file in virtsecretd.conf "
                  "names no key");
        return false;
    }
    if (!add_key(rotation, error) || !seal_values(rotation, VALUE_SEALED_SUFFIX, error) ||
        !seal_values(rotation, VALUE_PLAIN_SUFFIX, error) || !drop_old_keys(rotation, error))
        return false;
    fprintf(rotation->out, "Encrypted %u value%s with the new key%s\n", rotation->n_changed,
            plural_s(rotation->n_changed), say_old_key(rotation));
    return true;
}

bool rotate_key(const Paths *paths, const DaemonConfig *config, FILE *out, GError **error)
{
    g_autoptr(KeySource) key = key_source_new(config);
    Rotation rotation = { .key = key, .folder = secrets_folder(paths), .out = out };
    bool is_done = run(&rotation, error);

    secret_bytes_free(rotation.ring);
    g_free(rotation.folder);
    return is_done;
}
