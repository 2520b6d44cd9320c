/* What is written durably goes through a temporary file in the same folder: write, sync,
 * rename, sync of the folder. Each step leaves the folder readable as it was or as it
 * will be. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* Begins with a dot, so that no reader of a folder takes it for a file of its own. */
#define TEMPORARY_PREFIX ".splitvirt-tmp-"
#define SYMLINK_ATTEMPTS 100

/* For descriptors that end with their block. */
static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_CLOSE __attribute__((cleanup(close_fd))) int

/* The size of files in /proc and /sys is not known before they are read. */
static bool read_up_to(int fd, const char *path, size_t limit, GByteArray *buffer, GError **error)
{
    guint8 chunk[16 * 1024];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(error, VIR_FROM_NONE, errno, "cannot read file '%s'", path);
            return false;
        }
        if ((size_t) n > limit - buffer->len) {
            error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                      "file '%s' is larger than %zu bytes", path, limit);
            return false;
        }
        g_byte_array_append(buffer, chunk, (guint) n);
    }
}

/* Looks at the file that was opened, not at the name: that may be another by now. */
static bool read_opened(int fd, const char *path, size_t limit, char **ret_data,
                        size_t *ret_length, GError **error)
{
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    struct stat status;

    if (fstat(fd, &status) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot examine file '%s'", path);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "'%s' is not a regular file",
                  path);
        return false;
    }
    if (!read_up_to(fd, path, MIN(limit, (size_t) G_MAXINT32), buffer, error))
        return false;
    if (ret_length != NULL)
        *ret_length = buffer->len;
    g_byte_array_append(buffer, (const guint8 *) "", 1);
    *ret_data = (char *) g_byte_array_free(g_steal_pointer(&buffer), FALSE);
    return true;
}

/* O_NONBLOCK: a pipe in the place of a file must not hold up the open. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

bool file_read_all(const char *path, size_t limit, char **ret_data, size_t *ret_length,
                   GError **error)
{
    AUTO_CLOSE fd = open(path, READ_FLAGS);

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot open file '%s'", path);
        return false;
    }
    return read_opened(fd, path, limit, ret_data, ret_length, error);
}

bool file_read_if_exists(const char *path, size_t limit, char **ret_data, size_t *ret_length,
                         GError **error)
{
    AUTO_CLOSE fd = open(path, READ_FLAGS);

    if (fd < 0 && errno == ENOENT) {
        *ret_data = NULL;
        if (ret_length != NULL)
            *ret_length = 0;
        return true;
    }
    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot open file '%s'", path);
        return false;
    }
    return read_opened(fd, path, limit, ret_data, ret_length, error);
}

/* Makes the entries of the folder that @path is in durable. */
static bool sync_folder_of(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    AUTO_CLOSE fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* EINVAL: the file system has nothing to sync for folders. */
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL)) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot sync folder '%s'", folder);
        return false;
    }
    return true;
}

/* errno says why if it fails. */
static bool write_whole(int fd, const void *data, size_t length)
{
    const char *p = data;

    while (length > 0) {
        ssize_t n = write(fd, p, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        p += n;
        length -= (size_t) n;
    }
    return true;
}

/* Owner before mode: nobody may open the file who could not when it is finished, and
 * changing the owner drops set-id bits. */
static bool fill_temporary(int fd, const void *data, size_t length, mode_t mode, uid_t uid,
                           gid_t gid)
{
    if ((uid != FILE_KEEP_UID || gid != FILE_KEEP_GID) && fchown(fd, uid, gid) < 0)
        return false;
    return fchmod(fd, mode) == 0 && write_whole(fd, data, length);
}

/* In the folder of @path: a rename across file systems is not atomic. */
static char *temporary_name(const char *path, const char *random)
{
    g_autofree char *folder = g_path_get_dirname(path);

    return g_strdup_printf("%s/" TEMPORARY_PREFIX "%s", folder, random);
}

/* Readers see the old content or the new one, whole. */
static bool replace(const char *path, const void *data, size_t length, mode_t mode, uid_t uid,
                    gid_t gid, bool is_durable, GError **error)
{
    g_autofree char *temporary = temporary_name(path, "XXXXXX");
    AUTO_CLOSE fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot create a file beside '%s'", path);
        return false;
    }
    if (!fill_temporary(fd, data, length, mode, uid, gid) || (is_durable && fsync(fd) < 0) ||
        rename(temporary, path) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot write file '%s'", path);
        unlink(temporary);
        return false;
    }
    return !is_durable || sync_folder_of(path, error);
}

