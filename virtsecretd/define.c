/* Defining and undefining secrets: the calls that change what there is. */
#include "virtsecretd/procedures.h"

#include <string.h>

#include "base/error.h"
#include "virtsecretd/definitions.h"
#include "virtsecretd/driver.h"
#include "virtsecretd/events.h"
#include "virtsecretd/lock.h"
#include "wire/api_secret.h"
#include "wire/remote.h"

/* A uuid and what its secret is for stay together, and what was private stays so: somebody may
 * rely on it (manual: virSecretDefineXML, and what clients have always been told). */
static bool check_change(const Secret *secret, const SecretDef *def, GError **error)
{
    const SecretDef *old = secret->def;
    const char *reason = NULL;

    if (old->usage_type != def->usage_type || g_strcmp0(old->usage_id, def->usage_id) != 0) {
        if (old->usage_id)
            error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                      "a secret with UUID %s is already defined for use with %.256s",
                      secret->object.name, old->usage_id);
        else
            error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                      "a secret with UUID %s is already defined without a usage",
                      secret->object.name);
        return false;
    }
    if (old->is_private && !def->is_private)
        reason = "cannot change private flag on existing secret";
    if (reason)
        error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR, "%s", reason);
    return reason == NULL;
}

/* From memory to disk: the value goes along, and before the definition. */
static bool save(const Driver *driver, const Secret *secret, const SecretDef *def, bool is_new,
                 GError **error)
{
    g_auto(SecretPlace) place = { 0 };

    secret_place_init(&place, driver, &secret->object.uuid);
    /* What is on disk of an ephemeral secret, if anything, is not its own. */
    return definitions_save(&place.value, def, secret->value,
                            is_new || secret->def->is_ephemeral, error);
}

/* From disk to memory. */
static bool make_ephemeral(Driver *driver, Secret *secret, GError **error)
{
    g_auto(SecretPlace) place = { 0 };
    g_autoptr(SecretBytes) value = NULL;
    bool is_gone = false;
    bool is_removed;

    secret_place_init(&place, driver, &secret->object.uuid);
    if (!definitions_read_value(&place.value, &value, error))
        return false;
    is_removed = definitions_remove(&place.value, &is_gone, error);
    /* What is not on disk any more must be somewhere. */
    if (is_gone) {
        secret_take_value(secret, g_steal_pointer(&value));
        driver_set_ephemeral(driver, secret, true);
    }
    return is_removed;
}

/* On failure all is as it was, but for what make_ephemeral() says. */
static bool define_locked(Driver *driver, Secret *secret, const SecretDef *def, bool is_new,
                          GError **error)
{
    if (!is_new && !check_change(secret, def, error))
        return false;
    if (!def->is_ephemeral)
        return save(driver, secret, def, is_new, error);
    return is_new || secret->def->is_ephemeral || make_ephemeral(driver, secret, error);
}

/* What the new definition changes, now that it is on disk. */
static void take_over(Driver *driver, Secret *secret, SecretDef *def)
{
    driver_set_ephemeral(driver, secret, def->is_ephemeral);
    secret->def->is_private = def->is_private;
    g_free(secret->def->description);
    secret->def->description = g_steal_pointer(&def->description);
    if (!def->is_ephemeral)
        secret_take_value(secret, NULL);
}

/* A secret that is new is in the store before it is on disk, so that nobody takes its usage
 * meanwhile. */
static Secret *define_begin(Driver *driver, SecretDef *def, bool *ret_is_new, GError **error)
{
    Secret *secret = secret_store_find(driver->secrets, &def->uuid);
    SecretDef *copy;

    *ret_is_new = !secret;
    if (secret)
        return secret;
    copy = g_new(SecretDef, 1);
    *copy = *def;
    /* Not yet counted as such. */
    copy->is_ephemeral = false;
    copy->usage_id = g_strdup(def->usage_id);
    copy->description = g_strdup(def->description);
    secret = secret_new(copy);
    if (secret_store_add(driver->secrets, secret, error))
        return secret;
    object_unref(secret);
    return NULL;
}

