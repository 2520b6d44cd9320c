/* Leaving when there is nothing to do: after --timeout seconds without clients, calls in
 * flight, and anything that the driver owns. */
#include "common/daemon_private.h"

#include "base/log.h"

LOG_INIT("daemon.idle");

#define IDLE_ACCURACY_US (G_USEC_PER_SEC / 4)

/* Nobody is connected, nothing runs. */
static bool daemon_is_unused(Daemon *daemon)
{
    /* A start that is under way may be about to find running guests. */
    if (daemon->n_inhibitors > 0 || !daemon->has_started)
        return false;
    for (guint i = 0; i < daemon->servers->len; i++) {
        Server *server = g_ptr_array_index(daemon->servers, i);

        if (server_get_n_clients(server) > 0 || server_get_n_calls(server) > 0)
            return false;
    }
    return true;
}

/* A connection may have arrived at this very instant: it is taken, and we stay. What
 * comes later finds the service manager's socket, which starts the next of us. */
static bool daemon_accept_last(Daemon *daemon)
{
    for (guint i = 0; i < daemon->servers->len; i++)
        server_accept_waiting(g_ptr_array_index(daemon->servers, i));
    return !daemon_is_unused(daemon);
}

/* Somebody came when our sockets had no names any more: new ones take their places. */
static void daemon_stay(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;

    if (daemon_is_activated(daemon))
        return;
    for (guint i = 0; i < daemon->servers->len; i++)
        server_stop_listening(g_ptr_array_index(daemon->servers, i));
    if (!daemon_open_sockets(daemon, &error))
        LOG_GERROR(error);
}

/* In two steps, for clients that come in the last moment: look into the queues, take the names
 * away, look again. Who has found the name before is either served by us or refused by the
 * kernel and tries again, and is never accepted and dropped. */
static int daemon_on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
    Daemon *daemon = userdata;

    if (daemon->is_stopping)
        return 0;
    daemon->is_idle_check_due = false;
    if (!daemon_is_unused(daemon) || daemon_accept_last(daemon) ||
        (daemon->spec->is_busy && daemon_has_driver(daemon) &&
         daemon->spec->is_busy(daemon, daemon->driver_data))) {
        /* What the driver owns ends without telling us: that is looked at again. */
        daemon_touch(daemon);
        return 0;
    }
    for (guint i = 0; i < daemon->servers->len; i++)
        server_unlink_sockets(g_ptr_array_index(daemon->servers, i));
    if (daemon_accept_last(daemon)) {
        daemon_stay(daemon);
        daemon_touch(daemon);
        return 0;
    }
    LOG_INFO("nothing to do for %" G_GUINT64_FORMAT " ms", daemon->timeout_us / 1000);
    daemon_shutdown(daemon);
    return 0;
}

void daemon_touch(Daemon *daemon)
{
    bool is_idle;

    if (daemon->timeout_us == 0 || !daemon->idle_timer || daemon->is_stopping)
        return;
    is_idle = daemon_is_unused(daemon);
    /* Called with every call: only changes cost system calls. */
    if (is_idle == daemon->is_idle_check_due)
        return;
    daemon->is_idle_check_due = is_idle;
    if (is_idle)
        sd_event_source_set_time_relative(daemon->idle_timer, daemon->timeout_us);
    sd_event_source_set_enabled(daemon->idle_timer, is_idle ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void daemon_inhibit_idle(Daemon *daemon)
{
    daemon->n_inhibitors++;
    daemon_touch(daemon);
}

void daemon_uninhibit_idle(Daemon *daemon)
{
    daemon->n_inhibitors--;
    daemon_touch(daemon);
}

/* Counts anew from now. */
void daemon_set_timeout_us(Daemon *daemon, uint64_t timeout_us)
{
    daemon->timeout_us = timeout_us;
    daemon->is_idle_check_due = false;
    if (daemon->idle_timer) {
        sd_event_source_set_enabled(daemon->idle_timer, SD_EVENT_OFF);
        /* Wake-ups are shared with others as far as that does not matter. */
        sd_event_source_set_time_accuracy(daemon->idle_timer,
                                          CLAMP(timeout_us / 4, 1, IDLE_ACCURACY_US));
    }
    daemon_touch(daemon);
}

void daemon_idle_start(Daemon *daemon)
{
    if (sd_event_add_time_relative(daemon_get_event(daemon), &daemon->idle_timer, CLOCK_MONOTONIC,
                                   0, 0, daemon_on_idle, daemon) >= 0)
        daemon_set_timeout_us(daemon, daemon->timeout_us);
}

void daemon_idle_stop(Daemon *daemon)
{
    daemon->idle_timer = sd_event_source_disable_unref(daemon->idle_timer);
}
