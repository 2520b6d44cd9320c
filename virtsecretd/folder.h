/* Where the files of secrets are, for the daemon and for the roll-over of keys. */
#pragma once

#include "common/paths.h"

/* /etc/libvirt/secrets, or a user's; to be freed. */
static inline char *secrets_folder(const Paths *paths)
{
    return paths_join(paths->config_dir, "secrets");
}
