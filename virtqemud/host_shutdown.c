/* Each guest is ended by a fiber of its own: one that hangs holds up no other. Interfaces:
 * org.freedesktop.login1(5), "Inhibitor Locks" of systemd's documentation. */
#include "virtqemud/host_shutdown.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/plural.h"
#include "common/system_bus.h"
#include "virtqemud/driver.h"
#include "virtqemud/guest/guest.h"

LOG_INIT("qemu.host_shutdown");

#define LOGIND "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define LOGIND_MANAGER LOGIND ".Manager"
/* What sd-bus itself says of the connection. */
#define LOCAL "org.freedesktop.DBus.Local"
#define LOCAL_PATH "/org/freedesktop/DBus/Local"
#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"
#define WHY "Guests are shut down"
#define BUS_MS 10000
/* How long 0 is, by the manual. */
#define DEFAULT_WAIT_S 30
/* The service manager is asked for more time, and again before that is over. */
#define MORE_TIME_S 20
#define ASK_AGAIN_MS 5000
/* A bus that has gone is looked for again, first soon, then rarely. */
#define BUS_RETRY_FIRST_US G_USEC_PER_SEC
#define BUS_RETRY_MAX_US (30 * G_USEC_PER_SEC)
/* Of the lock of a definition, to note that it is to be started again. */
#define NOTE_MS 5000

struct HostShutdown {
    Driver *driver;
    SystemBus *bus;
    sd_bus_slot *signal; /* NULL: nobody is listened to */
    sd_bus_slot *loss;   /* of the bus, told by sd-bus itself; there with the signal */
    bool has_lost_bus;   /* a fiber waits for it to be back */
    int lock_fd;         /* of logind's lock; -1: none is held */
    bool has_said_absent;
    bool is_going_down; /* the host; logind may take it back */
    bool is_ending;     /* guests are being ended */
    unsigned n_left;    /* guests that are not done with */
    unsigned n_busy;    /* guests that are shutting down */
    FiberCond changed;  /* any of these */
};

/* What is to be done with one guest. */
typedef struct GuestEnding {
    HostShutdown *shutdown;
    Guest *guest;
    uint64_t deadline_us;
    bool tries_shutdown, powers_off, is_noted;
} GuestEnding;

HostShutdown *host_shutdown_new(Driver *driver)
{
    HostShutdown *shutdown = g_new0(HostShutdown, 1);

    shutdown->driver = driver;
    shutdown->bus = system_bus_new(daemon_get_loop(driver->daemon));
    shutdown->lock_fd = -1;
    return shutdown;
}

static void give_lock_back(HostShutdown *shutdown)
{
    if (shutdown->lock_fd >= 0)
        close(shutdown->lock_fd);
    shutdown->lock_fd = -1;
}

static void stop_listening(HostShutdown *shutdown)
{
    shutdown->signal = sd_bus_slot_unref(shutdown->signal);
    shutdown->loss = sd_bus_slot_unref(shutdown->loss);
}

void host_shutdown_free(HostShutdown *shutdown)
{
    if (!shutdown)
        return;
    give_lock_back(shutdown);
    stop_listening(shutdown);
    system_bus_free(shutdown->bus);
    g_free(shutdown);
}

static bool is_wanted(const QemuConf *conf)
{
    return conf->auto_shutdown_try_shutdown != QEMU_GUESTS_NONE ||
           conf->auto_shutdown_poweroff != QEMU_GUESTS_NONE;
}

static unsigned wait_seconds(const QemuConf *conf)
{
    return conf->auto_shutdown_wait ? conf->auto_shutdown_wait : DEFAULT_WAIT_S;
}

static bool is_among(int guests, const Domain *domain)
{
    return guests == QEMU_GUESTS_ALL ||
           guests == (domain->is_persistent ? QEMU_GUESTS_PERSISTENT : QEMU_GUESTS_TRANSIENT);
}

/* ---- One guest ---- */

/* Durable before the guest is touched: the host may be gone before it is. */
static void note_restart(GuestEnding *ending, bool is_wanted_again)
{
    Domain *domain = ending->guest->domain;
    g_autoptr(GError) error = NULL;

    if (!fiber_mutex_lock(&domain->definition_lock, fiber_deadline_ms(NOTE_MS), &error)) {
        LOG_GERROR(error);
        return;
    }
    if (domain->is_persistent && !domain->is_autostarted &&
        domain->is_autostarted_once != is_wanted_again) {
        ending->is_noted = definitions_set_autostart(ending->shutdown->driver->definitions, domain,
                                                     AUTOSTART_ONCE, is_wanted_again, &error) &&
                           is_wanted_again;
        if (error)
            LOG_GERROR(error);
    }
    driver_unlock_definition(ending->shutdown->driver, domain);
}

