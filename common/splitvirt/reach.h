/* Whether this user may connect to a unix socket, by the permissions of its file and of the
 * folders above it (unix(7): connecting takes the right to write). */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* True when it may. Otherwise @ret_problem says what keeps it out and @ret_advice what helps, both
 * to be freed. A file that is not there is no problem of permissions. */
bool reach_check(const char *path, char **ret_problem, char **ret_advice);
