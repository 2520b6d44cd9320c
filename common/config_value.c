/* A setter for each type of the table. It takes any value a file can have, and either sets
 * the field or says what was expected. */
#include "common/config_value.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/log_output.h"
#include "base/log_rules.h"

/* @field is the key's place in the struct, of the C type that belongs to the key's type. It is
 * only touched on success. */
typedef bool (*ValueSetter)(const ConfigKey *key, const ConfValue *value, void *field,
                            char **ret_reason);

/* The text of a value for a message: short, whatever the file holds. */
static char *value_describe(const ConfValue *value)
{
    g_autofree char *text = NULL;

    if (value->type == CONF_LIST) {
        return g_strdup("a list");
    }
    text = conf_value_format(value);
    if (strchr(text, '\n')) {
        return g_strdup("a string of several lines");
    }
    return strlen(text) <= 80 ? g_steal_pointer(&text) : g_strdup("a long string");
}

/* Sets @ret_reason to "expected WHAT, found VALUE" and returns false. */
static bool refuse(const ConfValue *value, const char *what, char **ret_reason)
{
    g_autofree char *found = value_describe(value);

    *ret_reason = g_strdup_printf("expected %s, found %s", what, found);
    return false;
}

/* As numbers, in the syntax of existing files: true and false are no words of it. */
static bool set_bool(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    if (value->type != CONF_INTEGER || (value->integer != 0 && value->integer != 1)) {
        return refuse(value, "0 or 1", ret_reason);
    }
    *(bool *) field = value->integer == 1;
    return true;
}

/* Checks against the key's range, or @max where the key sets no bounds. */
static bool number_is_in_range(const ConfigKey *key, const ConfValue *value, int64_t max,
                               char **ret_reason)
{
    int64_t upper = key->max > 0 ? key->max : max;
    g_autofree char *range = NULL;

    if (value->type == CONF_INTEGER && value->integer >= key->min && value->integer <= upper) {
        return true;
    }
    range = g_strdup_printf("a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                            " (without quotes)", key->min, upper);
    return refuse(value, range, ret_reason);
}

/* Numbers: the range has made sure that the value fits the field. */
static bool set_int(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    if (!number_is_in_range(key, value, INT32_MAX, ret_reason)) {
        return false;
    }
    *(int *) field = (int) value->integer;
    return true;
}

static bool set_uint(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    if (!number_is_in_range(key, value, UINT32_MAX, ret_reason)) {
        return false;
    }
    *(unsigned int *) field = (unsigned int) value->integer;
    return true;
}

/* The file's integers are signed: the upper half of the range cannot be written. */
static bool set_uint64(const ConfigKey *key, const ConfValue *value, void *field,
                       char **ret_reason)
{
    if (!number_is_in_range(key, value, INT64_MAX, ret_reason)) {
        return false;
    }
    *(uint64_t *) field = (uint64_t) value->integer;
    return true;
}

/* The field owns its string; a reload makes a new struct, but a default comes first. */
static void string_replace(void *field, const char *text)
{
    char **string = field;

    g_free(*string);
    *string = g_strdup(text);
}

static bool set_string(const ConfigKey *key, const ConfValue *value, void *field,
                       char **ret_reason)
{
    if (value->type != CONF_STRING || !*value->string) {
        return refuse(value, "a quoted string", ret_reason);
    }
    string_replace(field, value->string);
    return true;
}

static bool set_path(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    if (value->type != CONF_STRING || !g_path_is_absolute(value->string)) {
        return refuse(value, "an absolute path in quotes", ret_reason);
    }
    string_replace(field, value->string);
    return true;
}

/* Names of services (RFC 6335) begin and end with a letter or digit, and have at least
 * one letter; what the system knows shows when the port is opened. */
static bool port_is_valid(const char *text)
{
    guint64 number;

    if (g_ascii_isdigit(*text) && strspn(text, "0123456789") == strlen(text)) {
        return g_ascii_string_to_unsigned(text, 10, 1, UINT16_MAX, &number, NULL);
    }
    for (const char *c = text; *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr("-_.+", *c)) {
            return false;
        }
    }
    return *text && strlen(text) <= 64;
}

static bool set_port(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    if (value->type != CONF_STRING || !port_is_valid(value->string)) {
        return refuse(value, "a port (1 to 65535) or the name of a service, in quotes",
                      ret_reason);
    }
    string_replace(field, value->string);
    return true;
}

/* Octal in quotes: a number would have been read as decimal. */
static bool set_mode(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    guint64 mode;

    if (value->type != CONF_STRING ||
        !g_ascii_string_to_unsigned(value->string, 8, 0, 0777, &mode, NULL)) {
        return refuse(value, "permissions in octal digits and quotes, at most \"0777\"",
                      ret_reason);
    }
    *(mode_t *) field = (mode_t) mode;
    return true;
}

