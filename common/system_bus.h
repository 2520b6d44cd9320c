/* The system bus, for fibers that ask services of the host (systemd, machined, logind). One
 * connection for each owner, opened by the first use and anew when the bus has gone. That there
 * is no bus is a fact about the host, which callers tell from failures of a service. Nothing
 * survives a restart. */
#pragma once

#include <systemd/sd-bus.h>

#include "fiber/fiber.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus, sd_bus_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_message, sd_bus_message_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_slot, sd_bus_slot_unref)

typedef struct SystemBus SystemBus;

SystemBus *system_bus_new(FiberLoop *loop);
/* No fiber may wait for an answer. */
void system_bus_free(SystemBus *bus);

/* Whether there is a bus to connect to, as far as can be seen without connecting. */
bool system_bus_is_there(void);
/* The connection, borrowed. Errors: DBUS_SERVICE when there is no bus. */
sd_bus *system_bus_get(SystemBus *bus, GError **error);

/* Sends a method call and waits for its reply, a new reference (@ret_reply may be NULL). Errors:
 * DBUS_SERVICE with the peer's words, OPERATION_TIMEOUT, OPERATION_ABORTED. @ret_name, which
 * may be NULL, is set on failure to the name of the D-Bus error (to be freed), or NULL when it is
 * not a peer's. */
SUSPENDS bool system_bus_call(sd_bus *connection, sd_bus_message *message, uint64_t deadline_us,
                              sd_bus_message **ret_reply, char **ret_name, GError **error);

/* A call that cannot even be made, by sd-bus's negative @result: DBUS_SERVICE. */
void system_bus_set_error(int result, const char *what, GError **error);
