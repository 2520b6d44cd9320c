/* A connection to the daemon of guests, for the few calls that libvirt-guests makes. Works with
 * virtqemud and with its namesake of another make. */
#pragma once

#include "base/uuid.h"
#include "common/paths.h"
#include "common/rpc_client.h"

typedef struct GuestName {
    char *name;
    Uuid uuid;
} GuestName;

typedef struct GuestsConnection GuestsConnection;

/* @uri is "default" or "qemu:///system". Errors: NO_SUPPORT for any other, SYSTEM_ERROR naming the
 * socket, what the daemon answers. */
SUSPENDS GuestsConnection *guests_connect(ChannelPool *pool, const Paths *paths, const char *uri,
                                          GError **error);
void guests_connection_free(GuestsConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestsConnection, guests_connection_free)

/* Of GuestName; @flags are VIR_CONNECT_LIST_DOMAINS_*. */
SUSPENDS GPtrArray *guests_list(GuestsConnection *connection, unsigned flags, GError **error);
SUSPENDS bool guests_shut_down(GuestsConnection *connection, const GuestName *guest,
                               GError **error);
/* One that runs already is no error. */
SUSPENDS bool guests_start(GuestsConnection *connection, const GuestName *guest, GError **error);

GuestName *guest_name_new(const char *name, const Uuid *uuid);
void guest_name_free(void *guest);
