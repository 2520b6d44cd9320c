#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/modes.h"
#include "bench/rpc.h"

enum { REPLY_SIZE = RPC_HEADER_SIZE + 8 };

static int listen_on(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(name);
    if (name[0] != '@' || length >= sizeof address.sun_path)
        die("echo: --socket must be '@' and an abstract name");
    memcpy(address.sun_path + 1, name + 1, length - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0)
        die("echo: %s: %s", name, strerror(errno));
    return fd;
}

/* Answers one frame. Returns false when the peer is gone. */
static bool answer(int fd)
{
    uint8_t frame[4096];
    ssize_t got = read(fd, frame, sizeof frame);
    if (got < RPC_HEADER_SIZE)
        return false;
    memset(frame + RPC_HEADER_SIZE, 0, REPLY_SIZE - RPC_HEADER_SIZE);
    memcpy(frame, (const uint8_t[]){ 0, 0, 0, REPLY_SIZE }, 4);
    frame[19] = 1; /* type: reply */
    return send(fd, frame, REPLY_SIZE, MSG_NOSIGNAL) == REPLY_SIZE;
}

void mode_echo(const Options *options)
{
    struct epoll_event events[64];
    int listener = listen_on(options->socket);
    if (options->is_blocking) {
        for (;;) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            while (answer(fd))
                ;
            close(fd);
        }
    }
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                event.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
            } else if (!answer(fd)) {
                close(fd);
            }
        }
    }
}
