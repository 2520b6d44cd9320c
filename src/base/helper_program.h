/* Where the suite's own small programs are (the launcher, workers): with the build that this
 * daemon is of. --root does not move them. */
#pragma once

/* The path of @name: the environment variable named like it in capitals comes first, then the
 * build folder that the daemon runs from, then the folder for such programs of the installation.
 * To be freed. */
char *helper_program_find(const char *name);
