/* splitvirt_holder: keeps the descriptors of one daemon (virtlogd or virtlockd) while that is
 * stopped, killed or replaced. It does nothing with them. It uses the C library alone, so that
 * there is little in it that could ever need to be replaced while guests run.
 *
 * When it ends itself, its daemon still has everything, and hands it to the next holder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/holder/store.h"

/* A daemon needs one connection, and its successor may come before the old one has gone. */
#define MAX_PEERS 8
#define SD_LISTEN_FDS_START 3
/* Until what could not be done is tried again. */
#define PAUSE_MS 200

typedef struct Holder {
    HolderStore store;
    struct pollfd fds[1 + MAX_PEERS]; /* the first listens; -1: free */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
} Holder;

static int fail(const char *what, const char *detail)
{
    fprintf(stderr, "splitvirt_holder: %s %s: %s\n", what, detail, strerror(errno));
    return -1;
}

/* As the daemons choose the folder of their sockets. False: it is too long for a socket. */
static bool choose_path(Holder *holder, const char *name, const char *root)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    bool is_session = !root && geteuid() != 0 && runtime;
    int length = snprintf(holder->path, sizeof(holder->path), "%s%s/libvirt/%s%s",
                          is_session ? runtime : root ? root : "", is_session ? "" : "/run", name,
                          HOLDER_SOCKET_SUFFIX);

    return length > 0 && (size_t)length < sizeof(holder->path);
}

static void make_folder(const char *path)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, geteuid() == 0 ? 0755 : 0700);
        *slash = '/';
    }
}

/* Whether another holder answers at @address: two must not share a daemon. */
static bool is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_there = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                    errno == EAGAIN;

    close(fd);
    return is_there;
}

/* sd_listen_fds(3): meant is the process whose number stands there, or any without one. */
static bool has_passed_socket(void)
{
    const char *passed = getenv("LISTEN_FDS");
    const char *pid = getenv("LISTEN_PID");

    return passed && strcmp(passed, "1") == 0 &&
           (!pid || strtoul(pid, NULL, 10) == (unsigned long)getpid());
}

/* One that a service manager made comes as descriptor 3. */
static int open_socket(Holder *holder)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (has_passed_socket()) {
        fcntl(SD_LISTEN_FDS_START, F_SETFL, O_NONBLOCK);
        return SD_LISTEN_FDS_START;
    }
    make_folder(holder->path);
    memcpy(address.sun_path, holder->path, sizeof(address.sun_path));
    if (is_served(&address)) {
        errno = EADDRINUSE;
        return fail("cannot listen at", holder->path);
    }
    unlink(holder->path);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    umask(0177);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, MAX_PEERS) < 0)
        return fail("cannot listen at", holder->path);
    return fd;
}

/* A descriptor more for each that is held. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* sd_notify(3), for units of Type=notify. False: the service manager does not read what it is told,
 * and its queue is full. */
static bool notify_ready(void)
{
    static const char text[] = "READY=1";
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path ? strlen(path) : 0;
    bool is_full;
    int fd;

    if (length == 0 || length >= sizeof(address.sun_path))
        return true;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    is_full = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0;
    if (is_full && errno != EAGAIN) {
        fail("cannot tell the service manager", path);
        is_full = false;
    }
    close(fd);
    return !is_full;
}

static void peer_close(struct pollfd *peer)
{
    close(peer->fd);
    peer->fd = -1;
}

/* False: there are no descriptors left. */
static bool accept_peer(Holder *holder)
{
    struct ucred credentials = { .uid = (uid_t)-1 };
    socklen_t length = sizeof(credentials);
    int fd = accept4(holder->fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 &&
        (credentials.uid == 0 || credentials.uid == geteuid())) {
        for (size_t i = 1; i <= MAX_PEERS; i++) {
            if (holder->fds[i].fd < 0) {
                holder->fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
                return true;
            }
        }
    }
    close(fd);
    return true;
}

typedef union ControlBuffer {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} ControlBuffer;

/* The buffer's alignment leaves room for a second one, which nobody has asked for. */
static int take_first_fd(const struct cmsghdr *header)
{
    size_t n_fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int first = -1;

    for (size_t i = 0; i < n_fds; i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
        if (i == 0)
            first = fd;
        else
            close(fd);
    }
    return first;
}

/* The packet's length, 0 at the end. */
static ssize_t receive_packet(int peer_fd, char *packet, int *ret_fd)
{
    struct iovec iov = { packet, HOLDER_PACKET_MAX };
    ControlBuffer control;
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    ssize_t length = recvmsg(peer_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    /* An empty packet looks like the end, and may bring a descriptor all the same. */
    const struct cmsghdr *header = length >= 0 ? CMSG_FIRSTHDR(&message) : NULL;

    *ret_fd = -1;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        *ret_fd = take_first_fd(header);
    return length;
}

/* Never waits: a peer that does not take its answers is a broken one. */
static bool send_packet(int peer_fd, char *packet, size_t length, int fd)
{
    struct iovec iov = { packet, length };
    ControlBuffer control = { .bytes = { 0 } };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd >= 0) {
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                           .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    return sendmsg(peer_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}

static void serve_peer(Holder *holder, struct pollfd *peer)
{
    char packet[HOLDER_PACKET_MAX], answer[HOLDER_PACKET_MAX];
    int fd, answer_fd = -1;
    ssize_t length = receive_packet(peer->fd, packet, &fd);
    size_t answer_length = 0;

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length >= 0)
        answer_length = holder_store_serve(&holder->store, packet, (size_t)length, fd, answer,
                                           &answer_fd);
    if (answer_length == 0 || !send_packet(peer->fd, answer, answer_length, answer_fd))
        peer_close(peer);
}

/* Until a signal ends the process. The socket's file stays: the daemon is refused there, and
 * the next holder replaces it. */
static _Noreturn void run(Holder *holder)
{
    bool is_said = false, is_pausing = false;

    for (;;) {
        is_said = is_said || notify_ready();
        /* Who waits in the socket would be announced again at once. */
        holder->fds[0].events = is_pausing ? 0 : POLLIN;
        if (poll(holder->fds, 1 + MAX_PEERS, is_said && !is_pausing ? -1 : PAUSE_MS) < 0)
            continue;
        for (size_t i = 1; i <= MAX_PEERS; i++) {
            if (holder->fds[i].fd >= 0 && holder->fds[i].revents)
                serve_peer(holder, &holder->fds[i]);
        }
        is_pausing = holder->fds[0].revents && !accept_peer(holder);
    }
}

int main(int argc, char **argv)
{
    static Holder holder;
    bool has_root = argc == 4 && strcmp(argv[2], "--root") == 0;

    if ((argc != 2 && !has_root) || !holder_name_is_valid(argv[1], strlen(argv[1]))) {
        fprintf(stderr, "usage: splitvirt_holder DAEMON [--root DIR]\n"
                        "Keeps the descriptors of DAEMON (virtlogd, virtlockd) while it is not "
                        "running.\n");
        return EXIT_FAILURE;
    }
    if (!choose_path(&holder, argv[1], has_root ? argv[3] : NULL)) {
        errno = ENAMETOOLONG;
        fail("cannot listen for", argv[1]);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i <= MAX_PEERS; i++)
        holder.fds[i].fd = -1;
    signal(SIGHUP, SIG_IGN);
    raise_descriptor_limit();
    holder.fds[0] = (struct pollfd){ .fd = open_socket(&holder), .events = POLLIN };
    if (holder.fds[0].fd < 0)
        return EXIT_FAILURE;
    run(&holder);
}