/* Needs no job, as little as destroying does: one that is stuck must not hold up the host. */
static bool press_power_button(GuestEnding *ending, GError **error)
{
    Guest *guest = guest_of(ending->guest->domain, error);
    g_autoptr(QmpSession) monitor = guest ? guest_monitor_of(guest->domain, error) : NULL;

    if (!monitor)
        return false;
    guest->reboots_at_shutdown = false;
    return qmp_execute(monitor, "system_powerdown", NULL, ending->deadline_us, NULL, error);
}

/* In turn, where only some may shut down at the same time. */
static bool wait_for_turn(GuestEnding *ending)
{
    HostShutdown *shutdown = ending->shutdown;
    unsigned limit = ending->guest->driver->conf->auto_shutdown_parallel;

    while (limit && shutdown->n_busy >= limit) {
        if (!fiber_cond_wait(&shutdown->changed, ending->deadline_us, NULL))
            return false;
    }
    return true;
}

static void say_not_shut_down(const GuestEnding *ending, const GError *reason)
{
    const char *name = ending->guest->domain->object.name;
    unsigned wait_s = wait_seconds(ending->shutdown->driver->conf);

    if (reason->code == VIR_ERR_OPERATION_TIMEOUT)
        LOG_WARN("domain '%s' has not shut down with the host in %u second%s", name, wait_s,
                 plural_s(wait_s));
    else
        LOG_WARN("domain '%s' cannot be shut down with the host: %s", name, error_detail(reason));
}

/* Whether it has shut down in time. */
static bool shut_down(GuestEnding *ending)
{
    HostShutdown *shutdown = ending->shutdown;
    g_autoptr(GError) error = NULL;
    bool has_ended;

    if (!wait_for_turn(ending))
        return false;
    shutdown->n_busy++;
    has_ended = press_power_button(ending, &error) &&
                fiber_completion_wait(&ending->guest->finished, ending->deadline_us, &error);
    shutdown->n_busy--;
    fiber_cond_broadcast(&shutdown->changed);
    /* It may have ended by itself just before. */
    has_ended = has_ended || ending->guest->phase == GUEST_ENDING;
    if (!has_ended)
        say_not_shut_down(ending, error);
    return has_ended;
}

static void end_guest(GuestEnding *ending)
{
    const HostShutdown *shutdown = ending->shutdown;
    g_autoptr(GError) error = NULL;

    if (shutdown->driver->conf->auto_shutdown_restore)
        note_restart(ending, true);
    if (ending->tries_shutdown && shut_down(ending))
        return;
    if (ending->powers_off && shutdown->is_going_down && !fiber_is_cancelled(fiber_current())) {
        if (!guest_stop(ending->guest, GUEST_END_DESTROYED, false, &error))
            LOG_GERROR(error);
        return;
    }
    if (!shutdown->is_going_down && ending->is_noted)
        note_restart(ending, false);
}

static void end_fiber(void *data)
{
    GuestEnding *ending = data;
    HostShutdown *shutdown = ending->shutdown;

    end_guest(ending);
    shutdown->n_left--;
    fiber_cond_broadcast(&shutdown->changed);
    guest_unref(ending->guest);
    g_free(ending);
}

/* ---- All of them ---- */

static void begin_to_end(HostShutdown *shutdown, Domain *domain, uint64_t deadline_us)
{
    const QemuConf *conf = shutdown->driver->conf;
    GuestEnding made = {
        .shutdown = shutdown,
        .deadline_us = deadline_us,
        .tries_shutdown = is_among(conf->auto_shutdown_try_shutdown, domain),
        .powers_off = is_among(conf->auto_shutdown_poweroff, domain),
    };
    GuestEnding *ending;
    g_autoptr(GError) error = NULL;

    if (!domain->guest || !(made.tries_shutdown || made.powers_off))
        return;
    ending = g_memdup2(&made, sizeof(made));
    ending->guest = guest_ref(domain->guest);
    shutdown->n_left++;
    if (fiber_spawn(daemon_get_loop(shutdown->driver->daemon), "host shutdown", end_fiber, ending,
                    NULL, &error))
        return;
    LOG_GERROR(error);
    shutdown->n_left--;
    guest_unref(ending->guest);
    g_free(ending);
}

