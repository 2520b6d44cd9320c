/* Files on local disks: read within a limit, replaced so that a crash at any instant
 * leaves the old or the new content, removed for good. All of these block: fibers call
 * them through fiber_offload. Errors are SYSTEM_ERROR unless said otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <glib.h>

/* Leaves the owner or group as the process makes it. */
#define FILE_KEEP_UID ((uid_t) -1)
#define FILE_KEEP_GID ((gid_t) -1)

/* Reads a regular file (those of /proc and /sys too) of at most @limit bytes. @ret_data
 * has a zero byte after its end; @ret_length may be NULL.
 * Errors: SYSTEM_ERROR, OPERATION_FAILED when it is larger or not a regular file. */
bool file_read_all(const char *path, size_t limit, char **ret_data, size_t *ret_length,
                   GError **error);

/* The same, but a file that does not exist is no error: *ret_data is NULL then. */
bool file_read_if_exists(const char *path, size_t limit, char **ret_data, size_t *ret_length,
                         GError **error);

/* Makes @path have exactly this content, mode (whatever the umask) and owner, durably.
 * On failure no temporary file stays behind, and what stood there before is kept (unless
 * only the last step, syncing the folder, failed).
 * A symbolic link at @path is replaced, not followed. */
bool file_replace_atomic(const char *path, const void *data, size_t length, mode_t mode, uid_t uid,
                         gid_t gid, GError **error);

/* The same for what a reboot makes worthless (the state of what runs): whole after the end of any
 * process at any instant, but not durable, and so fast enough to be called in a fiber. */
bool file_replace_volatile(const char *path, const void *data, size_t length, mode_t mode,
                           GError **error);

/* Removes a file or symbolic link durably; one that does not exist is no error. */
bool file_remove_durable(const char *path, GError **error);

/* Makes the folder and those above it that are missing, each with @mode (less the umask).
 * A folder that exists stays as it is. */
bool mkdir_parents(const char *path, mode_t mode, GError **error);

/* Makes @path a symbolic link to @target, durably, in place of any file or link there. */
bool symlink_replace_atomic(const char *path, const char *target, GError **error);
bool symlink_read(const char *path, char **ret_target, GError **error);

/* The names in a folder that end in @suffix (NULL for all) and do not begin with a dot,
 * sorted, as an array of strings that owns them. */
bool dir_list(const char *path, const char *suffix, GPtrArray **ret_names, GError **error);

/* Removes what a crash within file_replace_atomic or symlink_replace_atomic may have
 * left in the folder. Only for the start of a daemon: it would hit writes under way. */
bool dir_remove_temporaries(const char *path, GError **error);
