/* The keys that values of secrets are encrypted with: one file of 32 random bytes for each key,
 * one behind the other. The first encrypts; those behind it, left by a roll-over that is under
 * way, still decrypt. The file is a systemd credential or named by the configuration, and is read
 * each time it is needed: no key stays in memory, and a file that was repaired or replaced counts
 * at once. All of this blocks. */
#pragma once

#include "base/secret_bytes.h"
#include "common/config.h"
#include "virtsecretd/cipher.h"

#define KEY_RING_MAX_KEYS 4

/* Where the keys are. */
typedef struct KeySource {
    char *path;         /* NULL: nowhere, values are not encrypted */
    bool is_credential; /* the service manager's: not to be written */
    bool may_create;    /* when there is no file */
} KeySource;

/* What the configuration names, else the credential of that name, if there is one. */
KeySource *key_source_new(const DaemonConfig *config);
void key_source_free(KeySource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeySource, key_source_free)

/* The keys; NULL with no @error when there is no file. Errors: OPERATION_FAILED, which says what
 * is wrong with the file and how to repair it. @source has a path. */
bool key_ring_load(const KeySource *source, SecretBytes **ret_ring, GError **error);
/* The error for a file that is not there, in the same words. @n_values: how many are known to be
 * encrypted with it. */
void key_ring_fail_missing(const KeySource *source, unsigned n_values, GError **error);
/* Writes the file anew, durably: a new key, followed by those of @old (NULL: none). */
SecretBytes *key_ring_create(const KeySource *source, const SecretBytes *old, GError **error);
/* Writes the file with the first key of @ring alone. */
bool key_ring_keep_first(const KeySource *source, const SecretBytes *ring, GError **error);

size_t key_ring_count(const SecretBytes *ring);
/* The key with this id (of cipher_key_id()); NULL with no @error when there is none. */
bool key_ring_find(const SecretBytes *ring, const uint8_t *id, const uint8_t **ret_key,
                   GError **error);
