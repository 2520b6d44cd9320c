/* What virtsecretd is while it runs: made by start(), reached from every call. */
#pragma once

#include "common/call.h"
#include "common/daemon.h"
#include "virtsecretd/secret.h"
#include "virtsecretd/value_files.h"

typedef struct Driver {
    Daemon *daemon;
    char *folder; /* /etc/libvirt/secrets */
    SecretStore *secrets;
    unsigned n_ephemeral; /* secrets that are nowhere but here */
} Driver;

/* Waits until the driver has started. NULL with the error of its start when it could not. */
SUSPENDS Driver *driver_of(Call *call, GError **error);
/* call_check_flags() with an error of this driver. */
bool secret_check_flags(const char *api, unsigned flags, unsigned supported, GError **error);
/* The secret that a call is about, a new reference, and the driver. Errors: NO_SECRET. */
SUSPENDS Secret *call_get_secret(Call *call, const remote_nonnull_secret *wire,
                                 Driver **ret_driver, GError **error);

/* Where a secret's value is, and the keys as the configuration has them now. */
typedef struct SecretPlace {
    ValuePlace value;
    KeySource *key;
} SecretPlace;
void secret_place_init(SecretPlace *place, const Driver *driver, const Uuid *uuid);
void secret_place_clear(SecretPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SecretPlace, secret_place_clear)

void driver_set_ephemeral(Driver *driver, Secret *secret, bool is_ephemeral);

/* What the daemon calls (DaemonSpec). */
SUSPENDS bool driver_start(Daemon *daemon, void **ret_driver, GError **error);
void driver_stop(Daemon *daemon, void *driver);
bool driver_is_busy(Daemon *daemon, void *driver);
SUSPENDS bool driver_reload(Daemon *daemon, void *driver, GError **error);
