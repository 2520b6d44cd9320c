/* The settings of libvirt-guests: /etc/default/libvirt-guests, variables as a shell would set
 * them (libvirt-guests(8) of the reference manual). A file of an existing installation can be
 * used as it is; what it asks for that cannot be done is an error that says why, before
 * anything is done to a guest. */
#pragma once

#include <stdbool.h>

#include <glib.h>

typedef enum GuestsKind {
    GUESTS_ALL,
    GUESTS_PERSISTENT,
} GuestsKind;

typedef struct GuestsSettings {
    char **uris;
    bool starts_on_boot;      /* ON_BOOT=start */
    unsigned start_delay_s;
    unsigned parallel_shutdown; /* 0: one after the other */
    unsigned shutdown_timeout_s; /* 0: none */
    GuestsKind kind; /* PERSISTENT_ONLY */
    GPtrArray *notices; /* of strings: what has no effect */
} GuestsSettings;

/* Parses a file's text; @path is for messages alone. Errors: CONF_SYNTAX, CONFIG_UNSUPPORTED
 * ("FILE:LINE: VARIABLE: reason"). */
GuestsSettings *guests_settings_parse(const char *path, const char *text, GError **error);
/* A missing file sets nothing. Errors: also SYSTEM_ERROR. */
GuestsSettings *guests_settings_read(const char *path, GError **error);
void guests_settings_free(GuestsSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestsSettings, guests_settings_free)
