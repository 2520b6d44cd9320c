/* Machines for tests: a file in data/host/ holds what the kernel of one shows, each line "PATH
 * TEXT" being one more line of the file PATH. It is laid out in a temporary folder, where a test
 * may change it, and removed with the HostTree. */
#pragma once

#include <glib.h>

#include "virtqemud/host/roots.h"

typedef struct HostTree {
    char *folder;
    char *proc;
    char *sys;
    char *dev;
    HostRoots roots; /* of these */
} HostTree;

/* The machine of data/host/@name.tree, or an empty one for NULL. */
HostTree *host_tree_new(const char *name);
void host_tree_free(HostTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostTree, host_tree_free)

/* Makes or replaces a file, "sys/power/state". */
void host_tree_write(HostTree *tree, const char *path, const char *data, gssize size);
char *host_tree_read(HostTree *tree, const char *path);
void host_tree_remove(HostTree *tree, const char *path);

/* The path of data/host/@name. */
char *host_data_path(const char *name);

/* Checks the code and, unless NULL, the text of an error, and clears it. */
void assert_host_error(GError **error, int code, const char *message);
