#include "virtqemud/qemu/caps_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "json/get.h"
#include "json/parse.h"
#include "json/write.h"

/* Facts of QEMU 7.2 take some 70 KiB. */
#define FILE_MAX (8u * 1024 * 1024)
/* Holds the first processor, which stands for all. */
#define CPUINFO_MAX 8192

static bool kvm_can_be_used(const char *device)
{
    int fd = open(device, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

bool emulator_identity_read(const char *path, const char *kvm_device, uid_t uid,
                            EmulatorIdentity *ret_identity, GError **error)
{
    EmulatorIdentity identity = { .uid = uid };

    if (path[0] != '/')
        errno = ENOENT;
    if (path[0] != '/' || stat(path, &identity.file) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot check QEMU binary %s", path);
        return false;
    }
    if (S_ISDIR(identity.file.st_mode))
        errno = EISDIR;
    if (S_ISDIR(identity.file.st_mode) || access(path, X_OK) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "QEMU binary %s is not executable", path);
        return false;
    }
    identity.has_kvm = kvm_can_be_used(kvm_device);
    *ret_identity = identity;
    return true;
}

bool emulator_identity_equal(const EmulatorIdentity *a, const EmulatorIdentity *b)
{
    return a->has_kvm == b->has_kvm && a->uid == b->uid && a->file.st_dev == b->file.st_dev &&
           a->file.st_ino == b->file.st_ino && a->file.st_size == b->file.st_size &&
           memcmp(&a->file.st_mtim, &b->file.st_mtim, sizeof(a->file.st_mtim)) == 0 &&
           memcmp(&a->file.st_ctim, &b->file.st_ctim, sizeof(a->file.st_ctim)) == 0;
}

/* The lines of the first processor that do not change while it runs. */
static char *cpu_describe(void)
{
    char text[CPUINFO_MAX];
    int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    g_auto(GStrv) lines = NULL;
    GString *kept = g_string_new(NULL);

    if (fd >= 0)
        close(fd);
    text[MAX(length, 0)] = '\0';
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && **line; line++) {
        /* Frequencies move, and so does what is computed from them. */
        if (!strstr(*line, "MHz") && !g_str_has_prefix(*line, "bogomips"))
            g_string_append(kept, *line);
    }
    return g_string_free(kept, FALSE);
}

char *caps_cache_make_key(const char *path, const EmulatorIdentity *identity)
{
    g_autofree char *cpu = cpu_describe();
    g_autofree char *cpu_hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, cpu, -1);
    const struct stat *file = &identity->file;
    struct utsname host;

    uname(&host);
    return g_strdup_printf("splitvirt %s; %s; device %" PRIu64 " inode %" PRIu64 " size %" PRId64
                           " mtime %" PRId64 ".%09ld ctime %" PRId64 ".%09ld; user %u; %s %s %s; "
                           "kvm %d; cpu %s",
                           SPLITVIRT_VERSION, path, (uint64_t) file->st_dev,
                           (uint64_t) file->st_ino, (int64_t) file->st_size,
                           (int64_t) file->st_mtim.tv_sec, file->st_mtim.tv_nsec,
                           (int64_t) file->st_ctim.tv_sec, file->st_ctim.tv_nsec,
                           (guint) identity->uid, host.release, host.version, host.machine,
                           identity->has_kvm, cpu_hash);
}

static char *cache_file(const char *folder, const char *path)
{
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);

    return g_strconcat(folder, "/", hash, ".json", NULL);
}

JsonValue *caps_cache_load(const char *folder, const char *path, const char *key, GError **error)
{
    g_autofree char *file = cache_file(folder, path);
    g_autofree char *text = NULL;
    g_autoptr(JsonValue) document = NULL;
    const JsonValue *object;
    const char *found;
    gsize length;
    int64_t format;

    if (!file_read_all(file, FILE_MAX, &text, &length, error))
        return NULL;
    document = json_parse_bytes(text, length, error);
    if (!document || !json_as_object(document, "a cache file", &object, error) ||
        !json_object_get_int64(object, "format", &format, error) ||
        !json_object_get_string(object, "key", &found, error) ||
        !json_object_get_object(object, "facts", &object, error))
        return NULL;
    if (format == CAPS_CACHE_FORMAT && strcmp(found, key) == 0)
        return json_object_steal(document, "facts");
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s is out of date", file);
    return NULL;
}

bool caps_cache_store(const char *folder, const char *path, const char *key, const JsonValue *facts,
                      GError **error)
{
    g_autofree char *file = cache_file(folder, path);
    g_autoptr(JsonValue) document = json_object();
    g_autofree char *text = NULL;

    json_object_put_int64(document, "format", CAPS_CACHE_FORMAT);
    json_object_put_string(document, "key", key);
    json_object_put(document, "facts", json_copy(facts));
    text = json_write(document);
    return mkdir_parents(folder, 0755, error) &&
           file_replace_atomic(file, text, strlen(text), 0600, FILE_KEEP_UID, FILE_KEEP_GID,
                               error);
}
