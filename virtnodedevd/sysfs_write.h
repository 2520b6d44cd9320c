/* Writing to the kernel's files, which act on it. They can take long: offload threads do it. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* Writes @text in one go to an existing file. Errors: SYSTEM_ERROR, naming the file. */
bool sysfs_write(const char *path, const char *text, GError **error);