/* The secret that @def is about, under its lock; a new one is in the store already. One that goes
 * while we wait, by a call that was before us, makes ours the first of a new one. A new reference;
 * NULL on failure. */
static Secret *define_lock(Driver *driver, SecretDef *def, bool *ret_is_new, GError **error)
{
    for (;;) {
        Secret *secret = define_begin(driver, def, ret_is_new, error);
        g_autoptr(GError) reason = NULL;
        bool is_gone;

        if (!secret || secret_lock(secret, &reason))
            return secret;
        is_gone = !object_is_in_store(&secret->object);
        /* Whoever has just made it need not wait for its lock, but may be cancelled. */
        if (*ret_is_new)
            secret_store_remove(driver->secrets, secret);
        object_unref(secret);
        if (!is_gone || fiber_is_cancelled(fiber_current())) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return NULL;
        }
    }
}

/* Events and the reply come after the lock: whoever waits for it need not wait for them. */
static bool define(Driver *driver, SecretDef *def, remote_nonnull_secret *ret_wire, GError **error)
{
    bool is_new, is_defined;
    Secret *secret = define_lock(driver, def, &is_new, error);

    if (!secret)
        return false;
    is_defined = define_locked(driver, secret, def, is_new, error);
    if (is_defined)
        take_over(driver, secret, def);
    else if (is_new)
        secret_store_remove(driver->secrets, secret);
    secret_unlock(secret);
    if (is_defined) {
        secret_emit_lifecycle(driver, secret, VIR_SECRET_EVENT_DEFINED);
        secret_to_wire(secret, ret_wire);
    }
    object_unref(secret);
    return is_defined;
}

/* Everything that is wrong with the XML is found before anything is touched. */
static bool secret_define_xml(Call *call, const remote_secret_define_xml_args *args,
                              remote_secret_define_xml_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(SecretDef) def = NULL;

    if (!driver ||
        !secret_check_flags("secretDefineXML", args->flags, VIR_SECRET_DEFINE_VALIDATE, error))
        return false;
    def = secret_def_parse(args->xml, args->flags & VIR_SECRET_DEFINE_VALIDATE, error);
    return def && define(driver, def, &ret->secret, error);
}

/* Files first: what is gone from memory must not come back with the next start. */
static bool undefine_locked(Driver *driver, Secret *secret, GError **error)
{
    g_auto(SecretPlace) place = { 0 };
    bool is_gone = secret->def->is_ephemeral;
    bool is_removed;

    secret_place_init(&place, driver, &secret->object.uuid);
    is_removed = is_gone || definitions_remove(&place.value, &is_gone, error);
    if (is_gone) {
        secret_take_value(secret, NULL);
        driver_set_ephemeral(driver, secret, false);
        secret_store_remove(driver->secrets, secret);
        secret_emit_lifecycle(driver, secret, VIR_SECRET_EVENT_UNDEFINED);
    }
    return is_removed;
}

/* A second call for the same secret waits for the first, and is told that there is none. */
static bool secret_undefine(Call *call, const remote_secret_undefine_args *args, none *ret,
                            GError **error)
{
    Driver *driver;
    Secret *secret = call_get_secret(call, &args->secret, &driver, error);
    bool is_undefined;

    if (!secret)
        return false;
    is_undefined = secret_lock(secret, error);
    if (is_undefined) {
        is_undefined = undefine_locked(driver, secret, error);
        secret_unlock(secret);
    }
    object_unref(secret);
    return is_undefined;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_SECRET_DEFINE_XML, secret_define_xml, remote_secret_define_xml_args,
              remote_secret_define_xml_ret),
    PROCEDURE(REMOTE_PROC_SECRET_UNDEFINE, secret_undefine, remote_secret_undefine_args, none),
};

const ProcedureTable secret_define_procedures = { REMOTE_PROGRAM, procedures,
                                                  G_N_ELEMENTS(procedures) };
