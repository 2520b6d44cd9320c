/* Removing is for a thread: a guest may have made a lot to remove. */
#include "virtqemud/guest/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "fiber/offload.h"

LOG_INIT("qemu.folders");

#define FOLDER_PREFIX "domain-"
#define FOLDER_MODE 0750
/* QEMU makes none that is deeper. */
#define MAX_DEPTH 16

/* ---- Removing ---- */

static void remove_content(int folder_fd, unsigned depth);

/* 0 or errno. */
static int remove_entry(int parent_fd, const char *name, unsigned depth)
{
    int fd;

    /* POSIX and Linux have different errors for folders. */
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    fd = depth < MAX_DEPTH
             ? openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
             : -1;
    if (fd >= 0)
        remove_content(fd, depth + 1);
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
}

/* Takes the descriptor. */
static void remove_content(int folder_fd, unsigned depth)
{
    DIR *folder = fdopendir(folder_fd);
    const struct dirent *entry;

    if (!folder) {
        close(folder_fd);
        return;
    }
    while ((entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(folder_fd, entry->d_name, depth);
    }
    closedir(folder);
}

static bool remove_in_thread(void *data, GError **error)
{
    const char *path = data;
    int errnum = remove_entry(AT_FDCWD, path, 0);

    if (errnum == 0)
        return true;
    error_set_errno(error, VIR_FROM_QEMU, errnum, "cannot remove %s", path);
    return false;
}

SUSPENDS static bool remove_folder(const char *path, GError **error)
{
    struct stat info;

    if (lstat(path, &info) < 0 && errno == ENOENT)
        return true;
    return fiber_offload(remove_in_thread, (void *)path, error);
}

void guest_folders_remove(Guest *guest)
{
    const char *folders[] = { guest->lib_dir, guest->channel_dir };

    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autoptr(GError) error = NULL;

        if (!remove_folder(folders[i], &error) && !fiber_is_cancelled(fiber_current()))
            LOG_WARN("domain '%s' has ended, but leaves something behind: %s",
                     guest->domain->object.name, error->message);
    }
}

/* ---- Making ---- */

/* A new one, which is nobody else's before it is given away. */
static bool make_new(const char *path, const QemuUser *user, GError **error)
{
    int fd = mkdir(path, FOLDER_MODE) == 0
                 ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;
    bool is_made = fd >= 0 && fchmod(fd, FOLDER_MODE) == 0 &&
                   (!user->is_switched || fchown(fd, user->uid, user->gid) == 0);

    if (!is_made)
        error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot prepare the folder %s", path);
    if (fd >= 0)
        close(fd);
    return is_made;
}

/* The place for a new one, below folders that are the host's. */
SUSPENDS static bool clear_place(const char *path, GError **error)
{
    g_autofree char *above = g_path_get_dirname(path);

    return mkdir_parents(above, 0755, error) && remove_folder(path, error);
}

bool guest_folders_make(const Guest *guest, GError **error)
{
    const QemuUser *user = &guest->conf->run_as;

    return clear_place(guest->lib_dir, error) && clear_place(guest->channel_dir, error) &&
           guest_check_wanted(guest, error) && make_new(guest->lib_dir, user, error) &&
           make_new(guest->channel_dir, user, error);
}

/* ---- Names ---- */

/* "domain-1-a" in @above. */
static bool is_in(const char *above, const char *path)
{
    g_autofree char *prefix = g_build_filename(above, FOLDER_PREFIX, NULL);

    return g_str_has_prefix(path, prefix) && !strchr(path + strlen(prefix), '/');
}

bool guest_folder_is_one(const Driver *driver, const char *path)
{
    return is_in(driver->lib_dir, path);
}

bool guest_folder_is_one_of_channels(const Driver *driver, const char *path)
{
    g_autofree char *above = g_build_filename(driver->lib_dir, "channel", "target", NULL);

    return is_in(above, path);
}
