/* Reading a log from a position (an inode and an offset in it), from wherever the file has got
 * to since, over all newer files to the end. Blocks, like log_file.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads at most @max bytes of the log at @path. An offset behind the end of its file gives what
 * newer files have. Sets *@ret_bytes (to be freed; with a zero byte behind its end). Returns 0
 * or a negative errno: -EBADF when no file of the log has @inode. */
int log_read(const char *path, uint64_t inode, uint64_t offset, size_t max, char **ret_bytes,
             size_t *ret_length);
