/* Which process has a guest's end of a pipe: for the operator who wants to know who still writes
 * to a log. */
#pragma once

#include <sys/types.h>

#include "fiber/fiber.h"

/* @inode: of the pipe, in decimal digits. The first process but ours that can write to it, 0
 * when none can be seen: looking into other processes takes privileges. */
SUSPENDS pid_t pipe_writer_find(const char *inode);
