#include "virtlockd/worker/holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PATH_SIZE 300

/* One line of /proc/PID/fdinfo/FD for each lock that was taken through this descriptor:
 * "lock: 1: OFDLCK  ADVISORY  WRITE -1 fe:00:1234 0 0" (proc(5)). */
static bool fdinfo_has_lock(const char *path, const char *file)
{
    char line[256];
    bool found = false;
    FILE *info = fopen(path, "re");

    while (info && !found && fgets(line, sizeof(line), info))
        found = strncmp(line, "lock:", 5) == 0 && strstr(line, "OFDLCK") && strstr(line, file);
    if (info)
        fclose(info);
    return found;
}

static bool process_has_lock(const char *pid, const char *file)
{
    char path[PATH_SIZE];
    const struct dirent *entry;
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
    DIR *folder = opendir(path);
    while (folder && !found && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.32s", pid, entry->d_name);
        found = fdinfo_has_lock(path, file);
    }
    if (folder)
        closedir(folder);
    return found;
}

static void read_name(int pid, char name[LOCK_HOLDER_NAME_MAX])
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (!fgets(name, LOCK_HOLDER_NAME_MAX, file))
        name[0] = '\0';
    fclose(file);
    name[strcspn(name, "\n")] = '\0';
}

/* Those that keep descriptors for others: a service manager, and our own holder. */
static bool is_keeper(int pid)
{
    char name[LOCK_HOLDER_NAME_MAX] = "";

    read_name(pid, name);
    return pid == 1 || strncmp(name, "splitvirt_hold", strlen("splitvirt_hold")) == 0;
}

/* The kernel names no process for a lock that belongs to an open file description: one that has
 * the description open is looked for, best one that uses it. */
static int find_description(const struct stat *info)
{
    char file[80];
    const struct dirent *entry;
    int found = 0, keeper = 0;

    snprintf(file, sizeof(file), " %02x:%02x:%lu ", major(info->st_dev), minor(info->st_dev),
             (unsigned long)info->st_ino);
    DIR *processes = opendir("/proc");
    while (processes && found == 0 && (entry = readdir(processes))) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !process_has_lock(entry->d_name, file))
            continue;
        int pid = atoi(entry->d_name);
        if (is_keeper(pid))
            keeper = pid;
        else
            found = pid;
    }
    if (processes)
        closedir(processes);
    return found ? found : keeper;
}

void lock_holder_find(int fd, short type, LockWorkerReply *reply)
{
    struct flock lock = { .l_type = type, .l_start = LOCK_START, .l_len = LOCK_LENGTH };
    struct stat info;

    if (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
        return;
    if (lock.l_pid > 0)
        reply->holder_pid = lock.l_pid;
    else if (lock.l_pid == -1 && fstat(fd, &info) == 0)
        reply->holder_pid = find_description(&info);
    if (reply->holder_pid > 0)
        read_name(reply->holder_pid, reply->holder_name);
}
