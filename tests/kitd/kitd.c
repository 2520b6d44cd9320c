#include "kitd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "common/main.h"

uint64_t kitd_number(const char *name)
{
    const char *dash = strchr(name, '-');

    return dash ? g_ascii_strtoull(dash + 1, NULL, 10) : 0;
}

bool kitd_wait(Kitd *kitd, const char *name, GError **error)
{
    bool is_done = true;

    kitd->n_waiting++;
    if (g_str_has_prefix(name, "sleep-"))
        is_done = fiber_sleep(kitd_number(name) * 1000, error);
    else if (strcmp(name, "stuck") == 0)
        is_done = fiber_sleep(HOUR_US, error);
    kitd->n_waiting--;
    kitd->n_done += is_done;
    return is_done;
}

static bool kitd_start(Daemon *daemon, void **ret_driver_data, GError **error)
{
    if (getenv("KITD_CANNOT_START")) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "kitd was told not to start");
        return false;
    }
    if (getenv("KITD_IDLE_US"))
        daemon_set_timeout_us(daemon, g_ascii_strtoull(getenv("KITD_IDLE_US"), NULL, 10));
    /* Before the first wait, so that no call can come sooner. */
    *ret_driver_data = g_new0(Kitd, 1);
    return true;
}

/* A driver that did not start must not be asked anything, nor be stopped. */
static bool kitd_is_busy(Daemon *daemon, void *driver_data)
{
    g_assert(driver_data);
    return false;
}

static bool kitd_reload(Daemon *daemon, void *driver_data, GError **error)
{
    g_assert(driver_data);
    return true;
}

static void kitd_stop(Daemon *daemon, void *driver_data)
{
    g_assert(driver_data);
    g_free(driver_data);
}

static const ProcedureTable *const network_tables[] = { &kitd_network_procedures, NULL };
static const ProcedureTable *const storage_tables[] = { &kitd_storage_procedures, NULL };
static const ProcedureTable *const domain_tables[] = { &kitd_domain_procedures, NULL };

static const DaemonSpec specs[] = {
    { .name = "virtnetworkd", .summary = "plays virtnetworkd", .config = CONFIG_VIRTNETWORKD,
      .uri_scheme = "network", .driver_type = "network", .owner = WIRE_OWNER_NETWORK,
      .tables = network_tables, .start = kitd_start, .stop = kitd_stop,
      .is_busy = kitd_is_busy, .reload = kitd_reload },
    { .name = "virtstoraged", .summary = "plays virtstoraged", .config = CONFIG_VIRTSTORAGED,
      .uri_scheme = "storage", .driver_type = "storage", .owner = WIRE_OWNER_STORAGE,
      .tables = storage_tables, .start = kitd_start, .stop = kitd_stop,
      .is_busy = kitd_is_busy, .reload = kitd_reload },
    { .name = "virtqemud", .summary = "plays virtqemud", .config = CONFIG_VIRTQEMUD,
      .uri_scheme = "qemu", .driver_type = "QEMU", .owner = WIRE_OWNER_DOMAIN,
      .routes_calls = true, .tables = domain_tables, .start = kitd_start, .stop = kitd_stop,
      .is_busy = kitd_is_busy, .reload = kitd_reload },
};

int main(int argc, char **argv)
{
    const char *name = getenv("KITD_AS");

    for (size_t i = 0; name && i < G_N_ELEMENTS(specs); i++) {
        if (strcmp(name, specs[i].name) == 0)
            return daemon_main(&specs[i], argc, argv);
    }
    fprintf(stderr, "kitd: KITD_AS names no daemon that it can play\n");
    return EXIT_FAILURE;
}
