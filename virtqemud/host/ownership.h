/* Files of guests and the user as whom QEMU runs: at start QEMU's user is given what it has to
 * open, at the end the last guest gives it back to the owner that it had before. The owner is
 * kept with the file itself, in the extended attributes of existing installations, so it
 * outlives daemon and host. Nothing is changed where qemu.conf says dynamic_ownership = 0, or
 * in a session; that QEMU's user can open the file is looked at in any case. */
#pragma once

#include "virtqemud/host/file_worker.h"
#include "virtqemud/qemu_conf.h"

/* Whether files change hands at all. */
bool file_owners_change(const QemuConf *conf);

typedef enum FileUse {
    FILE_USE_SHARED,    /* read only, or by several guests (backing files, shareable disks): given
                         * to QEMU's user for good, as its other users would lose it */
    FILE_USE_EXCLUSIVE, /* writable by one guest; also kernel, initrd and the like */
} FileUse;

/* Gives @path to QEMU's user, and checks that it can be read, and written if @is_writable.
 * @journal (owner_journal.h, may be NULL) is told of one that has to be given back.
 * A file system on which owners cannot be changed is no error if that user has access.
 * Errors: SYSTEM_ERROR "Cannot access storage file ...", and those of file_workers_call(). The
 * file is given back then. */
SUSPENDS bool file_take(FileWorkers *workers, const QemuConf *conf, const char *path,
                        const char *journal, FileUse use, bool is_writable,
                        uint64_t deadline_us, GError **error);
/* Undoes file_take(): once for each that succeeded, with the same use. A file that is gone is no
 * error. @conf: as it was at start. */
SUSPENDS bool file_give_back(FileWorkers *workers, const QemuConf *conf, const char *path,
                             const char *journal, FileUse use, uint64_t deadline_us,
                             GError **error);
/* "Cannot access storage file '/x' (as uid:1, gid:2): No such file or directory". */
void file_set_access_error(const char *path, const QemuUser *user, int errnum, GError **error);
