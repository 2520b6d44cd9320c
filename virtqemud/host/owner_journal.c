#include "virtqemud/host/owner_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/* Far above what a guest's files take. */
#define JOURNAL_MAX (16 * 1024 * 1024)

static bool journal_write(const char *path, int how, const char *record, size_t length,
                          GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
    bool is_written = fd >= 0 && write(fd, record, length) == (ssize_t)length;

    if (!is_written)
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot write '%s'", path);
    if (fd >= 0)
        close(fd);
    return is_written;
}

bool owner_journal_create(const char *path, GError **error)
{
    return journal_write(path, O_TRUNC, "", 0, error);
}

bool owner_journal_add(const char *path, const char *file, GError **error)
{
    g_autofree char *record = g_strconcat("+", file, NULL);

    return journal_write(path, O_APPEND, record, strlen(record) + 1, error);
}

static void remove_one(GPtrArray *files, const char *file)
{
    guint at;

    if (g_ptr_array_find_with_equal_func(files, file, g_str_equal, &at))
        g_ptr_array_remove_index(files, at);
}

GPtrArray *owner_journal_read(const char *path)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    size_t length = 0;

    if (!file_read_if_exists(path, JOURNAL_MAX, &text, &length, NULL) || !text)
        return files;
    for (const char *at = text, *end; (end = memchr(at, 0, (size_t)(text + length - at)));
         at = end + 1) {
        if (*at == '+')
            g_ptr_array_add(files, g_strdup(at + 1));
        else if (*at == '-')
            remove_one(files, at + 1);
    }
    return files;
}

/* Workers hold a shared lock: they do not wait for each other, as one may hang. */
bool owner_journal_is_busy(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_busy = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;

    if (fd >= 0)
        close(fd);
    return is_busy;
}