/* The index of @value in the key's choices, or -1 with @ret_reason set. */
static int choice_index(const ConfigKey *key, const ConfValue *value, char **ret_reason)
{
    g_autofree char *choices = NULL;
    g_autofree char *what = NULL;

    for (int i = 0; value->type == CONF_STRING && key->choices[i]; i++) {
        if (g_str_equal(key->choices[i], value->string)) {
            return i;
        }
    }
    choices = g_strjoinv("\" or \"", (char **) key->choices);
    what = g_strdup_printf("\"%s\"", choices);
    refuse(value, what, ret_reason);
    return -1;
}

/* The field holds the index, which is the value of an enumeration in the same order. */
static bool set_choice(const ConfigKey *key, const ConfValue *value, void *field,
                       char **ret_reason)
{
    int index = choice_index(key, value, ret_reason);

    if (index < 0) {
        return false;
    }
    *(int *) field = index;
    return true;
}

/* The words so far exclude each other, so the last one is what the list says. */
static bool set_choices(const ConfigKey *key, const ConfValue *value, void *field,
                        char **ret_reason)
{
    int index = 0;

    if (value->type != CONF_LIST) {
        return refuse(value, "a [list] of quoted words", ret_reason);
    }
    for (guint i = 0; i < value->items->len; i++) {
        index = choice_index(key, g_ptr_array_index(value->items, i), ret_reason);
        if (index < 0) {
            return false;
        }
    }
    *(int *) field = index;
    return true;
}

/* An empty list becomes an empty vector, not NULL: it means "none", not "not set". */
static bool set_list(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);

    if (value->type != CONF_LIST) {
        return refuse(value, "a [list] of quoted strings", ret_reason);
    }
    for (guint i = 0; i < value->items->len; i++) {
        const ConfValue *item = g_ptr_array_index(value->items, i);

        if (item->type != CONF_STRING) {
            return refuse(item, "a list that has quoted strings only", ret_reason);
        }
        g_ptr_array_add(strings, g_strdup(item->string));
    }
    g_ptr_array_add(strings, NULL);
    g_strfreev(*(char ***) field);
    *(char ***) field = (char **) g_ptr_array_steal(strings, NULL);
    return true;
}

/* The user that @item of a list names. A word of digits is a number, too, but only if no
 * user has that name. */
static bool user_resolve(const ConfValue *item, uid_t *ret_uid, char **ret_reason)
{
    struct passwd *user;
    guint64 number;

    if (item->type == CONF_INTEGER && item->integer >= 0 && item->integer < UINT32_MAX) {
        *ret_uid = (uid_t) item->integer;
        return true;
    }
    if (item->type != CONF_STRING) {
        return refuse(item, "a list of user names in quotes and of user numbers", ret_reason);
    }
    errno = 0;
    user = getpwnam(item->string);
    if (user) {
        *ret_uid = user->pw_uid;
        return true;
    }
    if (g_ascii_string_to_unsigned(item->string, 10, 0, UINT32_MAX - 1, &number, NULL)) {
        *ret_uid = (uid_t) number;
        return true;
    }
    return refuse(item, "users that exist", ret_reason);
}

/* A list of users, as numbers: names could come to mean another user later. */
static bool set_users(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(uid_t));

    if (value->type != CONF_LIST) {
        return refuse(value, "a [list] of user names in quotes and of user numbers", ret_reason);
    }
    for (guint i = 0; i < value->items->len; i++) {
        uid_t uid;

        if (!user_resolve(g_ptr_array_index(value->items, i), &uid, ret_reason)) {
            return false;
        }
        g_array_append_val(uids, uid);
    }
    g_clear_pointer((GArray **) field, g_array_unref);
    *(GArray **) field = g_steal_pointer(&uids);
    return true;
}

/* The form of the example alone, though UUIDs elsewhere may be written more loosely. */
static bool set_uuid(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    const char *text = value->string;
    char first_digits[] = "0-";

    if (value->type != CONF_STRING || !g_uuid_string_is_valid(text)) {
        return refuse(value, "a quoted UUID like \"c7a5fdbd-edaf-9455-926a-d65c16db1809\"",
                      ret_reason);
    }
    first_digits[0] = text[0];
    if (strspn(text, first_digits) == strlen(text)) {
        return refuse(value, "a UUID whose digits are not all the same", ret_reason);
    }
    string_replace(field, text);
    return true;
}

/* Parsed for its errors only, and kept as text: that is what the admin interface shows. */
static bool set_log_filters(const ConfigKey *key, const ConfValue *value, void *field,
                            char **ret_reason)
{
    g_autoptr(GArray) filters = NULL;
    g_autoptr(GError) error = NULL;

    if (value->type != CONF_STRING) {
        return refuse(value, "filters LEVEL:PATTERN in one quoted string", ret_reason);
    }
    filters = log_filters_parse(value->string, &error);
    if (!filters) {
        *ret_reason = g_strdup(error->message);
        return false;
    }
    string_replace(field, value->string);
    return true;
}

