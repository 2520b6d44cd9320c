#include "virtlogd/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files put aside have no gap, except the one that a daemon leaves that is killed meanwhile. */
#define MAX_GAP 2
#define CURRENT (-1)

/* Of the file with @number, CURRENT for the one that is written. */
static char *file_path(const char *path, int number)
{
    return number == CURRENT ? g_strdup(path) : g_strdup_printf("%s.%d", path, number);
}

/* The number of the file with that inode. False: there is none. */
static bool find_file(const char *path, uint64_t inode, int *ret_number)
{
    int gap = 0;

    for (int number = CURRENT; gap <= MAX_GAP; number++) {
        g_autofree char *name = file_path(path, number);
        struct stat status;

        if (stat(name, &status) < 0) {
            gap++;
        } else if (status.st_ino == inode) {
            *ret_number = number;
            return true;
        } else {
            gap = 0;
        }
    }
    return false;
}

/* Appends what the file has from @offset on. 0 or a negative errno. */
static int read_file(const char *path, uint64_t offset, size_t max, GString *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int result = 0;
    char bytes[16 * 1024];

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    while (text->len < max) {
        ssize_t n = pread(fd, bytes, MIN(sizeof(bytes), max - text->len), (off_t)offset);

        if (n <= 0) {
            result = n < 0 ? -errno : 0;
            break;
        }
        g_string_append_len(text, bytes, n);
        offset += (uint64_t)n;
    }
    close(fd);
    return result;
}

int log_read(const char *path, uint64_t inode, uint64_t offset, size_t max, char **ret_bytes,
             size_t *ret_length)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int number, result = 0;

    if (offset > G_MAXINT64 || !find_file(path, inode, &number))
        return -EBADF;
    for (; result == 0 && number >= CURRENT && text->len < max; number--) {
        g_autofree char *name = file_path(path, number);

        result = read_file(name, offset, max, text);
        offset = 0;
    }
    if (result < 0)
        return result;
    *ret_length = text->len;
    *ret_bytes = g_string_free(g_steal_pointer(&text), FALSE);
    return 0;
}
