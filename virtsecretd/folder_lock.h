/* The lock on the folder of secrets: daemons hold it together with others while they use a key,
 * whoever changes keys holds it alone, for a step at a time. It is the kernel's (flock(2)) and so
 * never outlives its process. Blocks, up to half a minute. */
#pragma once

#include <stdbool.h>

#include <glib.h>

typedef enum FolderLockKind {
    FOLDER_SHARED,
    FOLDER_ALONE,
} FolderLockKind;

typedef struct FolderLock {
    int fd;
} FolderLock;

#define FOLDER_LOCK_NONE { -1 }

/* Errors: SYSTEM_ERROR; OPERATION_TIMEOUT when somebody does not give it back. */
bool folder_lock_take(FolderLock *lock, const char *folder, FolderLockKind kind, GError **error);
void folder_lock_release(FolderLock *lock);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FolderLock, folder_lock_release)
