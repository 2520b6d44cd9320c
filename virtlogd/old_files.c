#include "virtlogd/old_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody's logs are deeper; a loop of mounts would be. */
#define MAX_DEPTH 16

typedef struct Sweep {
    time_t oldest;
    const GArray *open;
    unsigned n_deleted;
} Sweep;

static bool is_open(const Sweep *sweep, const struct stat *status)
{
    for (guint i = 0; i < sweep->open->len; i++) {
        const FileId *id = &g_array_index(sweep->open, FileId, i);

        if (id->dev == status->st_dev && id->ino == status->st_ino)
            return true;
    }
    return false;
}

static void sweep_folder(Sweep *sweep, int parent_fd, const char *name, unsigned depth);

static void sweep_entry(Sweep *sweep, int folder_fd, const char *name, unsigned depth)
{
    struct stat status;

    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (S_ISDIR(status.st_mode))
        sweep_folder(sweep, folder_fd, name, depth + 1);
    else if (S_ISREG(status.st_mode) && status.st_mtime < sweep->oldest &&
             !is_open(sweep, &status) && unlinkat(folder_fd, name, 0) == 0)
        sweep->n_deleted++;
}

static void sweep_folder(Sweep *sweep, int parent_fd, const char *name, unsigned depth)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = fd >= 0 && depth < MAX_DEPTH ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (!folder) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            sweep_entry(sweep, fd, entry->d_name, depth);
    }
    closedir(folder);
}

unsigned old_files_delete(const char *folder, time_t oldest, const GArray *open)
{
    Sweep sweep = { .oldest = oldest, .open = open };

    sweep_folder(&sweep, AT_FDCWD, folder, 0);
    return sweep.n_deleted;
}
