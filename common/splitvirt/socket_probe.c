#include "common/splitvirt/socket_probe.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define TABLE_LIMIT (64 * 1024 * 1024)
/* proc(5): the flag of a socket that accepts connections. */
#define FLAG_ACCEPTS 0x10000

/* "Num: RefCount Protocol Flags Type St Inode Path" */
static bool parse_line(const char *line, uint64_t *ret_inode, const char **ret_path)
{
    unsigned long flags;
    unsigned long long inode;
    int path = 0;

    if (sscanf(line, "%*x: %*x %*x %lx %*x %*x %llu %n", &flags, &inode, &path) != 2 ||
        path == 0 || line[path] != '/' || !(flags & FLAG_ACCEPTS))
        return false;
    *ret_inode = inode;
    *ret_path = line + path;
    return true;
}

GHashTable *listeners_parse(const char *text)
{
    GHashTable *listeners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        uint64_t inode;
        const char *path;

        if (parse_line(*line, &inode, &path))
            g_hash_table_replace(listeners, g_strdup(path), g_memdup2(&inode, sizeof(inode)));
    }
    return listeners;
}

GHashTable *listeners_read(void)
{
    g_autofree char *text = NULL;

    file_read_if_exists("/proc/net/unix", TABLE_LIMIT, &text, NULL, NULL);
    return listeners_parse(text ? text : "");
}

/* /run and /var/run are one folder, and either may be what the listener was told. */
static const uint64_t *find_listener(GHashTable *listeners, const char *path)
{
    const uint64_t *inode = g_hash_table_lookup(listeners, path);
    g_autofree char *other = NULL;

    if (inode || !g_str_has_prefix(path, "/run/"))
        return inode;
    other = g_strconcat("/var", path, NULL);
    return g_hash_table_lookup(listeners, other);
}

void socket_probe(const char *path, GHashTable *listeners, SocketProbe *ret_probe)
{
    SocketProbe probe = { 0 };
    const uint64_t *inode;
    struct stat status;

    if (stat(path, &status) < 0) {
        probe.reason = errno;
        *ret_probe = probe;
        return;
    }
    probe.exists = true;
    probe.is_socket = S_ISSOCK(status.st_mode);
    probe.uid = status.st_uid;
    probe.gid = status.st_gid;
    probe.mode = status.st_mode & 07777;
    inode = probe.is_socket ? find_listener(listeners, path) : NULL;
    if (inode) {
        probe.has_listener = true;
        probe.inode = *inode;
    }
    *ret_probe = probe;
}

/* The inode of the socket that @link ("socket:[123]") names. */
static bool link_read_inode(int folder_fd, const char *name, uint64_t *ret_inode)
{
    char target[64];
    ssize_t length = readlinkat(folder_fd, name, target, sizeof(target) - 1);
    unsigned long long inode;

    if (length <= 0)
        return false;
    target[length] = '\0';
    if (sscanf(target, "socket:[%llu]", &inode) != 1)
        return false;
    *ret_inode = inode;
    return true;
}

/* The first that holds a socket keeps it: pids come in ascending order, and where systemd holds
 * a socket, too, it is the one that is asked for its daemon. */
static void look_into_process(const char *pid, GHashTable *inodes, GHashTable *owners)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    const struct dirent *entry;

    if (!folder)
        return;
    while ((entry = readdir(folder))) {
        uint64_t inode;

        if (!link_read_inode(dirfd(folder), entry->d_name, &inode) ||
            !g_hash_table_contains(inodes, &inode) || g_hash_table_contains(owners, &inode))
            continue;
        g_hash_table_insert(owners, g_memdup2(&inode, sizeof(inode)),
                            GSIZE_TO_POINTER(g_ascii_strtoull(pid, NULL, 10)));
    }
    closedir(folder);
}

GHashTable *socket_owners_read(GHashTable *inodes)
{
    GHashTable *owners = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    DIR *folder = g_hash_table_size(inodes) > 0 ? opendir("/proc") : NULL;
    const struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        if (g_ascii_isdigit(entry->d_name[0]))
            look_into_process(entry->d_name, inodes, owners);
    }
    if (folder)
        closedir(folder);
    return owners;
}
