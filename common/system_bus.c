/* Calls are sd-bus's asynchronous ones; the loop wakes the fiber that waits. */
#include "common/system_bus.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/sync.h"

#define SYSTEM_BUS_SOCKET "/run/dbus/system_bus_socket"

struct SystemBus {
    FiberLoop *loop;
    sd_bus *connection; /* NULL: not connected */
};

/* On the stack of the fiber that waits. */
typedef struct Pending {
    sd_bus_message *reply;
    FiberCompletion done;
} Pending;

SystemBus *system_bus_new(FiberLoop *loop)
{
    SystemBus *bus = g_new0(SystemBus, 1);

    bus->loop = loop;
    return bus;
}

/* Those who wait for an answer hold the connection; what sd-bus has not told them by now, they learn
 * from their deadline. */
static void drop(SystemBus *bus)
{
    if (!bus->connection)
        return;
    sd_bus_detach_event(bus->connection);
    bus->connection = sd_bus_close_unref(bus->connection);
}

void system_bus_free(SystemBus *bus)
{
    if (!bus)
        return;
    drop(bus);
    g_free(bus);
}

bool system_bus_is_there(void)
{
    const char *address = g_getenv("DBUS_SYSTEM_BUS_ADDRESS");

    return (address && address[0]) || access(SYSTEM_BUS_SOCKET, F_OK) == 0;
}

void system_bus_set_error(int result, const char *what, GError **error)
{
    error_set(error, VIR_FROM_DBUS, VIR_ERR_DBUS_SERVICE, "%s: %s", what, g_strerror(-result));
}

sd_bus *system_bus_get(SystemBus *bus, GError **error)
{
    int result;

    if (bus->connection && sd_bus_is_open(bus->connection) > 0)
        return bus->connection;
    drop(bus);
    result = sd_bus_open_system(&bus->connection);
    if (result >= 0)
        result = sd_bus_attach_event(bus->connection, fiber_loop_get_event(bus->loop),
                                     SD_EVENT_PRIORITY_NORMAL);
    if (result >= 0)
        return bus->connection;
    bus->connection = sd_bus_close_unref(bus->connection);
    system_bus_set_error(result, "there is no system bus", error);
    return NULL;
}

/* In the loop, while the connection is being read: the fiber goes on later. */
static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Pending *pending = userdata;

    pending->reply = sd_bus_message_ref(reply);
    fiber_completion_signal(&pending->done);
    return 0;
}

static bool take_reply(Pending *pending, const char *destination, sd_bus_message **ret_reply,
                       char **ret_name, GError **error)
{
    g_autoptr(sd_bus_message) reply = g_steal_pointer(&pending->reply);

    if (!sd_bus_message_is_method_error(reply, NULL)) {
        if (ret_reply)
            *ret_reply = g_steal_pointer(&reply);
        return true;
    }
    const sd_bus_error *bus_error = sd_bus_message_get_error(reply);
    if (ret_name)
        *ret_name = g_strdup(bus_error->name);
    error_set(error, VIR_FROM_DBUS, VIR_ERR_DBUS_SERVICE, "%s: %s", destination,
              bus_error->message ? bus_error->message : bus_error->name);
    return false;
}

bool system_bus_call(sd_bus *connection, sd_bus_message *message, uint64_t deadline_us,
                     sd_bus_message **ret_reply, char **ret_name, GError **error)
{
    g_autoptr(sd_bus_slot) slot = NULL;
    const char *destination = sd_bus_message_get_destination(message);
    Pending pending = { 0 };
    int result;

    if (ret_name)
        *ret_name = NULL;
    /* The deadline is the fiber's. Dropping the slot ends the call: a reply that comes later
     * finds nobody. */
    result = sd_bus_call_async(connection, &slot, message, on_reply, &pending, UINT64_MAX);
    if (result < 0) {
        system_bus_set_error(result, destination, error);
        return false;
    }
    if (!fiber_completion_wait(&pending.done, deadline_us, error)) {
        sd_bus_message_unref(pending.reply);
        return false;
    }
    return take_reply(&pending, destination, ret_reply, ret_name, error);
}
