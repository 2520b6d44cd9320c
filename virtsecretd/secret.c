/* Secrets in memory and their store. The kit's store wants a name that is unique: a secret has none,
 * so its uuid's text is used. Usage, the second key that people use, has a table of its own beside
 * it. */
#include "virtsecretd/secret.h"

#include <string.h>

#include "common/list_filter.h"
#include "wire/api_secret.h"

static const ObjectType secret_type = { "secret", VIR_FROM_SECRET, VIR_ERR_NO_SECRET };

struct SecretStore {
    ObjectStore *objects;
    GHashTable *by_usage; /* Secret as a set, equal when type and id are; borrowed */
};

static void secret_free(void *data)
{
    Secret *secret = data;

    secret_def_free(secret->def);
    secret_bytes_free(secret->value);
    g_free(secret);
}

/* Locked by nobody, without a value. */
Secret *secret_new(SecretDef *def)
{
    Secret *secret = g_new0(Secret, 1);
    char uuid[UUID_TEXT_SIZE];

    object_init(&secret->object, uuid_format(&def->uuid, uuid), &def->uuid, secret_free);
    secret->def = def;
    return secret;
}

static const unsigned filter_groups[] = {
    VIR_CONNECT_LIST_SECRETS_EPHEMERAL | VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL,
    VIR_CONNECT_LIST_SECRETS_PRIVATE | VIR_CONNECT_LIST_SECRETS_NO_PRIVATE,
    0,
};
const unsigned secret_filter_flags =
    VIR_CONNECT_LIST_SECRETS_EPHEMERAL | VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL |
    VIR_CONNECT_LIST_SECRETS_PRIVATE | VIR_CONNECT_LIST_SECRETS_NO_PRIVATE;

bool secret_matches(const Secret *secret, unsigned flags)
{
    unsigned traits = (secret->def->is_ephemeral ? VIR_CONNECT_LIST_SECRETS_EPHEMERAL
                                                 : VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL) |
                      (secret->def->is_private ? VIR_CONNECT_LIST_SECRETS_PRIVATE
                                               : VIR_CONNECT_LIST_SECRETS_NO_PRIVATE);

    return list_filter_matches(flags, filter_groups, traits);
}

void secret_take_value(Secret *secret, SecretBytes *value)
{
    secret_bytes_free(secret->value);
    secret->value = value;
}

const char *secret_usage_id(const Secret *secret)
{
    return secret->def->usage_id ? secret->def->usage_id : "";
}

/* The text is a copy: replies are encoded after the secret may have gone. */
void secret_to_wire(const Secret *secret, remote_nonnull_secret *ret_wire)
{
    memcpy(ret_wire->uuid, secret->object.uuid.bytes, UUID_LENGTH);
    ret_wire->usageType = secret->def->usage_type;
    ret_wire->usageID = g_strdup(secret_usage_id(secret));
}

/* ---- The store ---- */

/* Secrets are their own keys in the table of usages: no text is kept twice. Those that are for
 * nothing are not in it. */
static guint usage_hash(gconstpointer data)
{
    const Secret *secret = data;

    return g_str_hash(secret->def->usage_id) * 31 + (guint)secret->def->usage_type;
}

static gboolean usage_equal(gconstpointer a, gconstpointer b)
{
    const SecretDef *one = ((const Secret *)a)->def;
    const SecretDef *other = ((const Secret *)b)->def;

    return one->usage_type == other->usage_type && strcmp(one->usage_id, other->usage_id) == 0;
}

SecretStore *secret_store_new(void)
{
    SecretStore *store = g_new0(SecretStore, 1);

    store->objects = object_store_new(&secret_type);
    store->by_usage = g_hash_table_new(usage_hash, usage_equal);
    return store;
}

void secret_store_free(SecretStore *store)
{
    if (!store)
        return;
    g_hash_table_unref(store->by_usage);
    object_store_free(store->objects);
    g_free(store);
}

/* The usage is looked at first: that it is taken is what people run into. */
bool secret_store_add(SecretStore *store, Secret *secret, GError **error)
{
    bool has_usage = secret->def->usage_id != NULL;
    const Secret *twin = has_usage ? g_hash_table_lookup(store->by_usage, secret) : NULL;

    if (twin) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                  "a secret with UUID %s already defined for use with %.256s", twin->object.name,
                  twin->def->usage_id);
        return false;
    }
    if (!object_store_add(store->objects, &secret->object, error))
        return false;
    if (has_usage)
        g_hash_table_add(store->by_usage, secret);
    return true;
}

/* From both tables before the last reference may go: the keys are in the secret. */
void secret_store_remove(SecretStore *store, Secret *secret)
{
    if (!object_is_in_store(&secret->object))
        return;
    if (secret->def->usage_id)
        g_hash_table_remove(store->by_usage, secret);
    object_store_remove(store->objects, &secret->object);
}

Secret *secret_store_find(const SecretStore *store, const Uuid *uuid)
{
    return object_store_find_uuid(store->objects, uuid);
}

Secret *secret_store_get(const SecretStore *store, const Uuid *uuid, GError **error)
{
    return object_store_get_uuid(store->objects, uuid, NULL, error);
}

/* Secrets for nothing are not found by it: there may be any number of them. */
Secret *secret_store_get_usage(const SecretStore *store, int type, const char *id, GError **error)
{
    SecretDef def = { .usage_type = type, .usage_id = (char *)id };
    Secret key = { .def = &def };
    Secret *secret = g_hash_table_lookup(store->by_usage, &key);

    if (secret)
        return object_ref(secret);
    error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "no secret with matching usage '%.256s'",
              id);
    return NULL;
}

GList *secret_store_first(const SecretStore *store)
{
    return object_store_first(store->objects);
}
