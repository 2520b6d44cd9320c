/* What virtqemud has to say to sanlock, whose library waits as long as it likes: a program that can
 * be killed. It also is the first program of a guest's process, which has to make itself known.
 *
 *   splitvirt_sanlock enter FD PROGRAM    registers this process by a connection that becomes
 *                                         descriptor FD, and then is PROGRAM
 *   splitvirt_sanlock lockspace NAME HOST-ID PATH IO-TIMEOUT USER GROUP
 *                                         joins a lock space, whose file is made if need be
 *   splitvirt_sanlock acquire PID GUEST USER GROUP LOCK...
 *   splitvirt_sanlock release PID LOCK...
 *
 * LOCK is five arguments: lock space, name, path, offset, flags ("s": shared, "f": its file is
 * made if need be, "-"). USER and GROUP are numbers, -1 for none. What goes wrong is one line on
 * standard error; the status is 2 when somebody else has the lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sanlock.h>
#include <sanlock_admin.h>
#include <sanlock_resource.h>
#include <sanlock_rv.h>

#include "virtqemud/launcher/plan.h"

#define EXIT_BUSY 2
#define LOCK_ARGS 5
#define JOIN_STEP_US 200000

typedef struct Resource {
    struct sanlk_resource head;
    struct sanlk_disk disk;
} Resource;

/* Its own numbers begin where those of the kernel end. */
static const char *text_of(int result)
{
    switch (result) {
    case SANLK_ACQUIRE_IDLIVE:
    case SANLK_ACQUIRE_OWNED:
    case SANLK_ACQUIRE_OWNED_RETRY:
    case SANLK_ACQUIRE_OTHER:
    case SANLK_ACQUIRE_SHRETRY:
        return "it is locked by another host";
    case -EEXIST:
    case -EBUSY:
    case -EAGAIN:
        return "it is locked by another guest of this host";
    case -ENOSPC:
        return "sanlock does not know its lock space";
    case -ENOENT:
    case -ECONNREFUSED:
        return "sanlock is not running (start sanlock.service)";
    default:
        return result > -200 ? strerror(-result) : sanlock_strerror(result);
    }
}

static bool is_busy(int result)
{
    return result == SANLK_ACQUIRE_IDLIVE || result == SANLK_ACQUIRE_OWNED ||
           result == SANLK_ACQUIRE_OWNED_RETRY || result == SANLK_ACQUIRE_OTHER ||
           result == SANLK_ACQUIRE_SHRETRY || result == -EEXIST || result == -EBUSY ||
           result == -EAGAIN;
}

static int fail(const char *what, int result)
{
    fprintf(stderr, "%s: %s (%d)\n", what, text_of(result), result);
    return is_busy(result) ? EXIT_BUSY : EXIT_FAILURE;
}

/* ---- Files ---- */

typedef struct Owner {
    uid_t uid;
    gid_t gid;
} Owner;

/* A file of sanlock's at @path, unless there is one: it gets its name when it is complete. Returns
 * -errno or what sanlock says. */
static int make_file(const char *path, const Owner *owner, struct sanlk_lockspace *space,
                     Resource *resource)
{
    struct sanlk_disk *disk = space ? &space->host_id_disk : &resource->disk;
    char temporary[SANLK_PATH_LEN];
    int result;

    if (access(path, F_OK) == 0)
        return 0;
    if (snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid()) >=
        (int)sizeof(temporary))
        return -ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    strcpy(disk->path, temporary);
    result = fchown(fd, owner->uid, owner->gid) < 0 ? -errno : sanlock_align(disk);
    if (result > 0)
        result = ftruncate(fd, result) < 0 ? -errno : 0;
    close(fd);
    if (result == 0)
        result = sanlock_init(space, resource ? &resource->head : NULL, 0, 0);
    /* Another host may have been faster. */
    if (result == 0 && link(temporary, path) < 0 && errno != EEXIST)
        result = -errno;
    unlink(temporary);
    strcpy(disk->path, path);
    return result;
}

/* ---- Commands ---- */

/* In the words of the launcher, whose place this has: a step, errno, what it was about. */
static int enter_failed(int result)
{
    char message[256];
    int length = snprintf(message, sizeof(message), "sanlock%c%d%csanlock is not running (start "
                          "sanlock.service)", '\0', -result, '\0');

    send(LAUNCH_FD_STATUS, message, (size_t)length + 1, MSG_NOSIGNAL);
    return EXIT_FAILURE;
}