/* The lock goes when nothing is left to wait for. */
static void end_guests(HostShutdown *shutdown)
{
    uint64_t wait_ms = (uint64_t)wait_seconds(shutdown->driver->conf) * 1000;
    uint64_t deadline_us = fiber_deadline_ms(wait_ms);
    g_autoptr(GPtrArray) domains = object_store_list(shutdown->driver->domains);

    shutdown->is_ending = true;
    for (guint i = 0; i < domains->len; i++)
        begin_to_end(shutdown, domains->pdata[i], deadline_us);
    LOG_INFO("the host shuts down: ending %u guest%s", shutdown->n_left,
             plural_s(shutdown->n_left));
    /* Each of them has the deadline; a guest that does not even die is for the host to end. */
    while (shutdown->n_left && fiber_cond_wait(&shutdown->changed, FIBER_FOREVER, NULL))
        continue;
    shutdown->is_ending = false;
    give_lock_back(shutdown);
    fiber_cond_broadcast(&shutdown->changed);
}

static void end_guests_fiber(void *data)
{
    end_guests(data);
}

/* ---- logind ---- */

/* PrepareForShutdown(b): before the host goes down, or when that was called off. */
static int on_prepare(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    HostShutdown *shutdown = userdata;
    g_autoptr(GError) error = NULL;
    int is_starting;

    if (sd_bus_message_read(signal, "b", &is_starting) < 0)
        return 0;
    shutdown->is_going_down = is_starting;
    fiber_cond_broadcast(&shutdown->changed);
    if (!is_starting)
        host_shutdown_watch(shutdown);
    else if (!shutdown->is_ending && is_wanted(shutdown->driver->conf) &&
             !fiber_spawn(daemon_get_loop(shutdown->driver->daemon), "host shutdown",
                          end_guests_fiber, shutdown, NULL, &error))
        LOG_GERROR(error);
    return 0;
}

static bool take_lock(HostShutdown *shutdown, sd_bus *connection, GError **error)
{
    g_autoptr(sd_bus_message) message = NULL;
    g_autoptr(sd_bus_message) reply = NULL;
    int result, fd;

    result = sd_bus_message_new_method_call(connection, &message, LOGIND, LOGIND_PATH,
                                            LOGIND_MANAGER, "Inhibit");
    if (result >= 0)
        result = sd_bus_message_append(message, "ssss", "shutdown", "virtqemud", WHY, "delay");
    if (result >= 0 &&
        !system_bus_call(connection, message, fiber_deadline_ms(BUS_MS), &reply, NULL, error))
        return false;
    if (result >= 0)
        result = sd_bus_message_read(reply, "h", &fd);
    if (result >= 0) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        result = fd < 0 ? -errno : fd;
    }
    if (result < 0) {
        system_bus_set_error(result, LOGIND, error);
        return false;
    }
    give_lock_back(shutdown);
    shutdown->lock_fd = fd;
    return true;
}

static int on_bus_lost(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error);

/* The lock of before a bus was lost may be one that nobody knows any more. */
static bool listen_to_logind(HostShutdown *shutdown, GError **error)
{
    sd_bus *borrowed = system_bus_get(shutdown->bus, error);
    g_autoptr(sd_bus) connection = borrowed ? sd_bus_ref(borrowed) : NULL;
    int result;

    if (!connection)
        return false;
    if (!shutdown->signal) {
        result = sd_bus_match_signal_async(connection, &shutdown->signal, LOGIND, LOGIND_PATH,
                                           LOGIND_MANAGER, "PrepareForShutdown", on_prepare, NULL,
                                           shutdown);
        if (result >= 0)
            result = sd_bus_match_signal(connection, &shutdown->loss, LOCAL, LOCAL_PATH, LOCAL,
                                         "Disconnected", on_bus_lost, shutdown);
        if (result < 0) {
            stop_listening(shutdown);
            system_bus_set_error(result, LOGIND, error);
            return false;
        }
    }
    return (shutdown->lock_fd >= 0 && !shutdown->has_lost_bus) ||
           take_lock(shutdown, connection, error);
}

