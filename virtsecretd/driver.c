/* From a call to the driver's data, and how the driver comes and goes. */
#include "virtsecretd/driver.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "fiber/offload.h"
#include "virtsecretd/definitions.h"
#include "virtsecretd/folder.h"

LOG_INIT("secret");

/* May wait, in the first moments of the daemon. The driver stays until no call is left. */
Driver *driver_of(Call *call, GError **error)
{
    Daemon *daemon = call_get_daemon(call);

    return daemon_wait_started(daemon, error) ? daemon_get_driver_data(daemon) : NULL;
}

bool secret_check_flags(const char *api, unsigned flags, unsigned supported, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (call_check_flags(api, flags, supported, &cause))
        return true;
    g_set_error_literal(error, error_quark(VIR_FROM_SECRET), cause->code, cause->message);
    return false;
}

/* The uuid alone counts; what clients say of its usage is from a former reply. */
Secret *call_get_secret(Call *call, const remote_nonnull_secret *wire, Driver **ret_driver,
                        GError **error)
{
    Driver *driver = driver_of(call, error);
    Uuid uuid;

    if (!driver)
        return NULL;
    *ret_driver = driver;
    memcpy(uuid.bytes, wire->uuid, UUID_LENGTH);
    return secret_store_get(driver->secrets, &uuid, error);
}

/* By the configuration of this moment; a reload meanwhile counts from the next call on. */
void secret_place_init(SecretPlace *place, const Driver *driver, const Uuid *uuid)
{
    place->key = key_source_new(daemon_get_config(driver->daemon));
    place->value = (ValuePlace){ driver->folder, *uuid, place->key };
}

void secret_place_clear(SecretPlace *place)
{
    key_source_free(place->key);
}

/* Counted, because the daemon asks often whether it may leave. */
void driver_set_ephemeral(Driver *driver, Secret *secret, bool is_ephemeral)
{
    driver->n_ephemeral += is_ephemeral;
    driver->n_ephemeral -= secret->def->is_ephemeral;
    secret->def->is_ephemeral = is_ephemeral;
    daemon_touch(driver->daemon);
}

typedef struct KeyCheck {
    const char *folder;
    const KeySource *source;
} KeyCheck;

/* One that is to be made when it is needed is not missing. */
static bool check_key(void *data, GError **error)
{
    const KeyCheck *check = data;
    const KeySource *source = check->source;
    g_autoptr(SecretBytes) ring = NULL;

    if (!source->path)
        return true;
    if (!key_ring_load(source, &ring, error))
        return false;
    if (ring)
        return value_check_keys(check->folder, source, ring, error);
    if (source->may_create)
        return true;
    key_ring_fail_missing(source, 0, error);
    return false;
}

/* A key that cannot be used keeps nobody from anything but what needs it: it is said here, and
 * by each call that needs it. */
static void driver_check_key(Driver *driver)
{
    g_autoptr(KeySource) source = key_source_new(daemon_get_config(driver->daemon));
    g_autoptr(GError) reason = NULL;
    KeyCheck check = { driver->folder, source };

    if (!fiber_offload(check_key, &check, &reason))
        LOG_ERROR("values that need the key are not read or written until this is repaired; all "
                  "else works: %s",
                  error_detail(reason));
}

/* Only the folder can keep it from starting: what is in there is looked at one by one. */
bool driver_start(Daemon *daemon, void **ret_driver, GError **error)
{
    Driver *driver = g_new0(Driver, 1);

    driver->daemon = daemon;
    driver->folder = secrets_folder(daemon_get_paths(daemon));
    driver->secrets = secret_store_new();
    if (!definitions_load(driver->folder, driver->secrets, error)) {
        driver_stop(daemon, driver);
        return false;
    }
    driver_check_key(driver);
    *ret_driver = driver;
    return true;
}

void driver_stop(Daemon *daemon, void *data)
{
    Driver *driver = data;

    secret_store_free(driver->secrets);
    g_free(driver->folder);
    g_free(driver);
}

/* What is in memory alone must not go because nobody has called for a while. */
bool driver_is_busy(Daemon *daemon, void *data)
{
    const Driver *driver = data;

    return driver->n_ephemeral > 0;
}

/* Nothing is kept of the key, so there is nothing to load anew but the operator's knowledge. */
bool driver_reload(Daemon *daemon, void *data, GError **error)
{
    driver_check_key(data);
    return true;
}
