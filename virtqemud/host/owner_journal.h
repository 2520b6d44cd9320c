/* Which files QEMU's user was given for one guest, in RUN/NAME.files: what has to be given back
 * when the guest has ended, and no more, as others may use the same files. It is written by the
 * workers that change owners (worker/ops.c), in the same step as far as the daemon is concerned:
 * a worker finishes its operation when the daemon is killed. Like the guest it is gone with a
 * reboot. Records: "+PATH" or "-PATH" for taken and given back, each ended by a zero byte.
 * All of this is on a local file system in memory, and fast enough for fibers. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* Makes an empty one, in place of any. Errors: SYSTEM_ERROR. */
bool owner_journal_create(const char *path, GError **error);
/* Adds a file that was given already. Errors: SYSTEM_ERROR. */
bool owner_journal_add(const char *path, const char *file, GError **error);
/* The files that are given now, as strings: one that was taken twice comes twice. None when there
 * is no journal. A record that is not whole does not count. */
GPtrArray *owner_journal_read(const char *path);
/* Whether a worker, which may be that of a daemon before us, is about to write a record. */
bool owner_journal_is_busy(const char *path);
