/* Values are quoted as in a shell; nothing in them is expanded. */
#include "virtqemud/libvirt_guests/settings.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"

#define FILE_BYTES (64 * 1024)
#define SECONDS_MAX (10 * 365 * 24 * 3600)
#define TIMEOUT_S 300

typedef struct Place {
    const char *path;
    int line;
    const char *name;
} Place;

typedef bool (*SetFunc)(GuestsSettings *settings, const Place *place, const char *value,
                        GError **error);

static bool fail(const Place *place, GError **error, const char *reason, const char *value)
{
    error_set(error, VIR_FROM_CONF, VIR_ERR_CONFIG_UNSUPPORTED, "%s:%d: %s: %s, found '%.64s'",
              place->path, place->line, place->name, reason, value);
    return false;
}

static bool number(const Place *place, const char *value, unsigned *ret_number, GError **error)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(value, 10, 0, SECONDS_MAX, &number, NULL))
        return fail(place, error, "expected a number", value);
    *ret_number = (unsigned)number;
    return true;
}

static bool set_uris(GuestsSettings *settings, const Place *place, const char *value,
                     GError **error)
{
    GStrvBuilder *uris = g_strv_builder_new();
    g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);

    for (char **word = words; *word; word++) {
        if (**word)
            g_strv_builder_add(uris, *word);
    }
    g_strfreev(settings->uris);
    settings->uris = g_strv_builder_end(uris);
    g_strv_builder_unref(uris);
    return true;
}

static bool set_on_boot(GuestsSettings *settings, const Place *place, const char *value,
                        GError **error)
{
    settings->starts_on_boot = strcmp(value, "start") == 0;
    return settings->starts_on_boot || strcmp(value, "ignore") == 0 ||
           fail(place, error, "expected start or ignore", value);
}

/* Guests that were meant to be saved must not be ended in another way behind somebody's back. */
static bool set_on_shutdown(GuestsSettings *settings, const Place *place, const char *value,
                            GError **error)
{
    if (strcmp(value, "suspend") == 0)
        return fail(place, error, "guests cannot be saved by this version, only shut down", value);
    return strcmp(value, "shutdown") == 0 || fail(place, error, "expected shutdown", value);
}

static bool set_start_delay(GuestsSettings *settings, const Place *place, const char *value,
                            GError **error)
{
    return number(place, value, &settings->start_delay_s, error);
}

static bool set_parallel(GuestsSettings *settings, const Place *place, const char *value,
                         GError **error)
{
    return number(place, value, &settings->parallel_shutdown, error);
}

static bool set_timeout(GuestsSettings *settings, const Place *place, const char *value,
                        GError **error)
{
    return number(place, value, &settings->shutdown_timeout_s, error);
}

/* "default" is what the shutdown of guests has always meant: all of them. */
static bool set_persistent_only(GuestsSettings *settings, const Place *place, const char *value,
                                GError **error)
{
    settings->kind = strcmp(value, "true") == 0 ? GUESTS_PERSISTENT : GUESTS_ALL;
    return settings->kind == GUESTS_PERSISTENT || strcmp(value, "false") == 0 ||
           strcmp(value, "default") == 0 ||
           fail(place, error, "expected default, true or false", value);
}

/* Of saved guests. */
static bool set_nothing(GuestsSettings *settings, const Place *place, const char *value,
                        GError **error)
{
    unsigned ignored;

    if (!number(place, value, &ignored, error))
        return false;
    if (ignored)
        g_ptr_array_add(settings->notices,
                        g_strdup_printf("%s:%d: %s has no effect: guests cannot be saved by this "
                                        "version", place->path, place->line, place->name));
    return true;
}

static const struct {
    const char *name;
    SetFunc set;
} variables[] = {
    { "URIS", set_uris },
    { "ON_BOOT", set_on_boot },
    { "START_DELAY", set_start_delay },
    { "ON_SHUTDOWN", set_on_shutdown },
    { "PARALLEL_SHUTDOWN", set_parallel },
    { "SHUTDOWN_TIMEOUT", set_timeout },
    { "BYPASS_CACHE", set_nothing },
    { "SYNC_TIME", set_nothing },
    { "PERSISTENT_ONLY", set_persistent_only },
};

static bool variable_set(GuestsSettings *settings, const Place *place, const char *value,
                         GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
        if (strcmp(variables[i].name, place->name) == 0)
            return variables[i].set(settings, place, value, error);
    }
    g_ptr_array_add(settings->notices,
                    g_strdup_printf("%s:%d: %.64s: there is no such variable", place->path,
                                    place->line, place->name));
    return true;
}

/* A comment, nothing, or NAME=VALUE. @line is changed. */
static bool line_parse(GuestsSettings *settings, const char *path, int number_of_line, char *line,
                       GError **error)
{
    Place place = { path, number_of_line, NULL };
    g_autofree char *value = NULL;
    g_autofree char *rest = NULL;
    g_auto(GStrv) words = NULL;
    int n_words = 0;
    char *equals;

    g_strstrip(line);
    if (!*line || *line == '#')
        return true;
    if (g_str_has_prefix(line, "export "))
        line = g_strchug(line + strlen("export "));
    equals = strchr(line, '=');
    if (!equals || equals == line) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX, "%s:%d: expected NAME=VALUE", path,
                  number_of_line);
        return false;
    }
    *equals = 0;
    place.name = line;
    /* The rest of the line may be a comment, which a line's end ends; nothing at all is an empty
     * value. */
    rest = g_strconcat(equals + 1, "\n", NULL);
    if (equals[1] && equals[1] != ' ' && equals[1] != '#' &&
        !g_shell_parse_argv(rest, &n_words, &words, NULL)) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX,
                  "%s:%d: the quotes of %s are not closed", path, number_of_line, place.name);
        return false;
    }
    if (n_words > 1)
        return fail(&place, error, "expected one value: put it in quotes", words[1]);
    value = g_strdup(n_words ? words[0] : "");
    return variable_set(settings, &place, value, error);
}

GuestsSettings *guests_settings_parse(const char *path, const char *text, GError **error)
{
    g_autoptr(GuestsSettings) settings = g_new0(GuestsSettings, 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    settings->shutdown_timeout_s = TIMEOUT_S;
    settings->notices = g_ptr_array_new_with_free_func(g_free);
    settings->uris = g_strsplit("default", " ", -1);
    for (int i = 0; lines[i]; i++) {
        if (!line_parse(settings, path, i + 1, lines[i], error))
            return NULL;
    }
    return g_steal_pointer(&settings);
}

GuestsSettings *guests_settings_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;

    if (!file_read_if_exists(path, FILE_BYTES, &text, NULL, error))
        return NULL;
    return guests_settings_parse(path, text ? text : "", error);
}

void guests_settings_free(GuestsSettings *settings)
{
    if (!settings)
        return;
    g_strfreev(settings->uris);
    g_clear_pointer(&settings->notices, g_ptr_array_unref);
    g_free(settings);
}