bool file_replace_atomic(const char *path, const void *data, size_t length, mode_t mode, uid_t uid,
                         gid_t gid, GError **error)
{
    return replace(path, data, length, mode, uid, gid, true, error);
}

/* A killed process loses nothing that it has written; only the machine does. */
bool file_replace_volatile(const char *path, const void *data, size_t length, mode_t mode,
                           GError **error)
{
    return replace(path, data, length, mode, FILE_KEEP_UID, FILE_KEEP_GID, false, error);
}

/* A file that is gone already is what was wanted. */
bool file_remove_durable(const char *path, GError **error)
{
    if (unlink(path) < 0) {
        if (errno == ENOENT)
            return true;
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot remove file '%s'", path);
        return false;
    }
    return sync_folder_of(path, error);
}

/* Through links: an administrator may have put a folder elsewhere. */
static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool mkdir_parents(const char *path, mode_t mode, GError **error)
{
    g_autofree char *part = g_strdup(path);

    /* One slash after the other is cut off, from the left. */
    for (char *slash = part; slash != NULL;) {
        slash = *slash != '\0' ? strchr(slash + 1, '/') : NULL;
        if (slash != NULL)
            *slash = '\0';
        /* Someone else may make the same folder at the same time. */
        if (mkdir(part, mode) < 0 && !(errno == EEXIST && is_folder(part))) {
            error_set_errno(error, VIR_FROM_NONE, errno, "cannot make folder '%s'", part);
            return false;
        }
        if (slash != NULL)
            *slash = '/';
    }
    return true;
}

/* There is no way to make a link in the place of another: one with a random name is made and
 * renamed. The name is not secret, only unlikely to be taken. */
bool symlink_replace_atomic(const char *path, const char *target, GError **error)
{
    for (int i = 0; i < SYMLINK_ATTEMPTS; i++) {
        g_autofree char *random = g_strdup_printf("%08x", g_random_int());
        g_autofree char *temporary = temporary_name(path, random);

        if (symlink(target, temporary) < 0) {
            if (errno == EEXIST)
                continue;
            break;
        }
        if (rename(temporary, path) == 0)
            return sync_folder_of(path, error);
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot make link '%s'", path);
        unlink(temporary);
        return false;
    }
    error_set_errno(error, VIR_FROM_NONE, errno, "cannot make link '%s'", path);
    return false;
}

bool symlink_read(const char *path, char **ret_target, GError **error)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target));

    if (length < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot read link '%s'", path);
        return false;
    }
    *ret_target = g_strndup(target, (gsize) length);
    return true;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Appends the names in @path that @wants accepts; @wanted is its argument. */
static bool collect_names(const char *path, bool (*wants)(const char *name, const char *wanted),
                          const char *wanted, GPtrArray *names, GError **error)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    int failure;

    if (folder == NULL) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot open directory '%s'", path);
        return false;
    }
    /* readdir tells its end from an error by errno alone. */
    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
        if (wants(entry->d_name, wanted))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    failure = errno;
    closedir(folder);
    if (failure != 0) {
        error_set_errno(error, VIR_FROM_NONE, failure, "cannot read directory '%s'", path);
        return false;
    }
    return true;
}

static bool is_visible_with_suffix(const char *name, const char *suffix)
{
    return name[0] != '.' && (suffix == NULL || g_str_has_suffix(name, suffix));
}

static bool has_prefix(const char *name, const char *prefix)
{
    return g_str_has_prefix(name, prefix);
}

bool dir_list(const char *path, const char *suffix, GPtrArray **ret_names, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!collect_names(path, is_visible_with_suffix, suffix, names, error))
        return false;
    g_ptr_array_sort(names, compare_names);
    *ret_names = g_steal_pointer(&names);
    return true;
}

bool dir_remove_temporaries(const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!collect_names(path, has_prefix, TEMPORARY_PREFIX, names, error))
        return false;
    for (unsigned int i = 0; i < names->len; i++) {
        g_autofree char *stale = g_build_filename(path, names->pdata[i], NULL);

        if (unlink(stale) < 0 && errno != ENOENT) {
            error_set_errno(error, VIR_FROM_NONE, errno, "cannot remove file '%s'", stale);
            return false;
        }
    }
    return true;
}