/* The guest can do nothing with the connection but end it by its own end. */
static int enter(char **args)
{
    char *const argv[] = { args[1], NULL };
    char *const envp[] = { NULL };
    int fd = sanlock_register();
    int result = fd < 0 ? fd : sanlock_restrict(fd, SANLK_RESTRICT_ALL);

    if (result < 0)
        return enter_failed(result);
    if (dup2(fd, atoi(args[0])) < 0)
        return enter_failed(-errno);
    close(fd);
    execve(args[1], argv, envp);
    return enter_failed(-errno);
}

static int join_lockspace(char **args)
{
    struct sanlk_lockspace space = { 0 };
    Owner owner = { (uid_t)atol(args[4]), (gid_t)atol(args[5]) };
    int result;

    if (strlen(args[0]) >= sizeof(space.name) || strlen(args[2]) >= SANLK_PATH_LEN)
        return fail(args[2], -ENAMETOOLONG);
    strcpy(space.name, args[0]);
    space.host_id = strtoull(args[1], NULL, 10);
    strcpy(space.host_id_disk.path, args[2]);
    result = make_file(args[2], &owner, &space, NULL);
    if (result == 0)
        result = sanlock_add_lockspace_timeout(&space, 0, (uint32_t)atol(args[3]));
    /* Somebody else is at it; whoever started this ends it when that takes too long. */
    while (result == -EINPROGRESS || result == -EAGAIN) {
        usleep(JOIN_STEP_US);
        result = sanlock_add_lockspace_timeout(&space, 0, (uint32_t)atol(args[3]));
    }
    return result == 0 || result == -EEXIST ? EXIT_SUCCESS : fail(args[2], result);
}

static int resource_parse(char **args, Resource *resource)
{
    memset(resource, 0, sizeof(*resource));
    if (strlen(args[0]) >= SANLK_NAME_LEN || strlen(args[1]) >= SANLK_NAME_LEN ||
        strlen(args[2]) >= SANLK_PATH_LEN)
        return -ENAMETOOLONG;
    strcpy(resource->head.lockspace_name, args[0]);
    strcpy(resource->head.name, args[1]);
    resource->head.num_disks = 1;
    resource->head.flags = strchr(args[4], 's') ? SANLK_RES_SHARED : 0;
    strcpy(resource->disk.path, args[2]);
    resource->disk.offset = strtoull(args[3], NULL, 10);
    return 0;
}

/* One after the other, so that an error is about one; those before are given back. */
static int acquire(int pid, const char *guest, const Owner *owner, char **args, int n_args)
{
    struct sanlk_options options = { 0 };

    strncpy(options.owner_name, guest, sizeof(options.owner_name) - 1);
    for (int i = 0; i + LOCK_ARGS <= n_args; i += LOCK_ARGS) {
        Resource resource;
        struct sanlk_resource *list[] = { &resource.head };
        int result = resource_parse(args + i, &resource);

        if (result == 0 && strchr(args[i + 4], 'f'))
            result = make_file(args[i + 2], owner, NULL, &resource);
        if (result == 0)
            result = sanlock_acquire(-1, pid, 0, 1, list, &options);
        if (result == 0)
            continue;
        for (int k = 0; k < i; k += LOCK_ARGS) {
            Resource before;
            struct sanlk_resource *taken[] = { &before.head };

            resource_parse(args + k, &before);
            sanlock_release(-1, pid, 0, 1, taken);
        }
        return fail(args[i + 2], result);
    }
    return EXIT_SUCCESS;
}

/* What is not held, or whose process is gone, is given back already. */
static int release(int pid, char **args, int n_args)
{
    int status = EXIT_SUCCESS;

    for (int i = 0; i + LOCK_ARGS <= n_args; i += LOCK_ARGS) {
        Resource resource;
        struct sanlk_resource *list[] = { &resource.head };
        int result = resource_parse(args + i, &resource);

        if (result == 0)
            result = sanlock_release(-1, pid, 0, 1, list);
        if (result < 0 && result != -1 && result != -ENOENT && result != -ESRCH)
            status = fail(args[i + 2], result);
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "enter") == 0 && argc == 4)
        return enter(argv + 2);
    if (strcmp(command, "lockspace") == 0 && argc == 8)
        return join_lockspace(argv + 2);
    if (strcmp(command, "acquire") == 0 && argc >= 6) {
        Owner owner = { (uid_t)atol(argv[4]), (gid_t)atol(argv[5]) };

        return acquire(atoi(argv[2]), argv[3], &owner, argv + 6, argc - 6);
    }
    if (strcmp(command, "release") == 0 && argc >= 3)
        return release(atoi(argv[2]), argv + 3, argc - 3);
    fprintf(stderr, "%s is started by virtqemud alone\n", argv[0]);
    return EXIT_FAILURE;
}
