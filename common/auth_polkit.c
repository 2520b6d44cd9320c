/* polkit's authority is asked over the system bus. One connection per daemon is opened by
 * the first check, and anew when the bus has gone; it runs on the daemon's own loop. */
#include "common/auth.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/error.h"
#include "common/client_private.h"
#include "common/daemon_private.h"

#include "base/log.h"

LOG_INIT("auth.polkit");

#define AUTHORITY_NAME "org.freedesktop.PolicyKit1"
#define AUTHORITY_PATH "/org/freedesktop/PolicyKit1/Authority"
#define AUTHORITY_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define AUTHORITY_ERROR "org.freedesktop.PolicyKit1.Error."

#define ACTION_MONITOR "org.libvirt.unix.monitor"
#define ACTION_MANAGE "org.libvirt.unix.manage"

/* CheckAuthorizationFlags: a person may be asked for a password. */
#define ALLOW_USER_INTERACTION 1
/* Somebody may have to be fetched who knows it. */
#define CHECK_PATIENCE_MS (5 * 60 * 1000)

#define SYSTEM_BUS_SOCKET "/run/dbus/system_bus_socket"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus, sd_bus_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_message, sd_bus_message_unref)

struct AuthPolkit {
    sd_bus *bus;   /* NULL: not connected */
    GQueue checks; /* of Check.link: who waits for an answer */
    bool has_reported_absence;
    uint64_t next_id;
};

/* One question; lives on the stack of the fiber that waits for the answer. */
typedef struct Check {
    const char *action;
    sd_bus *bus; /* the connection that it was sent over */
    char *id;    /* to cancel it by */
    sd_bus_slot *slot;
    sd_bus_message *reply; /* NULL when done without: nobody wants to know any more */
    FiberCompletion done;
    GList link;
} Check;

static void check_clear(Check *check)
{
    sd_bus_slot_unref(check->slot);
    sd_bus_message_unref(check->reply);
    sd_bus_unref(check->bus);
    g_free(check->id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

static void unavailable(const char *reason, GError **error)
{
    error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_UNAVAILABLE, "polkit cannot be asked: %s",
              reason);
}

/* Questions that are under way keep references of their own to the connection, but nothing
 * is received over it any more: they end without an answer. */
static void polkit_drop_bus(AuthPolkit *polkit)
{
    if (!polkit->bus)
        return;
    for (GList *link = polkit->checks.head; link; link = link->next) {
        Check *check = link->data;

        if (check->bus == polkit->bus)
            fiber_completion_signal(&check->done);
    }
    sd_bus_detach_event(polkit->bus);
    polkit->bus = sd_bus_close_unref(polkit->bus);
}

/* Absence is logged once, not for every client that comes. */
static bool polkit_connect(AuthPolkit *polkit, sd_event *event, GError **error)
{
    int result;

    if (polkit->bus && sd_bus_is_open(polkit->bus) > 0)
        return true;
    polkit_drop_bus(polkit);
    result = sd_bus_open_system(&polkit->bus);
    if (result >= 0)
        result = sd_bus_attach_event(polkit->bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (result >= 0) {
        polkit->has_reported_absence = false;
        return true;
    }
    polkit->bus = sd_bus_close_unref(polkit->bus);
    if (!polkit->has_reported_absence)
        LOG_WARN("Cannot connect to the system bus: %s; without it polkit lets nobody in",
                 g_strerror(-result));
    polkit->has_reported_absence = true;
    error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_UNAVAILABLE,
              "polkit cannot be asked, there is no system bus: %s", g_strerror(-result));
    return false;
}

/* polkit looks a process up by its number; only with its start time, and with the user
 * that the kernel noted, is it sure to be the one that connected. */
static bool check_subject(const Identity *identity, GError **error)
{
    if (identity->has_process && identity->has_user && identity->process_start_time > 0)
        return true;
    error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED,
              "the client's process has ended, or cannot be seen from here");
    return false;
}

