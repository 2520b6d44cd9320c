/* Paths of what a driver keeps for each of its objects, and which names may be part of a path. */
#include "common/state_folders.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"

#define SUFFIX ".xml"

StateFolders *state_folders_new(const Paths *paths, const char *config, const char *run)
{
    StateFolders *folders = g_new0(StateFolders, 1);

    folders->config_dir = paths_join(paths->config_dir, config);
    folders->autostart_dir = paths_join(folders->config_dir, "autostart");
    folders->run_dir = paths_join(paths->run_dir, run);
    return folders;
}

void state_folders_free(StateFolders *folders)
{
    if (!folders)
        return;
    g_free(folders->config_dir);
    g_free(folders->autostart_dir);
    g_free(folders->run_dir);
    g_free(folders);
}

/* Bytes above 127 are no control characters: names are UTF-8. */
static bool has_control_character(const char *text)
{
    for (; *text; text++) {
        if (g_ascii_iscntrl(*text))
            return true;
    }
    return false;
}

bool state_name_check(const char *name, GError **error)
{
    const char *problem = NULL;

    if (!*name)
        problem = "is empty";
    else if (*name == '.')
        problem = "begins with a dot";
    else if (strchr(name, '/'))
        problem = "has a slash";
    else if (has_control_character(name))
        problem = "has a control character";
    else if (strlen(name) > NAME_MAX - strlen(SUFFIX))
        problem = "is too long";
    if (!problem)
        return true;
    error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "name '%.64s' %s: files are named after it",
              name, problem);
    return false;
}

static char *state_path(const char *folder, const char *name)
{
    return g_strconcat(folder, "/", name, SUFFIX, NULL);
}

char *state_definition_path(const StateFolders *folders, const char *name)
{
    return state_path(folders->config_dir, name);
}

char *state_autostart_path(const StateFolders *folders, const char *name)
{
    return state_path(folders->autostart_dir, name);
}

char *state_live_path(const StateFolders *folders, const char *name)
{
    return state_path(folders->run_dir, name);
}
