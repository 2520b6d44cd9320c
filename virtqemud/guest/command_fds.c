/* Files, sockets and devices that a command line names by number. */
#include "virtqemud/guest/command_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "virtqemud/guest/sockets.h"

LOG_INIT("qemu.command.fds");

/* VHOST_VSOCK_SET_GUEST_CID of <linux/vhost.h>. */
#define VSOCK_SET_GUEST_CID _IOW(0xAF, 0x60, uint64_t)
#define VSOCK_FIRST_CID 3
/* What a file system may take to open a file, and what virtlogd may. */
#define OUTPUT_MS 60000
#define MANAGED_OUTPUT_MS 10000

static int open_vsock(Guest *guest, GError **error)
{
    VsockDef *vsock = guest->def->vsock;
    int fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
    uint64_t cid = vsock->auto_cid == XML_TRISTATE_YES ? VSOCK_FIRST_CID : vsock->cid;

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "unable to open the vhost-vsock device");
        return -1;
    }
    while (ioctl(fd, VSOCK_SET_GUEST_CID, &cid) < 0) {
        if (errno == EADDRINUSE && vsock->auto_cid == XML_TRISTATE_YES && ++cid < UINT32_MAX)
            continue;
        error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot use the guest cid %u of vsock",
                        (unsigned)cid);
        close(fd);
        return -1;
    }
    vsock->cid = (unsigned)cid;
    return fd;
}

/* In a folder of that user's a socket may have become something else already: only one is given. */
static bool give_socket(const char *path, const QemuUser *user)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    bool is_given = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode))
        is_given = fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) == 0;
    else
        errno = ENOTSOCK;
    close(fd);
    return is_given;
}

/* QEMU's user reaches sockets in its own folders. */
static int open_listening(Guest *guest, const char *path, GError **error)
{
    const QemuUser *user = &guest->conf->run_as;
    int fd = guest_socket_listen_path(path, error);

    if (fd >= 0 && user->is_switched && !give_socket(path, user))
        LOG_WARN("cannot give %s to QEMU's user: %s", path, g_strerror(errno));
    return fd;
}

/* The user names it: it may be where a file system hangs. */
SUSPENDS static int open_file(Guest *guest, const CommandFd *wanted, GError **error)
{
    unsigned flags = wanted->is_append ? FILE_FLAG_APPEND : 0;
    g_auto(FileAnswer) answer = { 0 };

    if (!file_workers_call(guest->driver->file_workers, FILE_OP_OUTPUT, flags, wanted->path, NULL,
                           NULL, fiber_deadline_ms(OUTPUT_MS), &answer, error))
        return -1;
    if (answer.reply.errnum)
        error_set_errno(error, VIR_FROM_QEMU, answer.reply.errnum, "Unable to open file: %s",
                        wanted->path);
    return file_answer_take_fd(&answer);
}

/* virtlogd's pipe, or the file itself. */
SUSPENDS static int open_output(Guest *guest, const CommandFd *wanted, GError **error)
{
    const LogOwner owner = { guest->domain->object.name, &guest->domain->object.uuid };

    if (!guest->is_log_managed)
        return open_file(guest, wanted, error);
    return log_manager_open(guest->driver->logs, &owner, wanted->path, !wanted->is_append,
                            fiber_deadline_ms(MANAGED_OUTPUT_MS), error);
}

SUSPENDS static int open_fd(Guest *guest, const CommandFd *wanted, GError **error)
{
    switch (wanted->kind) {
    case COMMAND_FD_VSOCK:
        return open_vsock(guest, error);
    case COMMAND_FD_OUTPUT:
        return open_output(guest, wanted, error);
    default:
        return open_listening(guest, wanted->path, error);
    }
}

bool command_fds_open(Guest *guest, const QemuCommand *command, GArray *fds, GError **error)
{
    for (guint i = 0; i < command->fds->len; i++) {
        const CommandFd *wanted = &g_array_index(command->fds, CommandFd, i);
        GuestProcessFd given = { open_fd(guest, wanted, error), wanted->number };

        if (given.fd < 0)
            return false;
        g_array_append_val(fds, given);
        /* Nothing more is made for a guest that was ended while its file was opened. */
        if (!guest_check_wanted(guest, error))
            return false;
    }
    return true;
}
