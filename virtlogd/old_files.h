/* Deleting logs by age. Blocks: for a thread. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <glib.h>

typedef struct FileId {
    dev_t dev;
    ino_t ino;
} FileId;

/* Deletes every file in @folder and the folders below it that was last changed before
 * @oldest, except those in @open (of FileId). Returns how many. Links are not followed, and what
 * cannot be read is left alone. */
unsigned old_files_delete(const char *folder, time_t oldest, const GArray *open);
