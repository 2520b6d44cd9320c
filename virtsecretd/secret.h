/* A secret as the daemon keeps it: its definition, and the value of an ephemeral one. Values of
 * others are on disk (value_files.h) and read each time. Belongs to the store; calls hold
 * references. Restarts keep what is not ephemeral. */
#pragma once

#include "base/secret_bytes.h"
#include "common/objects.h"
#include "fiber/sync.h"
#include "virtsecretd/secret_def.h"
#include "wire/remote_secret.h"

typedef struct Secret {
    Object object;    /* its name is the uuid's text */
    SecretDef *def;   /* uuid and usage never change */
    SecretBytes *value; /* NULL for one that is not ephemeral, or has none yet */
    FiberMutex lock;  /* held over a change, and over reading a value from disk */
} Secret;

/* Takes @def. In no store; the reference is the caller's. */
Secret *secret_new(SecretDef *def);
/* Whether a list with these VIR_CONNECT_LIST_SECRETS_* flags shows it. */
bool secret_matches(const Secret *secret, unsigned flags);
/* Every flag that secret_matches() knows. */
extern const unsigned secret_filter_flags;
/* Puts @value in the place of what is in memory, and takes it; NULL drops that. */
void secret_take_value(Secret *secret, SecretBytes *value);
/* What it is for, "" when for nothing. */
const char *secret_usage_id(const Secret *secret);
/* Fills what a reply names a secret by; its codec frees it. */
void secret_to_wire(const Secret *secret, remote_nonnull_secret *ret_wire);

/* All secrets by uuid and by usage: no two have the same of either. */
typedef struct SecretStore SecretStore;

SecretStore *secret_store_new(void);
void secret_store_free(SecretStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretStore, secret_store_free)
/* Errors: INTERNAL_ERROR when another secret has the usage or the uuid. */
bool secret_store_add(SecretStore *store, Secret *secret, GError **error);
void secret_store_remove(SecretStore *store, Secret *secret);
/* A new reference; find: NULL when there is none, get: NO_SECRET. */
Secret *secret_store_find(const SecretStore *store, const Uuid *uuid);
Secret *secret_store_get(const SecretStore *store, const Uuid *uuid, GError **error);
Secret *secret_store_get_usage(const SecretStore *store, int type, const char *id, GError **error);
/* The first object's link, in order of creation; see object_store_first(). */
GList *secret_store_first(const SecretStore *store);
