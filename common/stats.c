#include "common/stats.h"

#include "common/daemon_private.h"
#include "common/server_private.h"
#include "fiber/fiber.h"

#include "base/log.h"

LOG_INIT("daemon.stats");

void stats_log(Daemon *daemon)
{
    GPtrArray *servers = daemon_get_servers(daemon);
    FiberStats fibers;

    fiber_loop_get_stats(daemon_get_loop(daemon), &fibers);
    /* Asked for, so it is said at a level that is on by default. */
    LOG_WARN("statistics: fibers=%zu spawned=%" G_GUINT64_FORMAT " switches=%" G_GUINT64_FORMAT
             " pooled_stacks=%zu stack_high_water_bytes=%zu",
             fibers.n_fibers, fibers.n_spawned, fibers.n_switches, fibers.n_stacks_pooled,
             fibers.stack_high_water);
    for (guint i = 0; i < servers->len; i++) {
        Server *server = g_ptr_array_index(servers, i);

        LOG_WARN("statistics: server=%s clients=%u anonymous=%zu over_limit=%u calls=%zu "
                 "running=%u waiting=%zu queued_bytes=%zu",
                 server->name, server->clients.length, server->n_anonymous,
                 server->rejected.length, server->n_calls,
                 server->workers.n_running + server->workers.n_running_priority,
                 server->workers.n_waiting, server_get_queued_bytes(server));
    }
    if (daemon->spec->print_stats && daemon_has_driver(daemon))
        daemon->spec->print_stats(daemon, daemon->driver_data);
}