/* Outputs are checked here, but opened by who sets up logging. */
static bool set_log_outputs(const ConfigKey *key, const ConfValue *value, void *field,
                            char **ret_reason)
{
    g_auto(GStrv) words = NULL;

    if (value->type != CONF_STRING) {
        return refuse(value, "outputs LEVEL:KIND in one quoted string", ret_reason);
    }
    words = g_strsplit(value->string, " ", -1);
    for (char **word = words; *word; word++) {
        g_autoptr(LogOutput) output = NULL;
        g_autoptr(GError) error = NULL;

        if (!**word) {
            continue;
        }
        output = log_output_parse(*word, &error);
        if (!output) {
            *ret_reason = g_strdup(error->message);
            return false;
        }
    }
    string_replace(field, value->string);
    return true;
}

static bool set_text(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    if (value->type != CONF_STRING) {
        return refuse(value, "a quoted string", ret_reason);
    }
    string_replace(field, value->string);
    return true;
}

/* One word stands for a list of one. */
static bool set_words(const ConfigKey *key, const ConfValue *value, void *field,
                      char **ret_reason)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    const ConfValue list = { .type = CONF_LIST, .line = value->line, .items = one };

    if (value->type == CONF_STRING) {
        g_ptr_array_add(one, (ConfValue *) value);
        value = &list;
    }
    for (guint i = 0; key->choices && value->type == CONF_LIST && i < value->items->len; i++) {
        if (choice_index(key, g_ptr_array_index(value->items, i), ret_reason) < 0) {
            return false;
        }
    }
    return set_list(key, value, field, ret_reason);
}

static bool set_size(const ConfigKey *key, const ConfValue *value, void *field, char **ret_reason)
{
    if (value->type == CONF_STRING && g_str_equal(value->string, "unlimited")) {
        *(uint64_t *) field = UINT64_MAX;
        return true;
    }
    if (value->type != CONF_INTEGER || value->integer < 0) {
        return refuse(value, "a number of bytes or \"unlimited\"", ret_reason);
    }
    *(uint64_t *) field = (uint64_t) value->integer;
    return true;
}

/* One for each type: a type without one would be found by the tests of the table, which set
 * every default. */
static const ValueSetter setters[] = {
    [CONFIG_KEY_BOOL] = set_bool,
    [CONFIG_KEY_INT] = set_int,
    [CONFIG_KEY_UINT] = set_uint,
    [CONFIG_KEY_UINT64] = set_uint64,
    [CONFIG_KEY_STRING] = set_string,
    [CONFIG_KEY_PATH] = set_path,
    [CONFIG_KEY_PORT] = set_port,
    [CONFIG_KEY_MODE] = set_mode,
    [CONFIG_KEY_CHOICE] = set_choice,
    [CONFIG_KEY_CHOICES] = set_choices,
    [CONFIG_KEY_LIST] = set_list,
    [CONFIG_KEY_USERS] = set_users,
    [CONFIG_KEY_UUID] = set_uuid,
    [CONFIG_KEY_LOG_FILTERS] = set_log_filters,
    [CONFIG_KEY_LOG_OUTPUTS] = set_log_outputs,
    [CONFIG_KEY_TEXT] = set_text,
    [CONFIG_KEY_WORDS] = set_words,
    [CONFIG_KEY_SIZE] = set_size,
};

bool config_value_set(void *config, const ConfigKey *key, const ConfValue *value, char **ret_reason)
{
    return setters[key->type](key, value, G_STRUCT_MEMBER_P(config, key->offset), ret_reason);
}

/* Frees what the setter has put there; what is freed is NULL then, so that twice does no harm. */
void config_value_set_default(void *config, const ConfigKey *key, const char *text)
{
    g_autofree char *line = g_strdup_printf("%s = %s", key->name, text);
    g_autoptr(ConfFile) file = conf_file_parse("default", line, strlen(line), NULL);
    const ConfEntry *entry = file ? conf_file_find(file, key->name) : NULL;
    g_autofree char *reason = NULL;

    if (!entry || !config_value_set(config, key, entry->value, &reason))
        g_error("a table of configuration keys has a wrong default: %s", line);
}

void config_value_clear(void *config, const ConfigKey *key)
{
    void *field = G_STRUCT_MEMBER_P(config, key->offset);

    switch (key->type) {
    case CONFIG_KEY_STRING:
    case CONFIG_KEY_PATH:
    case CONFIG_KEY_PORT:
    case CONFIG_KEY_UUID:
    case CONFIG_KEY_LOG_FILTERS:
    case CONFIG_KEY_LOG_OUTPUTS:
    case CONFIG_KEY_TEXT:
        g_clear_pointer((char **) field, g_free);
        break;
    case CONFIG_KEY_LIST:
    case CONFIG_KEY_WORDS:
        g_clear_pointer((char ***) field, g_strfreev);
        break;
    case CONFIG_KEY_USERS:
        g_clear_pointer((GArray **) field, g_array_unref);
        break;
    case CONFIG_KEY_BOOL:
    case CONFIG_KEY_INT:
    case CONFIG_KEY_UINT:
    case CONFIG_KEY_UINT64:
    case CONFIG_KEY_MODE:
    case CONFIG_KEY_CHOICE:
    case CONFIG_KEY_CHOICES:
    case CONFIG_KEY_SIZE:
        break;
    }
}