static void watch_again_fiber(void *data)
{
    HostShutdown *shutdown = data;
    uint64_t retry_us = BUS_RETRY_FIRST_US;
    g_autoptr(GError) error = NULL;

    for (;;) {
        if (!fiber_sleep(retry_us, NULL))
            return;
        stop_listening(shutdown);
        if (!is_wanted(shutdown->driver->conf) || listen_to_logind(shutdown, &error))
            break;
        LOG_DEBUG("%s", error->message);
        g_clear_error(&error);
        retry_us = MIN(retry_us * 2, BUS_RETRY_MAX_US);
    }
    shutdown->has_lost_bus = false;
}

/* In the midst of the connection's end: all else comes later. */
static int on_bus_lost(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    HostShutdown *shutdown = userdata;
    g_autoptr(GError) error = NULL;

    if (shutdown->has_lost_bus)
        return 0;
    shutdown->has_lost_bus = true;
    LOG_INFO("the system bus has gone; logind is listened to again when it is back");
    if (!fiber_spawn(daemon_get_loop(shutdown->driver->daemon), "logind", watch_again_fiber,
                     shutdown, NULL, &error)) {
        shutdown->has_lost_bus = false;
        LOG_GERROR(error);
    }
    return 0;
}

/* That there is no logind is a fact, which somebody who has set a policy wants to know. */
static void watch_fiber(void *data)
{
    HostShutdown *shutdown = data;
    g_autoptr(GError) error = NULL;

    if (listen_to_logind(shutdown, &error) || fiber_is_cancelled(fiber_current()) ||
        shutdown->has_said_absent)
        return;
    shutdown->has_said_absent = true;
    if (shutdown->driver->conf->has_auto_shutdown_keys)
        LOG_WARN("logind does not tell of the host's shutdown; guests are ended when the service "
                 "manager stops the daemon: %s", error->message);
    else
        LOG_INFO("logind does not tell of the host's shutdown: %s", error->message);
}

void host_shutdown_watch(HostShutdown *shutdown)
{
    g_autoptr(GError) error = NULL;

    if (!is_wanted(shutdown->driver->conf)) {
        stop_listening(shutdown);
        give_lock_back(shutdown);
        return;
    }
    if (!fiber_spawn(daemon_get_loop(shutdown->driver->daemon), "logind", watch_fiber, shutdown,
                     NULL, &error))
        LOG_GERROR(error);
}

/* ---- The service manager ---- */

/* "stopping" while the host goes down, whoever wanted that. */
static bool is_host_stopping(HostShutdown *shutdown)
{
    sd_bus *borrowed = sd_booted() > 0 ? system_bus_get(shutdown->bus, NULL) : NULL;
    g_autoptr(sd_bus) connection = borrowed ? sd_bus_ref(borrowed) : NULL;
    g_autoptr(sd_bus_message) message = NULL;
    g_autoptr(sd_bus_message) reply = NULL;
    g_autoptr(GError) error = NULL;
    const char *state;

    if (!connection ||
        sd_bus_message_new_method_call(connection, &message, SYSTEMD, SYSTEMD_PATH,
                                       "org.freedesktop.DBus.Properties", "Get") < 0 ||
        sd_bus_message_append(message, "ss", SYSTEMD_MANAGER, "SystemState") < 0)
        return false;
    if (!system_bus_call(connection, message, fiber_deadline_ms(BUS_MS), &reply, NULL, &error)) {
        LOG_DEBUG("systemd does not say whether the host shuts down: %s", error->message);
        return false;
    }
    return sd_bus_message_read(reply, "v", "s", &state) > 0 && strcmp(state, "stopping") == 0;
}

void host_shutdown_before_stop(Daemon *daemon, void *driver_data)
{
    Driver *driver = driver_data;
    HostShutdown *shutdown = driver->host_shutdown;
    g_autoptr(GError) error = NULL;

    if (!is_wanted(driver->conf) || driver->n_guests == 0)
        return;
    if (!shutdown->is_ending && !shutdown->is_going_down && is_host_stopping(shutdown)) {
        shutdown->is_going_down = true;
        if (!fiber_spawn(daemon_get_loop(daemon), "host shutdown", end_guests_fiber, shutdown,
                         NULL, &error))
            LOG_GERROR(error);
        else
            fiber_yield(NULL);
    }
    while (shutdown->is_ending && !fiber_is_cancelled(fiber_current())) {
        daemon_ask_for_time(daemon, MORE_TIME_S);
        fiber_cond_wait(&shutdown->changed, fiber_deadline_ms(ASK_AGAIN_MS), NULL);
    }
}