/* The signature is that of CheckAuthorization in polkit's D-Bus reference: subject, action,
 * details (none), flags, and the id by which it can be cancelled. */
static int check_make_message(Check *check, const Identity *identity, sd_bus_message **ret_message)
{
    g_autoptr(sd_bus_message) message = NULL;
    int result;

    result = sd_bus_message_new_method_call(check->bus, &message, AUTHORITY_NAME, AUTHORITY_PATH,
                                            AUTHORITY_INTERFACE, "CheckAuthorization");
    if (result < 0)
        return result;
    result = sd_bus_message_append(message, "(sa{sv})sa{ss}us",
                                   "unix-process", 3,
                                   "pid", "u", (uint32_t)identity->pid,
                                   "start-time", "t", identity->process_start_time,
                                   "uid", "i", (int32_t)identity->uid,
                                   check->action, 0,
                                   (uint32_t)ALLOW_USER_INTERACTION, check->id);
    if (result < 0)
        return result;
    *ret_message = g_steal_pointer(&message);
    return 0;
}

/* In the loop, while the bus connection is being read: the fiber goes on later. */
static int check_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Check *check = userdata;

    check->reply = sd_bus_message_ref(reply);
    fiber_completion_signal(&check->done);
    return 0;
}

/* The slot ends the call when it is dropped: a reply that comes later finds nobody, and the
 * Check, on its fiber's stack, may be gone. */
static bool check_send(Check *check, const Identity *identity, GError **error)
{
    g_autoptr(sd_bus_message) message = NULL;
    int result = check_make_message(check, identity, &message);

    /* The deadline is the fiber's: the bus need not have one, too. */
    if (result >= 0)
        result = sd_bus_call_async(check->bus, &check->slot, message, check_on_reply, check,
                                   UINT64_MAX);
    if (result < 0)
        unavailable(g_strerror(-result), error);
    return result >= 0;
}

/* Runs also when the client has gone already: then the wait ends at once. */
static void check_on_client_closed(Client *client, void *data)
{
    Check *check = data;

    fiber_completion_signal(&check->done);
}

/* Nobody waits any more: the person's password dialog vanishes. */
static void check_cancel(Check *check)
{
    int result = sd_bus_call_method_async(check->bus, NULL, AUTHORITY_NAME, AUTHORITY_PATH,
                                          AUTHORITY_INTERFACE, "CancelCheckAuthorization", NULL,
                                          NULL, "s", check->id);

    if (result < 0)
        LOG_DEBUG("cannot cancel question %s to polkit: %s", check->id, g_strerror(-result));
}

static bool check_read_error(const sd_bus_error *bus_error, GError **error)
{
    const char *text = bus_error->message ? bus_error->message : bus_error->name;

    if (strcmp(bus_error->name, AUTHORITY_ERROR "Cancelled") == 0)
        error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_CANCELLED,
                  "user cancelled authentication process");
    else if (g_str_has_prefix(bus_error->name, AUTHORITY_ERROR))
        error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "polkit refuses to answer: %s",
                  text);
    else
        unavailable(text, error);
    return false;
}

/* A structure of two booleans and a table of details, of which one matters. */
static int reply_read(sd_bus_message *reply, bool *ret_is_authorized, bool *ret_is_challenge,
                      bool *ret_is_dismissed)
{
    int is_authorized = 0, is_challenge = 0;
    const char *key, *value;
    int result = sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, "bba{ss}");

    if (result > 0)
        result = sd_bus_message_read(reply, "bb", &is_authorized, &is_challenge);
    if (result > 0)
        result = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{ss}");
    if (result <= 0)
        return result < 0 ? result : -EBADMSG;
    while ((result = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0) {
        if (strcmp(key, "polkit.dismissed") == 0)
            *ret_is_dismissed = true;
    }
    *ret_is_authorized = is_authorized;
    *ret_is_challenge = is_challenge;
    return result;
}

