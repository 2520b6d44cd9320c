#include "virtlockd/lock_state.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "common/holder/protocol.h"
#include "json/get.h"
#include "json/parse.h"
#include "json/write.h"

#define VERSION 1
#define PRINTABLE "!\"#$&'()*+,/:;<=>?@[\\]^`{|} "

static void put_escaped(JsonValue *object, const char *key, const char *text)
{
    g_autofree char *escaped = g_uri_escape_string(text, PRINTABLE, TRUE);

    json_object_put_string(object, key, escaped);
}

static char *unescape(const char *text, const char *what, GError **error)
{
    char *plain = g_uri_unescape_string(text, NULL);

    if (!plain)
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INTERNAL_ERROR, "'%s' is badly escaped", what);
    return plain;
}

char *lock_state_format_lock(const Lock *lock)
{
    g_autoptr(JsonValue) entry = json_object();
    JsonValue *owner = json_object();
    char uuid[UUID_TEXT_SIZE];

    json_object_put_uint64(entry, "id", lock->id);
    put_escaped(entry, "lockspace", lock->resource->space);
    put_escaped(entry, "resource", lock->resource->name);
    json_object_put_bool(entry, "shared", lock->is_shared);
    json_object_put_bool(entry, "ownsFile", lock->owns_file);
    json_object_put_string(owner, "uuid", uuid_format(&lock->owner->uuid, uuid));
    put_escaped(owner, "name", lock->owner->name);
    json_object_put_uint64(owner, "id", lock->owner->id);
    json_object_put_int64(owner, "pid", lock->owner->pid);
    json_object_put_uint64(owner, "startTime", lock->owner->start_time);
    json_object_put(entry, "owner", owner);
    return json_write(entry);
}

/* Each lock brings its own text: writing the file costs little more than copying it. */
char *lock_state_format(const LockTable *table)
{
    g_autoptr(GPtrArray) spaces = lock_table_get_spaces(table);
    g_autoptr(GPtrArray) locks = lock_table_get_locks(table);
    g_autoptr(JsonValue) names = json_array();
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < spaces->len; i++) {
        g_autofree char *escaped = g_uri_escape_string(g_ptr_array_index(spaces, i), PRINTABLE,
                                                       TRUE);
        json_array_append(names, json_string(escaped));
    }
    g_string_printf(text, "{\"version\":%d,\n\"lockspaces\":", VERSION);
    json_write_to(names, text);
    g_string_append(text, ",\n\"locks\":[");
    for (guint i = 0; i < locks->len; i++) {
        const Lock *lock = g_ptr_array_index(locks, i);

        g_string_append(text, i > 0 ? ",\n" : "\n");
        g_string_append(text, lock->facts);
    }
    g_string_append(text, "\n]}\n");
    return g_string_free(text, FALSE);
}

static bool parse_spaces(const JsonValue *root, LockTable *table, GError **error)
{
    const JsonValue *spaces;
    const char *escaped;

    if (!json_object_get_array(root, "lockspaces", &spaces, error))
        return false;
    for (guint i = 0; i < json_length(spaces); i++) {
        g_autofree char *space = NULL;

        if (!json_as_string(json_at(spaces, i), "a path in 'lockspaces'", &escaped, error) ||
            !(space = unescape(escaped, "lockspaces", error)))
            return false;
        if (space[0] != '/') {
            error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INTERNAL_ERROR,
                      "lock space '%s' is no absolute path", space);
            return false;
        }
        lock_table_add_space(table, space);
    }
    return true;
}

static LockOwner *parse_owner(const JsonValue *object, LockTable *table, GError **error)
{
    const char *uuid_text, *escaped;
    g_autofree char *name = NULL;
    uint64_t id, pid, start_time;
    Uuid uuid;

    if (!json_object_get_string(object, "uuid", &uuid_text, error) ||
        !uuid_parse(uuid_text, &uuid, error) ||
        !json_object_get_string(object, "name", &escaped, error) ||
        !(name = unescape(escaped, "name", error)) ||
        !json_object_get_uint64(object, "id", &id, error) ||
        !json_object_get_uint64(object, "pid", &pid, error) ||
        !json_object_get_uint64(object, "startTime", &start_time, error))
        return NULL;
    if (pid == 0 || pid > INT32_MAX || id > UINT32_MAX || start_time == 0) {
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INTERNAL_ERROR,
                  "owner '%s' has an impossible id, pid or startTime", name);
        return NULL;
    }
    return lock_table_get_owner(table, &uuid, name, (unsigned)id, (pid_t)pid, start_time);
}

