/* Where the objects of one kind keep what outlives their daemon, by name: the persistent
 * definition (CONFIG/NAME.xml), the link that says "start with the host"
 * (CONFIG/autostart/NAME.xml, to the definition), and the live state (RUN/NAME.xml, gone
 * with a reboot). The places are those of existing installations (FILES in the daemons'
 * manual pages). Reading and writing is base/file.h's. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "common/paths.h"

typedef struct StateFolders {
    char *config_dir;    /* /etc/libvirt/qemu */
    char *autostart_dir; /* /etc/libvirt/qemu/autostart */
    char *run_dir;       /* /run/libvirt/qemu */
} StateFolders;

/* @config and @run: the folders' names below the daemon's ("qemu", "qemu/networks"). */
StateFolders *state_folders_new(const Paths *paths, const char *config, const char *run);
void state_folders_free(StateFolders *folders);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StateFolders, state_folders_free)

/* Whether @name can be a file's: object names come from clients. Errors: XML_ERROR for one
 * that is empty, begins with a dot (which would hide its file), has a slash, a control
 * character, or is longer than a file's name may be. */
bool state_name_check(const char *name, GError **error);

/* To be freed. @name was checked. */
char *state_definition_path(const StateFolders *folders, const char *name);
char *state_autostart_path(const StateFolders *folders, const char *name);
char *state_live_path(const StateFolders *folders, const char *name);
