/* A look at the suite as text. The members of the JSON form are a promise: docs/splitvirt.1.rst
 * and docs/splitvirt-status.schema.json describe them, and a test holds the output against both. */
#include <errno.h>

#include "base/plural.h"
#include "common/splitvirt/account.h"
#include "common/splitvirt/status.h"
#include "json/write.h"

/* Counted up when a member changes its meaning or goes; not for members that are added. */
#define SCHEMA_VERSION 1

static JsonValue *string_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static JsonValue *unit_to_json(const Unit *unit)
{
    JsonValue *object;

    if (!unit)
        return json_null();
    object = json_object();
    json_object_put(object, "name", json_string(unit->name));
    json_object_put(object, "load", json_string(unit->load));
    json_object_put(object, "active", json_string(unit->active));
    json_object_put(object, "sub", json_string(unit->sub));
    json_object_put(object, "result", string_or_null(unit->result));
    json_object_put(object, "enabled", string_or_null(unit->file_state));
    return object;
}

/* Null for sockets without a path, and for somebody who may not look at the file. */
static JsonValue *bool_of_file(const SocketStatus *found, bool value)
{
    bool is_seen = found->probe.reason == 0 || found->probe.reason == ENOENT;

    return found->names->path && is_seen ? json_bool(value) : json_null();
}

static JsonValue *socket_to_json(const SocketStatus *found)
{
    const SocketProbe *probe = &found->probe;
    JsonValue *object = json_object();
    g_autofree char *owner = probe->exists ? account_user_name(probe->uid) : NULL;
    g_autofree char *group = probe->exists ? account_group_name(probe->gid) : NULL;
    g_autofree char *mode = probe->exists ? g_strdup_printf("%04o", probe->mode) : NULL;

    json_object_put(object, "kind", json_string(suite_socket_kind_name(found->names->kind)));
    json_object_put(object, "path", string_or_null(found->names->path));
    json_object_put(object, "exists", bool_of_file(found, probe->exists));
    json_object_put(object, "accepts", bool_of_file(found, probe->has_listener));
    json_object_put(object, "owner", string_or_null(owner));
    json_object_put(object, "group", string_or_null(group));
    json_object_put(object, "mode", string_or_null(mode));
    json_object_put(object, "unit", unit_to_json(found->unit));
    return object;
}

static JsonValue *sockets_to_json(const DaemonStatus *status)
{
    JsonValue *array = json_array();

    for (guint i = 0; i < status->sockets->len; i++)
        json_array_append(array,
                          socket_to_json(&g_array_index(status->sockets, SocketStatus, i)));
    return array;
}

static JsonValue *version_to_json(const DaemonStatus *status)
{
    JsonValue *object = json_object();

    json_object_put(object, "installed", string_or_null(status->installed_version));
    json_object_put(object, "protocol", string_or_null(status->protocol_level));
    json_object_put(object, "outdated", json_bool(status->is_outdated));
    return object;
}

static JsonValue *clients_to_json(const DaemonStatus *status)
{
    JsonValue *object;

    if (!status->has_clients)
        return json_null();
    object = json_object();
    json_object_put_uint64(object, "connected", status->n_clients);
    json_object_put_uint64(object, "limit", status->max_clients);
    return object;
}

static JsonValue *guests_to_json(const DaemonStatus *status)
{
    JsonValue *object;

    if (!status->has_guests)
        return json_null();
    object = json_object();
    json_object_put_uint64(object, "running", status->n_running_guests);
    json_object_put_uint64(object, "shut_off", status->n_shut_off_guests);
    json_object_put(object, "source",
                    json_string(status->guests_are_from_files ? "files" : "daemon"));
    return object;
}

static JsonValue *notes_to_json(const DaemonStatus *status)
{
    JsonValue *array = json_array();

    for (guint i = 0; i < status->notes->len; i++)
        json_array_append(array, json_string(g_ptr_array_index(status->notes, i)));
    return array;
}

static JsonValue *daemon_to_json(const DaemonStatus *status)
{
    JsonValue *object = json_object();

    json_object_put(object, "name", json_string(status->daemon->name));
    json_object_put(object, "state", json_string(daemon_state_name(status->state)));
    json_object_put(object, "reason", string_or_null(status->reason));
    json_object_put(object, "answers",
                    status->has_clients ? json_bool(true)
                                        : status->hangs ? json_bool(false) : json_null());
    json_object_put(object, "starts_on_demand", json_bool(status->starts_on_demand));
    json_object_put(object, "pid", status->pid > 0 ? json_int64(status->pid) : json_null());
    json_object_put(object, "program", string_or_null(status->program));
    json_object_put(object, "version", version_to_json(status));
    json_object_put(object, "unit", unit_to_json(status->unit));
    json_object_put(object, "sockets", sockets_to_json(status));
    json_object_put(object, "clients", clients_to_json(status));
    json_object_put(object, "guests", guests_to_json(status));
    json_object_put(object, "notes", notes_to_json(status));
    return object;
}

void suite_status_print_json(const SuiteStatus *status, FILE *out)
{
    g_autoptr(JsonValue) object = json_object();
    JsonValue *daemons = json_array();
    g_autofree char *text = NULL;

    for (guint i = 0; i < status->daemons->len; i++)
        json_array_append(daemons, daemon_to_json(g_ptr_array_index(status->daemons, i)));
    json_object_put(object, "schema", json_int64(SCHEMA_VERSION));
    json_object_put(object, "mode", json_string(status->is_session ? "session" : "system"));
    json_object_put(object, "root", string_or_null(status->root));
    json_object_put(object, "systemd", json_bool(status->units != NULL));
    json_object_put(object, "systemd_reason", string_or_null(status->units_reason));
    json_object_put(object, "daemons", daemons);
    text = json_write_pretty(object);
    fprintf(out, "%s\n", text);
}

/* What is worth saying of one that runs. */
static char *describe_running(const DaemonStatus *status)
{
    GString *text = g_string_new(NULL);

    if (status->pid > 0)
        g_string_append_printf(text, "pid %d, ", (int)status->pid);
    if (status->has_clients)
        g_string_append_printf(text, "%u of %u clients, ", status->n_clients,
                               status->max_clients);
    if (status->hangs)
        g_string_append(text, "does not answer, ");
    if (text->len > 0)
        g_string_truncate(text, text->len - 2);
    return g_string_free(text, FALSE);
}

static void print_daemon(const DaemonStatus *status, FILE *out)
{
    g_autofree char *running = describe_running(status);
    const char *what = status->reason ? status->reason : running;

    fprintf(out, "%-13s %-8s %s\n", status->daemon->name, daemon_state_name(status->state), what);
    if (status->has_guests && (status->n_running_guests > 0 || status->n_shut_off_guests > 0))
        fprintf(out, "%-22s %u guest%s running, %u shut off\n", "", status->n_running_guests,
                plural_s(status->n_running_guests), status->n_shut_off_guests);
    for (guint i = 0; i < status->notes->len; i++)
        fprintf(out, "%-22s %s\n", "", (const char *)g_ptr_array_index(status->notes, i));
}

void suite_status_print(const SuiteStatus *status, FILE *out)
{
    for (guint i = 0; i < status->daemons->len; i++)
        print_daemon(g_ptr_array_index(status->daemons, i), out);
    if (status->units_reason && !status->root && !status->is_session)
        fprintf(out, "units were not looked at: %s\n", status->units_reason);
}