/* The words are those that users of other implementations know, and search for. */
static bool check_read_reply(const Check *check, GError **error)
{
    bool is_authorized = false, is_challenge = false, is_dismissed = false;
    int result;

    if (sd_bus_message_is_method_error(check->reply, NULL))
        return check_read_error(sd_bus_message_get_error(check->reply), error);
    result = reply_read(check->reply, &is_authorized, &is_challenge, &is_dismissed);
    if (result < 0) {
        unavailable("its answer cannot be understood", error);
        return false;
    }
    if (is_authorized)
        return true;
    if (is_dismissed)
        error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_CANCELLED,
                  "user cancelled authentication process");
    else if (is_challenge)
        error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_UNAVAILABLE,
                  "no polkit agent available to authenticate action '%s'", check->action);
    else
        error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "access denied by policy");
    return false;
}

/* Waits for the answer, or until the client or the daemon goes. */
static bool check_wait(Check *check, Client *client, AuthPolkit *polkit, GError **error)
{
    g_autoptr(GError) wait_error = NULL;
    bool is_done;

    check->link.data = check;
    g_queue_push_tail_link(&polkit->checks, &check->link);
    client_add_close_func(client, check_on_client_closed, check);
    is_done = fiber_completion_wait(&check->done, fiber_deadline_ms(CHECK_PATIENCE_MS),
                                    &wait_error);
    client_remove_close_func(client, check_on_client_closed, check);
    g_queue_unlink(&polkit->checks, &check->link);
    /* An answer counts, even when the client has gone since. */
    if (check->reply)
        return true;
    check_cancel(check);
    if (!is_done && wait_error->code == VIR_ERR_OPERATION_TIMEOUT)
        unavailable("it has not answered for five minutes", error);
    else
        unavailable("the system bus, the client or the daemon has gone", error);
    return false;
}

/* The identity is used before the first wait only: it is the client's, and may be replaced in
 * one. */
bool auth_polkit_check(Client *client, GError **error)
{
    Daemon *daemon = client_get_daemon(client);
    const Identity *identity = client_get_identity(client);
    g_auto(Check) check = { .action = client_is_read_only(client) ? ACTION_MONITOR
                                                                  : ACTION_MANAGE };

    if (!check_subject(identity, error))
        return false;
    if (daemon->is_stopping) {
        unavailable("the daemon ends", error);
        return false;
    }
    if (!daemon->polkit)
        daemon->polkit = g_new0(AuthPolkit, 1);
    if (!polkit_connect(daemon->polkit, daemon_get_event(daemon), error))
        return false;
    check.bus = sd_bus_ref(daemon->polkit->bus);
    check.id = g_strdup_printf("%s-%" G_GUINT64_FORMAT, daemon_get_spec(daemon)->name,
                               ++daemon->polkit->next_id);
    return check_send(&check, identity, error) &&
           check_wait(&check, client, daemon->polkit, error) && check_read_reply(&check, error);
}

bool auth_polkit_is_known(void)
{
    return true;
}

/* Only whether there is a bus: polkit itself is started by the first question. */
bool auth_polkit_is_there(void)
{
    const char *address = g_getenv("DBUS_SYSTEM_BUS_ADDRESS");

    return (address && address[0]) || access(SYSTEM_BUS_SOCKET, F_OK) == 0;
}

/* The fibers find out when they run next; the list is theirs to leave. */
void auth_polkit_cancel(Daemon *daemon)
{
    if (!daemon->polkit)
        return;
    for (GList *link = daemon->polkit->checks.head; link; link = link->next) {
        Check *check = link->data;

        fiber_completion_signal(&check->done);
    }
}

void auth_polkit_disconnect(Daemon *daemon)
{
    if (!daemon->polkit)
        return;
    polkit_drop_bus(daemon->polkit);
    g_clear_pointer(&daemon->polkit, g_free);
}
