#include "virtnodedevd/sysfs_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Attributes take one write as one value, so a short write cannot be continued. */
bool sysfs_write(const char *path, const char *text, GError **error)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    size_t size = strlen(text);
    ssize_t written;
    int errnum;

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NODEDEV, errno, "cannot open %s", path);
        return false;
    }
    written = TEMP_FAILURE_RETRY(write(fd, text, size));
    errnum = written < 0 ? errno : EIO;
    close(fd);
    if (written == (ssize_t)size)
        return true;
    error_set_errno(error, VIR_FROM_NODEDEV, errnum, "cannot write '%s' to %s", text, path);
    return false;
}
