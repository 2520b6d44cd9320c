/* Prints what the table of configuration keys says about one daemon, or about "qemu" one of
 * the further files of virtqemud ("qemu-lockd"): the key sections of its manual page ("rst"), or its example file
 * ("example"). Runs at build time, so that the key table is the one place where a key is
 * described. "options" prints the help text, for the check that the pages have all options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "common/config_keys.h"
#include "common/options.h"
#include "virtqemud/qemu_conf.h"

#define EXAMPLE_WIDTH 78

/* "a number from 1 to 10", in the words of the errors that a wrong value gets. */
static char *type_describe(const ConfigKey *key)
{
    g_autofree char *choices = NULL;

    switch (key->type) {
    case CONFIG_KEY_BOOL:
        return g_strdup("0 or 1");
    case CONFIG_KEY_INT:
    case CONFIG_KEY_UINT:
        return g_strdup_printf("a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                               key->min, key->max);
    case CONFIG_KEY_UINT64:
        return g_strdup("a number");
    case CONFIG_KEY_PATH:
        return g_strdup("an absolute path");
    case CONFIG_KEY_PORT:
        return g_strdup("a port or the name of a service, in quotes");
    case CONFIG_KEY_MODE:
        return g_strdup("octal digits in quotes");
    case CONFIG_KEY_CHOICE:
        choices = g_strjoinv("\" or \"", (char **) key->choices);
        return g_strdup_printf("\"%s\"", choices);
    case CONFIG_KEY_CHOICES:
        choices = g_strjoinv("\" or \"", (char **) key->choices);
        return g_strdup_printf("a list of \"%s\"", choices);
    case CONFIG_KEY_LIST:
        return g_strdup("a list of strings");
    case CONFIG_KEY_USERS:
        return g_strdup("a list of user names and numbers");
    case CONFIG_KEY_SIZE:
        return g_strdup("a number of bytes or \"unlimited\"");
    case CONFIG_KEY_WORDS:
        if (!key->choices)
            return g_strdup("a string or a list of strings");
        choices = g_strjoinv("\", \"", (char **) key->choices);
        return g_strdup_printf("\"%s\", or a list of these", choices);
    case CONFIG_KEY_STRING:
    case CONFIG_KEY_TEXT:
    case CONFIG_KEY_UUID:
    case CONFIG_KEY_LOG_FILTERS:
    case CONFIG_KEY_LOG_OUTPUTS:
        break;
    }
    return g_strdup("a string");
}

/* Where the key does not count: always in this daemon, or only there and then. */
static char *effect_describe(const ConfigKey *key, ConfigDaemon daemon)
{
    if (!(key->effective & (unsigned int) daemon)) {
        return g_strdup_printf("Has no effect in %s: %s.", config_daemon_name(daemon),
                               key->reason);
    }
    if (key->is_socket && key->is_system) {
        return g_strdup("Has no effect in a session, or on sockets that systemd opened.");
    }
    if (key->is_socket) {
        return g_strdup("Has no effect on sockets that systemd opened.");
    }
    return key->is_system ? g_strdup("Has no effect in a session.") : NULL;
}

static void rst_section(const char *title)
{
    g_autofree char *line = g_strnfill(strlen(title), '-');

    printf("\n%s\n%s\n", title, line);
}

static void rst_key(const ConfigKey *key, ConfigDaemon daemon)
{
    const char *fallback = config_key_fallback(key, daemon);
    g_autofree char *type = type_describe(key);
    g_autofree char *effect = effect_describe(key, daemon);

    printf("\n``%s`` = %s\n", key->name, type);
    printf("    %s", key->text);
    if (fallback) {
        printf(" Default: ``%s``.", fallback);
    }
    printf("%s%s\n", effect ? " " : "", effect ? effect : "");
}

/* @text as lines of comment. Its marks for literals are for manual pages only. */
static void example_comment(const char *text)
{
    g_auto(GStrv) literals = g_strsplit(text, "``", -1);
    g_autofree char *plain = g_strjoinv("", literals);
    g_auto(GStrv) words = g_strsplit(plain, " ", -1);
    size_t column = 0;

    for (char **word = words; *word; word++) {
        if (column == 0 || column + 1 + strlen(*word) > EXAMPLE_WIDTH) {
            column = (size_t) printf("%s# %s", column > 0 ? "\n" : "", *word) -
                     (column > 0 ? 1 : 0);
        } else {
            column += (size_t) printf(" %s", *word);
        }
    }
    printf("\n");
}

static void example_key(const ConfigKey *key, ConfigDaemon daemon)
{
    const char *fallback = config_key_fallback(key, daemon);
    g_autofree char *effect = effect_describe(key, daemon);

    printf("\n");
    example_comment(key->text);
    if (effect) {
        example_comment(effect);
    }
    printf("#%s = %s\n", key->name, fallback ? fallback : key->example);
}

static void example_section(const char *title)
{
    g_autofree char *line = g_strnfill(EXAMPLE_WIDTH, '#');

    printf("\n%s\n# %s\n", line, title);
}

/* Files of virtqemud besides its own. */
static const struct {
    const char *name;
    const ConfigKey *keys;
    const char *head; /* of the example */
} more_files[] = {
    { "qemu", qemu_conf_keys,
      "# Settings of virtqemud's guests; see qemu.conf(5). Every key has its default here, or\n"
      "# an example where there is no fixed default.\n" },
    { "qemu-lockd", qemu_lockd_conf_keys,
      "# How virtqemud locks the disks of guests by way of virtlockd; see qemu-lockd.conf(5).\n"
      "# Every key has its default here, or an example where there is no fixed default.\n" },
    { "qemu-sanlock", qemu_sanlock_conf_keys,
      "# How virtqemud locks the disks of guests by way of sanlock; see qemu-sanlock.conf(5).\n"
      "# Every key has its default here, or an example where there is no fixed default.\n" },
};

static void example_head(ConfigDaemon daemon, const ConfigKey *keys)
{
    const char *name = config_daemon_name(daemon);

    for (size_t i = 0; i < G_N_ELEMENTS(more_files); i++) {
        if (more_files[i].keys == keys) {
            printf("%s", more_files[i].head);
            return;
        }
    }
    printf("# Settings of %s; see %s.conf(5). Every key has its default here, or an\n"
           "# example where there is no fixed default. Check a changed file with\n"
           "# %s --check-config.\n", name, name, name);
}

/* All keys of @daemon in the table, under their sections. */
static void print_keys(const ConfigKey *keys, ConfigDaemon daemon, bool is_example)
{
    const char *section = NULL;

    for (const ConfigKey *key = keys; key->name; key++) {
        section = key->section ? key->section : section;
        if (!(key->daemons & (unsigned int) daemon)) {
            continue;
        }
        /* A section is begun by its first key that this daemon has. */
        if (section) {
            (is_example ? example_section : rst_section)(section);
            section = NULL;
        }
        (is_example ? example_key : rst_key)(key, daemon);
    }
}

/* @name becomes that of the daemon that reads the file. */
static const ConfigKey *keys_of(const char **name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(more_files); i++) {
        if (g_str_equal(more_files[i].name, *name)) {
            *name = "virtqemud";
            return more_files[i].keys;
        }
    }
    return config_keys;
}

int main(int argc, char **argv)
{
    const char *kind = argc == 3 ? argv[1] : "";
    const char *name = argc == 3 ? argv[2] : "";
    const ConfigKey *keys = keys_of(&name);
    ConfigDaemon daemon = config_daemon_from_name(name);
    OptionsSpec options = { .summary = "", .has_listen = daemon == CONFIG_VIRTPROXYD,
                            .has_rotate_key = daemon == CONFIG_VIRTSECRETD };

    if (daemon && g_str_equal(kind, "example")) {
        example_head(daemon, keys);
        print_keys(keys, daemon, true);
    } else if (daemon && g_str_equal(kind, "rst")) {
        print_keys(keys, daemon, false);
    } else if (daemon && g_str_equal(kind, "options")) {
        options.name = config_daemon_name(daemon);
        options_print_help(&options, stdout);
    } else {
        fprintf(stderr, "usage: print_config example|rst|options DAEMON\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
