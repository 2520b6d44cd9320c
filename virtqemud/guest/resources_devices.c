/* Which devices a guest may open. Files that are missing are left out: not every host has every
 * device. */
#include "virtqemud/guest/resources.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* All pseudo terminals (kernel, admin-guide/devices.txt). */
#define ANY_PTY "c 136:* rw"
#define QEMU_RANDOM "/dev/random"

static void add_path(GStrvBuilder *paths, const char *access, const char *path)
{
    g_autofree char *entry = path ? g_strconcat(access, " ", path, NULL) : NULL;

    if (entry)
        g_strv_builder_add(paths, entry);
}

/* Images that are files need none; those below the first are only read. */
static void add_disk(GStrvBuilder *paths, const DiskDef *disk)
{
    bool is_read = disk->is_readonly || disk->device == DISK_CDROM;

    for (const DiskSource *source = disk->source; source; source = source->backing) {
        if (source->type == DISK_SOURCE_BLOCK)
            add_path(paths, is_read || source != disk->source ? "r" : "rw", source->path);
    }
}

/* Output may go to a device as to any file. */
static void add_chardevs(GStrvBuilder *paths, const GPtrArray *chardevs)
{
    for (guint i = 0; i < chardevs->len; i++) {
        const ChardevDef *chardev = chardevs->pdata[i];

        if (chardev->source.type == CHARDEV_FILE && chardev->source.path &&
            g_str_has_prefix(chardev->source.path, "/dev/"))
            add_path(paths, "rw", chardev->source.path);
    }
}

char **guest_device_paths(const DomainDef *def, const QemuConf *conf)
{
    GStrvBuilder *paths = g_strv_builder_new();
    char **result;

    for (char **path = conf->cgroup_device_acl; path && *path; path++)
        add_path(paths, "rw", *path);
    for (guint i = 0; i < def->disks->len; i++)
        add_disk(paths, def->disks->pdata[i]);
    add_chardevs(paths, def->serials);
    add_chardevs(paths, def->consoles);
    add_chardevs(paths, def->channels);
    for (guint i = 0; i < def->rngs->len; i++) {
        const RngDef *rng = def->rngs->pdata[i];

        if (!rng->is_builtin)
            add_path(paths, "rw", rng->source ? rng->source : QEMU_RANDOM);
    }
    result = g_strv_builder_end(paths);
    g_strv_builder_unref(paths);
    return result;
}

static void add_device(GStrvBuilder *devices, const char *entry)
{
    const char *path = strchr(entry, ' ') + 1;
    g_autofree char *device = NULL;
    struct stat info;

    if (stat(path, &info) < 0 || !(S_ISBLK(info.st_mode) || S_ISCHR(info.st_mode)))
        return;
    device = g_strdup_printf("%c %u:%u %.*s", S_ISBLK(info.st_mode) ? 'b' : 'c',
                             major(info.st_rdev), minor(info.st_rdev), (int)(path - entry) - 1,
                             entry);
    g_strv_builder_add(devices, device);
}

char **guest_devices_resolve(char *const *paths)
{
    GStrvBuilder *devices = g_strv_builder_new();
    char **result;

    for (char *const *entry = paths; *entry; entry++)
        add_device(devices, *entry);
    g_strv_builder_add(devices, ANY_PTY);
    result = g_strv_builder_end(devices);
    g_strv_builder_unref(devices);
    return result;
}
