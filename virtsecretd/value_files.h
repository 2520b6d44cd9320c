/* Values on disk, beside the definitions: UUID.base64 holds one as existing installations have it,
 * UUID.sealed one that is encrypted. Where there are both, from a write that was cut short, the
 * encrypted one counts. A sealed file is: the line "splitvirt-secret-1", 8 bytes that name the
 * key, 12 of nonce, the value encrypted by AES-256-GCM, 16 of tag; all before the nonce, and the
 * uuid, are part of what the tag covers, so no file passes for another secret's.
 *
 * Everything here blocks, holds the folder's lock (folder_lock.h) meanwhile, and may be called
 * from any thread. */
#pragma once

#include "base/secret_bytes.h"
#include "base/uuid.h"
#include "virtsecretd/key_ring.h"

/* As many bytes as the protocol carries. */
#define VALUE_MAX_BYTES 65536

#define VALUE_PLAIN_SUFFIX ".base64"
#define VALUE_SEALED_SUFFIX ".sealed"

/* One value: where it is, and where the keys are. */
typedef struct ValuePlace {
    const char *folder;
    Uuid uuid;
    const KeySource *key;
} ValuePlace;

/* *@ret_value is NULL when there is none. Errors: OPERATION_FAILED when the key is missing or not
 * the right one, or the file is damaged; SYSTEM_ERROR. */
bool value_read(const ValuePlace *place, SecretBytes **ret_value, GError **error);
/* Encrypted if there is a key, else plain; what was there in the other form goes. Whole or not at
 * all, at any instant. */
bool value_write(const ValuePlace *place, const SecretBytes *value, GError **error);
bool value_remove(const ValuePlace *place, GError **error);

/* The keys for writing, which are made when there is no file, the configuration allows it and no
 * value is encrypted: a key that replaced a lost one would only hide the loss. The caller has the
 * folder's lock, alone. */
bool value_load_ring(const KeySource *key, const char *folder, SecretBytes **ret_ring,
                     GError **error);

/* Whether the keys are those of the values, as far as a look at some of them tells.
 * Errors: as value_read(), for the first whose key is not there. */
bool value_check_keys(const char *folder, const KeySource *key, const SecretBytes *ring,
                      GError **error);

/* For the roll-over: encrypts the value with the first key of @ring if it is not. The caller has
 * the folder's lock. @ret_is_changed: whether there was anything to do. */
bool value_seal_again(const ValuePlace *place, const SecretBytes *ring, bool *ret_is_changed,
                      GError **error);