/* What the daemon itself would never have written. */
static bool check_lock(const LockTable *table, const LockResource *resource, uint64_t id,
                       bool is_shared, GError **error)
{
    const char *wrong = NULL;

    if (id == 0 || id > INT64_MAX || lock_table_has_id(table, id))
        wrong = "its id is 0 or not the only one";
    else if (!lock_table_has_space(table, resource->space))
        wrong = "its lock space is not listed";
    else if (*resource->name == '\0')
        wrong = "it names no resource";
    else if (lock_resource_find_conflict(resource, is_shared))
        wrong = "another lock is in its way";
    if (wrong)
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INTERNAL_ERROR, "lock %" G_GUINT64_FORMAT ": %s",
                  id, wrong);
    return !wrong;
}

static bool parse_lock(const JsonValue *value, LockTable *table, GError **error)
{
    const JsonValue *entry, *owner_object;
    const char *space_text, *name_text;
    g_autofree char *space = NULL, *name = NULL;
    g_autoptr(LockOwner) owner = NULL;
    g_autoptr(LockResource) resource = NULL;
    bool is_shared, owns_file;
    uint64_t id;

    if (!json_as_object(value, "an item of 'locks'", &entry, error) ||
        !json_object_get_uint64(entry, "id", &id, error) ||
        !json_object_get_string(entry, "lockspace", &space_text, error) ||
        !(space = unescape(space_text, "lockspace", error)) ||
        !json_object_get_string(entry, "resource", &name_text, error) ||
        !(name = unescape(name_text, "resource", error)) ||
        !json_object_get_bool(entry, "shared", &is_shared, error) ||
        !json_object_get_bool(entry, "ownsFile", &owns_file, error) ||
        !json_object_get_object(entry, "owner", &owner_object, error) ||
        !(owner = parse_owner(owner_object, table, error)))
        return false;
    resource = lock_table_get_resource(table, space, name);
    if (!check_lock(table, resource, id, is_shared, error))
        return false;
    lock_table_add(table, resource, owner, id, is_shared, owns_file);
    return true;
}

bool lock_state_parse(const char *text, size_t length, LockTable *table, GError **error)
{
    g_autoptr(JsonValue) value = json_parse_bytes(text, length, error);
    const JsonValue *root, *locks;
    uint64_t version;

    if (!value || !json_as_object(value, "the state", &root, error) ||
        !json_object_get_uint64(root, "version", &version, error))
        return false;
    if (version != VERSION) {
        error_set(error, VIR_FROM_LOCKSPACE, VIR_ERR_INTERNAL_ERROR,
                  "its version is %" G_GUINT64_FORMAT ", not %d", version, VERSION);
        return false;
    }
    if (!parse_spaces(root, table, error) || !json_object_get_array(root, "locks", &locks, error))
        return false;
    for (guint i = 0; i < json_length(locks); i++) {
        if (!parse_lock(json_at(locks, i), table, error))
            return false;
    }
    return true;
}

/* Should the numbers ever outgrow the room for names, the file alone knows the owner. */
char *lock_state_kept_name(const Lock *lock)
{
    char *name = g_strdup_printf("%" G_GINT64_MODIFIER "x-%x-%" G_GINT64_MODIFIER "x", lock->id,
                                 (unsigned)lock->owner->pid, lock->owner->start_time);

    if (strlen(name) > HOLDER_NAME_MAX) {
        g_free(name);
        name = g_strdup_printf("%" G_GINT64_MODIFIER "x", lock->id);
    }
    return name;
}

bool lock_state_parse_kept_name(const char *name, uint64_t *ret_id, pid_t *ret_pid,
                                uint64_t *ret_start_time)
{
    g_auto(GStrv) parts = g_strsplit(name, "-", 4);
    guint64 numbers[3];

    if (g_strv_length(parts) != G_N_ELEMENTS(numbers))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (!g_ascii_string_to_unsigned(parts[i], 16, 1, i == 1 ? INT32_MAX : INT64_MAX,
                                        &numbers[i], NULL))
            return false;
    }
    *ret_id = numbers[0];
    *ret_pid = (pid_t)numbers[1];
    *ret_start_time = numbers[2];
    return true;
}
