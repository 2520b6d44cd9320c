#include "virtlogd/pipe_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fiber/offload.h"

typedef struct Search {
    char target[64]; /* "pipe:[INODE]", as /proc has it */
    pid_t found;
} Search;

/* proc(5): "flags: 0100001", octal, the lowest bits as in open(2). */
static bool is_writable(int process_fd, const char *number)
{
    g_autofree char *path = g_strdup_printf("fdinfo/%s", number);
    char text[256] = "";
    int fd = openat(process_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    const char *flags = length > 0 ? strstr(text, "flags:") : NULL;

    if (fd >= 0)
        close(fd);
    return flags && (strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE) != O_RDONLY;
}

static bool process_writes(int process_fd, const char *target)
{
    int folder_fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = folder_fd >= 0 ? fdopendir(folder_fd) : NULL;
    const struct dirent *entry;
    bool is_found = false;
    char link[64];

    if (!folder) {
        if (folder_fd >= 0)
            close(folder_fd);
        return false;
    }
    while (!is_found && (entry = readdir(folder))) {
        ssize_t length = readlinkat(folder_fd, entry->d_name, link, sizeof(link) - 1);

        if (length <= 0)
            continue;
        link[length] = '\0';
        is_found = strcmp(link, target) == 0 && is_writable(process_fd, entry->d_name);
    }
    closedir(folder);
    return is_found;
}

static bool search_in_thread(void *data, GError **error)
{
    Search *search = data;
    DIR *processes = opendir("/proc");
    const struct dirent *entry;

    while (processes && search->found == 0 && (entry = readdir(processes))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        int fd;

        if (pid <= 0 || pid == getpid())
            continue;
        fd = openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (process_writes(fd, search->target))
            search->found = pid;
        close(fd);
    }
    if (processes)
        closedir(processes);
    return true;
}

pid_t pipe_writer_find(const char *inode)
{
    Search search = { .found = 0 };

    g_snprintf(search.target, sizeof(search.target), "pipe:[%s]", inode);
    return fiber_offload(search_in_thread, &search, NULL) ? search.found : 0;
}
