#include "base/helper_program.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

/* In the build tree they are in folders beside the daemon. */
static const char *const build_folders[] = { "launcher", "worker", "sanlock" };

char *helper_program_find(const char *name)
{
    g_autofree char *variable = g_ascii_strup(name, -1);
    const char *chosen = getenv(variable);
    g_autofree char *self = chosen ? NULL : g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;

    if (chosen)
        return g_strdup(chosen);
    for (size_t i = 0; folder && i < G_N_ELEMENTS(build_folders); i++) {
        g_autofree char *built = g_build_filename(folder, build_folders[i], name, NULL);
        if (access(built, X_OK) == 0)
            return g_steal_pointer(&built);
    }
    return g_build_filename(LIBEXECDIR, name, NULL);
}
