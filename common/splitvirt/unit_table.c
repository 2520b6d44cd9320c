/* systemd is asked over the system bus; as root over its own socket when there is no bus. */
#include "common/splitvirt/unit_table.h"

#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE SYSTEMD_NAME ".Manager"
#define UNIT_INTERFACE SYSTEMD_NAME ".Unit"
#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"
#define PATIENCE_US (5 * G_USEC_PER_SEC)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus, sd_bus_flush_close_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus_message, sd_bus_message_unref)

struct UnitTable {
    GHashTable *units; /* name → Unit */
};

static void unit_free(void *data)
{
    Unit *unit = data;

    g_free(unit->name);
    g_free(unit->load);
    g_free(unit->active);
    g_free(unit->sub);
    g_free(unit->result);
    g_free(unit->file_state);
    g_free(unit);
}

/* Without a bus, systemd's own socket takes root's calls. */
static int connect_private(sd_bus **ret_bus)
{
    sd_bus *bus = NULL;
    int result = sd_bus_new(&bus);

    if (result >= 0)
        result = sd_bus_set_address(bus, PRIVATE_ADDRESS);
    if (result >= 0)
        result = sd_bus_start(bus);
    if (result < 0)
        bus = sd_bus_unref(bus);
    *ret_bus = bus;
    return result;
}

static sd_bus *connect_systemd(char **ret_reason)
{
    sd_bus *bus = NULL;
    int result = sd_bus_open_system(&bus);

    if (result < 0 && geteuid() == 0 && connect_private(&bus) >= 0)
        result = 0;
    if (result < 0) {
        *ret_reason = g_strdup_printf("systemd cannot be asked: %s", g_strerror(-result));
        return NULL;
    }
    sd_bus_set_method_call_timeout(bus, PATIENCE_US);
    return bus;
}

/* NULL when the unit has no such property (a socket has no main process). */
static char *get_string(sd_bus *bus, const char *path, const char *interface, const char *property)
{
    char *value = NULL;
    char *copy;

    if (sd_bus_get_property_string(bus, SYSTEMD_NAME, path, interface, property, NULL, &value) < 0)
        return NULL;
    copy = g_strdup(value);
    free(value);
    return copy;
}

static void read_properties(sd_bus *bus, const char *path, Unit *unit)
{
    bool is_service = g_str_has_suffix(unit->name, ".service");
    const char *interface = is_service ? SYSTEMD_NAME ".Service" : SYSTEMD_NAME ".Socket";
    uint32_t pid = 0;

    unit->result = get_string(bus, path, interface, "Result");
    unit->file_state = get_string(bus, path, UNIT_INTERFACE, "UnitFileState");
    if (!is_service)
        return;
    if (sd_bus_get_property_trivial(bus, SYSTEMD_NAME, path, interface, "MainPID", NULL, 'u',
                                    &pid) >= 0)
        unit->main_pid = (pid_t)pid;
    sd_bus_get_property_trivial(bus, SYSTEMD_NAME, path, interface, "ExecMainStatus", NULL, 'i',
                                &unit->exit_status);
}

/* One row of ListUnitsByNames. Returns 0 behind the last. */
static int read_row(sd_bus *bus, sd_bus_message *reply, UnitTable *table)
{
    const char *name, *load, *active, *sub, *path;
    int result = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, &load, &active, &sub, NULL,
                                     &path, NULL, NULL, NULL);

    if (result <= 0)
        return result;
    Unit *unit = g_new0(Unit, 1);
    unit->name = g_strdup(name);
    unit->load = g_strdup(load);
    unit->active = g_strdup(active);
    unit->sub = g_strdup(sub);
    g_hash_table_replace(table->units, unit->name, unit);
    if (strcmp(load, "loaded") == 0)
        read_properties(bus, path, unit);
    return 1;
}

static int ask(sd_bus *bus, const char *const *names, UnitTable *table, sd_bus_error *bus_error)
{
    g_autoptr(sd_bus_message) call = NULL;
    g_autoptr(sd_bus_message) reply = NULL;
    int result = sd_bus_message_new_method_call(bus, &call, SYSTEMD_NAME, SYSTEMD_PATH,
                                                MANAGER_INTERFACE, "ListUnitsByNames");

    if (result >= 0)
        result = sd_bus_message_append_strv(call, (char **)names);
    if (result >= 0)
        result = sd_bus_call(bus, call, 0, bus_error, &reply);
    if (result >= 0)
        result = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "(ssssssouso)");
    if (result < 0)
        return result;
    while ((result = read_row(bus, reply, table)) > 0)
        continue;
    return result;
}

UnitTable *unit_table_read(const char *const *names, bool *ret_is_there, char **ret_reason)
{
    g_autoptr(UnitTable) table = g_new0(UnitTable, 1);
    g_autoptr(sd_bus) bus = NULL;
    sd_bus_error bus_error = SD_BUS_ERROR_NULL;
    int result;

    table->units = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, unit_free);
    *ret_reason = NULL;
    *ret_is_there = sd_booted() > 0;
    if (!*ret_is_there) {
        *ret_reason = g_strdup("there is no systemd here");
        return NULL;
    }
    bus = connect_systemd(ret_reason);
    if (!bus)
        return NULL;
    result = ask(bus, names, table, &bus_error);
    if (result < 0)
        *ret_reason = g_strdup_printf("systemd cannot be asked: %s",
                                      bus_error.message ? bus_error.message : g_strerror(-result));
    sd_bus_error_free(&bus_error);
    return result < 0 ? NULL : g_steal_pointer(&table);
}

void unit_table_free(UnitTable *table)
{
    if (!table)
        return;
    g_hash_table_unref(table->units);
    g_free(table);
}

const Unit *unit_table_find(const UnitTable *table, const char *name)
{
    return table ? g_hash_table_lookup(table->units, name) : NULL;
}

bool unit_is_installed(const Unit *unit)
{
    return unit && strcmp(unit->load, "not-found") != 0;
}

bool unit_is_masked(const Unit *unit)
{
    return unit && strcmp(unit->load, "masked") == 0;
}

/* systemd calls a service that crashes at once each time "activating". */
static bool is_restarting(const Unit *unit)
{
    return g_str_has_prefix(unit->sub, "auto-restart");
}

bool unit_is_active(const Unit *unit)
{
    return unit && strcmp(unit->active, "inactive") != 0 && strcmp(unit->active, "failed") != 0 &&
           !is_restarting(unit);
}

bool unit_has_failed(const Unit *unit)
{
    return unit && (strcmp(unit->active, "failed") == 0 || is_restarting(unit));
}

char *unit_describe_failure(const Unit *unit)
{
    GString *text = g_string_new(unit->name);

    g_string_append(text, is_restarting(unit) ? " fails each time that it is started again"
                                              : " has failed");
    if (unit->result)
        g_string_append_printf(text, ": %s", unit->result);
    if (unit->exit_status != 0)
        g_string_append_printf(text, ", status %d", unit->exit_status);
    return g_string_free(text, FALSE);
}
