#include "virtlogd/state.h"

#include <string.h>

#include "base/error.h"
#include "common/holder/store.h"
#include "json/get.h"
#include "json/parse.h"
#include "json/write.h"

#define STATE_VERSION 1

void log_state_free(LogState *state)
{
    if (!state)
        return;
    g_free(state->pipe);
    g_free(state->path);
    g_free(state->driver);
    g_free(state->domain);
    g_free(state);
}

static JsonValue *state_to_json(const LogState *state)
{
    JsonValue *entry = json_object();
    char uuid[UUID_TEXT_SIZE];

    json_object_put(entry, "pipe", json_string(state->pipe));
    json_object_put(entry, "path", json_string(state->path));
    json_object_put(entry, "driver", json_string(state->driver));
    json_object_put(entry, "domain", json_string(state->domain));
    json_object_put(entry, "uuid", json_string(uuid_format(&state->uuid, uuid)));
    return entry;
}

char *log_states_format(const GPtrArray *states)
{
    g_autoptr(JsonValue) root = json_object();
    JsonValue *logs = json_array();

    json_object_put(root, "version", json_uint64(STATE_VERSION));
    json_object_put(root, "logs", logs);
    for (guint i = 0; i < states->len; i++)
        json_array_append(logs, state_to_json(g_ptr_array_index(states, i)));
    return json_write(root);
}

static bool check_names(const char *pipe, const char *path, GError **error)
{
    if (!holder_name_is_valid(pipe, strlen(pipe))) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_INTERNAL_ERROR,
                  "'%s' cannot be the name of a pipe", pipe);
        return false;
    }
    if (!g_path_is_absolute(path)) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_INTERNAL_ERROR, "path '%s' is not absolute",
                  path);
        return false;
    }
    return true;
}

static LogState *state_from_json(const JsonValue *value, GError **error)
{
    g_autoptr(LogState) state = g_new0(LogState, 1);
    const JsonValue *entry;
    const char *pipe, *path, *driver, *domain, *uuid;

    if (!json_as_object(value, "a log", &entry, error) ||
        !json_object_get_string(entry, "pipe", &pipe, error) ||
        !json_object_get_string(entry, "path", &path, error) ||
        !json_object_opt_string(entry, "driver", "", &driver, error) ||
        !json_object_opt_string(entry, "domain", "", &domain, error) ||
        !json_object_get_string(entry, "uuid", &uuid, error) ||
        !uuid_parse(uuid, &state->uuid, error) || !check_names(pipe, path, error))
        return NULL;
    state->pipe = g_strdup(pipe);
    state->path = g_strdup(path);
    state->driver = g_strdup(driver);
    state->domain = g_strdup(domain);
    return g_steal_pointer(&state);
}

GPtrArray *log_states_parse(const char *text, size_t length, char **ret_problem, GError **error)
{
    g_autoptr(JsonValue) root = json_parse_bytes(text, length, error);
    g_autoptr(GPtrArray) states = g_ptr_array_new_with_free_func((GDestroyNotify)log_state_free);
    g_autofree char *problem = NULL;
    const JsonValue *object, *logs;
    uint64_t version;

    if (!root || !json_as_object(root, "the file", &object, error) ||
        !json_object_get_uint64(object, "version", &version, error) ||
        !json_object_get_array(object, "logs", &logs, error))
        return NULL;
    if (version != STATE_VERSION) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_INTERNAL_ERROR,
                  "version %" G_GUINT64_FORMAT " is not known", version);
        return NULL;
    }
    for (guint i = 0; i < json_length(logs); i++) {
        g_autoptr(GError) reason = NULL;
        LogState *state = state_from_json(json_at(logs, i), &reason);

        if (state)
            g_ptr_array_add(states, state);
        else if (!problem)
            problem = g_strdup(reason->message);
    }
    *ret_problem = g_steal_pointer(&problem);
    return g_steal_pointer(&states);
}
