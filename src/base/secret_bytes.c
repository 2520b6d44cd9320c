/* Each piece is a mapping of its own: locking, and leaving out of core dumps, go by pages. */
#include "base/secret_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wipe.h"

static size_t page_round(size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (MAX(length, 1) + page - 1) / page * page;
}

static void fail_lock(size_t mapped, int errnum, GError **error)
{
    struct rlimit limit = { 0 };

    getrlimit(RLIMIT_MEMLOCK, &limit);
    error_set_errno(error, VIR_FROM_NONE, errnum,
                    "cannot lock %zu bytes of memory for a secret (the limit of this process is "
                    "%" G_GUINT64_FORMAT ", see LimitMEMLOCK= of its unit)",
                    mapped, (guint64)limit.rlim_cur);
}

SecretBytes *secret_bytes_new(size_t length, GError **error)
{
    size_t mapped = page_round(length);
    void *data = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SecretBytes *bytes;

    if (data == MAP_FAILED) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot get %zu bytes of memory", mapped);
        return NULL;
    }
    /* Before anything is in it. */
    if (mlock(data, mapped) < 0 || madvise(data, mapped, MADV_DONTDUMP) < 0 ||
        madvise(data, mapped, MADV_WIPEONFORK) < 0) {
        fail_lock(mapped, errno, error);
        munmap(data, mapped);
        return NULL;
    }
    bytes = g_new(SecretBytes, 1);
    *bytes = (SecretBytes){ data, length, mapped };
    return bytes;
}

SecretBytes *secret_bytes_copy(const void *data, size_t length, GError **error)
{
    SecretBytes *bytes = secret_bytes_new(length, error);

    if (bytes && length > 0)
        memcpy(bytes->data, data, length);
    return bytes;
}

void secret_bytes_free(SecretBytes *bytes)
{
    if (!bytes)
        return;
    wipe(bytes->data, bytes->mapped);
    munmap(bytes->data, bytes->mapped);
    g_free(bytes);
}

/* A file that shrinks meanwhile is what there is; one that grows is cut, and so found wrong by
 * whoever looks at it. */
static bool fill(int fd, const char *path, SecretBytes *bytes, GError **error)
{
    size_t done = 0;

    while (done < bytes->length) {
        ssize_t n = read(fd, bytes->data + done, bytes->length - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(error, VIR_FROM_NONE, errno, "cannot read file '%s'", path);
            return false;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    bytes->length = done;
    return true;
}

static SecretBytes *read_opened(int fd, const char *path, size_t limit, GError **error)
{
    struct stat status;
    g_autoptr(SecretBytes) bytes = NULL;

    if (fstat(fd, &status) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot examine file '%s'", path);
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED, "'%s' is not a regular file",
                  path);
        return NULL;
    }
    if ((uint64_t)status.st_size > limit) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_FAILED,
                  "file '%s' is larger than %zu bytes", path, limit);
        return NULL;
    }
    bytes = secret_bytes_new((size_t)status.st_size, error);
    return bytes && fill(fd, path, bytes, error) ? g_steal_pointer(&bytes) : NULL;
}

bool secret_bytes_read_file(const char *path, size_t limit, SecretBytes **ret_bytes,
                            GError **error)
{
    /* O_NONBLOCK: a pipe in the place of a file must not hold up the open. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    SecretBytes *bytes;

    if (fd < 0 && errno == ENOENT) {
        *ret_bytes = NULL;
        return true;
    }
    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot open file '%s'", path);
        return false;
    }
    bytes = read_opened(fd, path, limit, error);
    close(fd);
    if (!bytes)
        return false;
    *ret_bytes = bytes;
    return true;
}
