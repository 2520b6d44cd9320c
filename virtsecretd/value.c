/* Setting and getting values. Between the wire and the disk a value is in locked memory; what the
 * codecs allocate for it is wiped by them. No text of an error or of the log has any of it. */
#include "virtsecretd/procedures.h"

#include <string.h>

#include "base/error.h"
#include "common/client.h"
#include "virtsecretd/definitions.h"
#include "virtsecretd/driver.h"
#include "virtsecretd/events.h"
#include "virtsecretd/lock.h"
#include "wire/remote.h"

/* Takes the value: where it goes depends on the secret as it is under the lock. */
static bool set_locked(Driver *driver, Secret *secret, SecretBytes *taken, GError **error)
{
    g_autoptr(SecretBytes) value = taken;
    g_auto(SecretPlace) place = { 0 };

    if (secret->def->is_ephemeral) {
        secret_take_value(secret, g_steal_pointer(&value));
        return true;
    }
    secret_place_init(&place, driver, &secret->object.uuid);
    return definitions_write_value(&place.value, value, error);
}

/* The copy is made before anybody is waited for: without locked memory nothing begins. */
static bool secret_set_value(Call *call, const remote_secret_set_value_args *args, none *ret,
                             GError **error)
{
    Driver *driver;
    Secret *secret;
    SecretBytes *value;
    bool is_set;

    if (args->value.value_len == 0) {
        g_set_error(error, error_quark(VIR_FROM_SECRET), VIR_ERR_INVALID_ARG,
                    "value in virSecretSetValue must not be NULL");
        return false;
    }
    if (!secret_check_flags("secretSetValue", args->flags, 0, error))
        return false;
    secret = call_get_secret(call, &args->secret, &driver, error);
    value = secret ? secret_bytes_copy(args->value.value_val, args->value.value_len, error) : NULL;
    is_set = value && secret_lock(secret, error);
    if (is_set) {
        is_set = set_locked(driver, secret, g_steal_pointer(&value), error);
        secret_unlock(secret);
    }
    secret_bytes_free(value);
    if (is_set)
        secret_emit_value_changed(driver, secret);
    object_unref(secret);
    return is_set;
}

/* A private value is for drivers of siblings, who use it without showing it. No flag of a call
 * asks for it: routers pass those on. */
static bool check_private(Call *call, const Secret *secret, GError **error)
{
    if (!secret->def->is_private || client_is_driver(call_get_client(call)))
        return true;
    error_set(error, VIR_FROM_SECRET, VIR_ERR_INVALID_SECRET, "secret is private");
    return false;
}

/* *@ret_value is the secret's own, or *@owned. NULL when there is none. */
static bool get_locked(Driver *driver, Secret *secret, SecretBytes **owned,
                       const SecretBytes **ret_value, GError **error)
{
    g_auto(SecretPlace) place = { 0 };

    if (!secret->def->is_ephemeral) {
        secret_place_init(&place, driver, &secret->object.uuid);
        if (!definitions_read_value(&place.value, owned, error))
            return false;
    }
    *ret_value = secret->def->is_ephemeral ? secret->value : *owned;
    if (*ret_value)
        return true;
    error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "secret '%s' does not have a value",
              secret->object.name);
    return false;
}

/* Whether it may be seen is asked under the lock: it may have become private while we waited. The
 * reply's copy is freed, and wiped, by its codec. */
static bool get_value(Call *call, Driver *driver, Secret *secret, remote_secret_get_value_ret *ret,
                      GError **error)
{
    g_autoptr(SecretBytes) owned = NULL;
    const SecretBytes *value = NULL;
    bool is_there;

    if (!secret_lock(secret, error))
        return false;
    is_there = check_private(call, secret, error) &&
               get_locked(driver, secret, &owned, &value, error);
    if (is_there) {
        ret->value.value_len = (u_int)value->length;
        ret->value.value_val = g_memdup2(value->data, value->length);
    }
    secret_unlock(secret);
    return is_there;
}

static bool secret_get_value(Call *call, const remote_secret_get_value_args *args,
                             remote_secret_get_value_ret *ret, GError **error)
{
    Driver *driver;
    Secret *secret;
    bool is_there;

    if (!secret_check_flags("secretGetValue", args->flags, 0, error))
        return false;
    secret = call_get_secret(call, &args->secret, &driver, error);
    is_there = secret && get_value(call, driver, secret, ret, error);
    object_unref(secret);
    return is_there;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_SECRET_SET_VALUE, secret_set_value, remote_secret_set_value_args, none),
    PROCEDURE(REMOTE_PROC_SECRET_GET_VALUE, secret_get_value, remote_secret_get_value_args,
              remote_secret_get_value_ret),
};

const ProcedureTable secret_value_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
