/* Reading and writing the kernel's files below /proc, /sys and /dev, or below other folders in
 * their place, which is how tests show this code a machine that is not there. */
#include "virtqemud/host/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Nearly every attribute fits: sysfs gives at most a page. */
#define FIRST_READ 4096

const HostRoots host_roots_default = { .proc = "/proc", .sys = "/sys", .dev = "/dev" };

static char *path_make(const char *root, const char *format, va_list args) G_GNUC_PRINTF(2, 0);

/* Names are ours or come from the kernel, never from clients. */
static char *path_make(const char *root, const char *format, va_list args)
{
    g_autofree char *below = g_strdup_vprintf(format, args);

    return g_build_filename(root, below, NULL);
}

/* Files here have no size to ask for: they are read until they end. */
static bool read_open_file(int fd, gsize limit, GString *data)
{
    gsize room = MIN(limit, FIRST_READ);

    while (data->len < limit) {
        gsize old = data->len;
        ssize_t got;

        g_string_set_size(data, MIN(old + room, limit));
        got = read(fd, data->str + old, data->len - old);
        if (got < 0 && errno != EINTR) {
            int errnum = errno;

            g_string_truncate(data, old);
            errno = errnum;
            return false;
        }
        g_string_truncate(data, old + (gsize) MAX(got, 0));
        if (got == 0)
            break;
        room = data->len + FIRST_READ;
    }
    return true;
}

/* Files that are larger than @limit end there: callers either choose a limit that no real file
 * reaches, or want the beginning only. */
static bool read_path(const char *path, gsize limit, char **ret_data, gsize *ret_size,
                      GError **error)
{
    GString *data = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot open %s", path);
        return false;
    }
    data = g_string_new(NULL);
    if (!read_open_file(fd, limit, data)) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot read %s", path);
        close(fd);
        g_string_free(data, TRUE);
        return false;
    }
    close(fd);
    if (ret_size != NULL)
        *ret_size = data->len;
    *ret_data = g_string_free(data, FALSE);
    return true;
}

bool host_file_read(const char *root, gsize limit, char **ret_data, gsize *ret_size,
                    GError **error, const char *format, ...)
{
    g_autofree char *path = NULL;
    va_list args;

    va_start(args, format);
    path = path_make(root, format, args);
    va_end(args);
    return read_path(path, limit, ret_data, ret_size, error);
}

bool host_file_read_number(const char *root, guint64 *ret_number, GError **error,
                           const char *format, ...)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    guint64 number;
    va_list args;

    va_start(args, format);
    path = path_make(root, format, args);
    va_end(args);
    if (!read_path(path, FIRST_READ, &text, NULL, error))
        return false;
    g_strstrip(text);
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &number, NULL)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "%s does not hold a number", path);
        return false;
    }
    *ret_number = number;
    return true;
}

/* Attributes take one write as one value, so a short write cannot be continued. */
bool host_file_write(const char *root, const char *text, GError **error, const char *format, ...)
{
    g_autofree char *path = NULL;
    gsize size = strlen(text);
    ssize_t written;
    va_list args;
    int errnum;
    int fd;

    va_start(args, format);
    path = path_make(root, format, args);
    va_end(args);
    fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        errnum = errno;
        error_set_errno(error, VIR_FROM_NONE, errnum, "cannot open %s", path);
        errno = errnum;
        return false;
    }
    written = TEMP_FAILURE_RETRY(write(fd, text, size));
    errnum = written < 0 ? errno : EIO;
    close(fd);
    if (written == (ssize_t) size)
        return true;
    error_set_errno(error, VIR_FROM_NONE, errnum, "cannot write %s", path);
    errno = errnum;
    return false;
}

bool host_file_read_set(const char *root, Bitmap **ret_set, GError **error, const char *format,
                        ...)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    Bitmap *set;
    va_list args;

    va_start(args, format);
    path = path_make(root, format, args);
    va_end(args);
    if (!read_path(path, HOST_FILE_LIMIT, &text, NULL, error))
        return false;
    g_strstrip(text);
    /* The list of nothing is an empty line. */
    set = *text == '\0' ? bitmap_new() : bitmap_parse(text, HOST_MAX_IDS, error);
    if (set == NULL)
        return false;
    *ret_set = set;
    return true;
}

bool host_file_exists(const char *root, const char *format, ...)
{
    g_autofree char *path = NULL;
    va_list args;

    va_start(args, format);
    path = path_make(root, format, args);
    va_end(args);
    return access(path, F_OK) == 0;
}
