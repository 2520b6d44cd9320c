#include "virtnodedevd/sysfs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* Of an attribute: the kernel gives a page at most. */
#define ATTR_LIMIT (64 * 1024)
/* Of a record of udev's. */
#define RECORD_LIMIT (256 * 1024)

const SysRoots sys_roots_default = {
    .sys = "/sys", .udev = "/run/udev/data", .ids = "/usr/share",
};

char *sys_read(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    char *text = NULL;

    if (!file_read_all(path, ATTR_LIMIT, &text, NULL, NULL))
        return NULL;
    return g_strstrip(text);
}

char *sys_attr(const SysDevice *device, const char *name)
{
    return sys_read(device->dir, name);
}

bool sys_attr_number(const SysDevice *device, const char *name, unsigned base, uint64_t *ret)
{
    g_autofree char *text = sys_attr(device, name);
    char *end = NULL;
    uint64_t number;

    if (!text || !g_ascii_isxdigit(*text))
        return false;
    number = g_ascii_strtoull(text, &end, base);
    if (end == text)
        return false;
    *ret = number;
    return true;
}

bool sys_has(const SysDevice *device, const char *name)
{
    g_autofree char *path = g_build_filename(device->dir, name, NULL);

    return access(path, F_OK) == 0;
}

static char *link_name(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);

    if (length <= 0)
        return NULL;
    target[length] = '\0';
    return g_path_get_basename(target);
}

char *sys_link_name(const SysDevice *device, const char *name)
{
    return link_name(device->dir, name);
}

static int compare_names(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *sys_list_dir(const char *dir)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries)))
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

GPtrArray *sys_list(const SysDevice *device, const char *name)
{
    g_autofree char *dir = g_build_filename(device->dir, name, NULL);

    return sys_list_dir(dir);
}

const char *sys_property(const SysDevice *device, const char *name)
{
    const char *value = g_hash_table_lookup(device->properties, name);

    return value && *value ? value : NULL;
}

/* The value of KEY=VALUE at the start of a line of the device's own "uevent" file. */
static char *uevent_value(char **lines, const char *key)
{
    size_t length = strlen(key);

    for (; lines && *lines; lines++) {
        if (strncmp(*lines, key, length) == 0 && (*lines)[length] == '=')
            return g_strdup(*lines + length + 1);
    }
    return NULL;
}

/* The name of udev's record: by number where the device has one (systemd's documentation of
 * sd_device_get_device_id), which no rename changes. */
static char *record_name(const SysDevice *device, char **lines)
{
    g_autofree char *major = uevent_value(lines, "MAJOR");
    g_autofree char *minor = uevent_value(lines, "MINOR");
    g_autofree char *index = uevent_value(lines, "IFINDEX");

    if (major && minor)
        return g_strdup_printf("%c%s:%s", g_str_equal(device->subsystem, "block") ? 'b' : 'c',
                               major, minor);
    if (index && g_str_equal(device->subsystem, "net"))
        return g_strdup_printf("n%s", index);
    return g_strdup_printf("+%s:%s", device->subsystem, device->name);
}

/* Lines of "E:KEY=VALUE" (properties) and "S:NAME" (links below /dev); others are udev's own. */
static void read_record(SysDevice *device, char **uevent_lines)
{
    g_autofree char *name = record_name(device, uevent_lines);
    g_autofree char *path = g_build_filename(device->roots->udev, name, NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (strchr(name, '/') || !file_read_all(path, RECORD_LIMIT, &text, NULL, NULL))
        return;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *value = strchr(*line, '=');

        if (g_str_has_prefix(*line, "S:"))
            g_ptr_array_add(device->links, g_strdup(*line + 2));
        else if (g_str_has_prefix(*line, "E:") && value)
            g_hash_table_insert(device->properties, g_strndup(*line + 2, (gsize)(value - *line - 2)),
                                g_strdup(value + 1));
    }
}

static char *real_path(const SysRoots *roots, const char *path)
{
    g_autofree char *whole = g_build_filename(roots->sys, path, NULL);
    char *real = realpath(whole, NULL);

    return real;
}

SysDevice *sys_device_open(const SysRoots *roots, const char *path)
{
    g_autoptr(SysDevice) device = g_new0(SysDevice, 1);
    g_autofree char *root = realpath(roots->sys, NULL);
    g_autofree char *uevent = NULL;
    g_auto(GStrv) lines = NULL;

    device->roots = roots;
    device->dir = real_path(roots, path);
    if (!root || !device->dir || !g_str_has_prefix(device->dir, root))
        return NULL;
    device->path = g_strdup(device->dir + strlen(root));
    if (!g_str_has_prefix(device->path, "/devices/"))
        return NULL;
    device->name = strrchr(device->path, '/') + 1;
    device->subsystem = sys_link_name(device, "subsystem");
    if (!device->subsystem)
        return NULL;
    device->driver = sys_link_name(device, "driver");
    uevent = sys_attr(device, "uevent");
    lines = uevent ? g_strsplit(uevent, "\n", -1) : NULL;
    device->devtype = uevent_value(lines, "DEVTYPE");
    device->devname = uevent_value(lines, "DEVNAME");
    device->properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    device->links = g_ptr_array_new_with_free_func(g_free);
    read_record(device, lines);
    return g_steal_pointer(&device);
}

void sys_device_free(SysDevice *device)
{
    if (!device)
        return;
    g_free(device->path);
    g_free(device->dir);
    g_free(device->subsystem);
    g_free(device->devtype);
    g_free(device->driver);
    g_free(device->devname);
    g_clear_pointer(&device->properties, g_hash_table_unref);
    g_clear_pointer(&device->links, g_ptr_array_unref);
    g_free(device);
}
