#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/internal.h"

/* The loop's descriptors of fiber_wait_fd() are in an epoll set of their own, which the
 * event loop sees as one source: sd_event_run() makes a system call for every source
 * that it dispatches, this one is dispatched once for all fibers that become ready.
 *
 * A descriptor stays in the set when its wait is over, switched off (EPOLLONESHOT), so
 * that the next wait is one system call. The kernel keeps it until its last duplicate is
 * closed and may report it under a number that means another file by then: events carry
 * number and generation of the wait that they are for, and late ones are dropped. */
#define WAIT_FD_BATCH 64
#define WAIT_FD_MIN_SLOTS 64

/* On the stack of the waiting fiber. */
typedef struct WaitFd {
    Fiber *fiber;
    uint32_t revents;
    int watched_fd; /* the caller's descriptor or a duplicate of it */
    bool is_duplicate;
} WaitFd;

/* What is known of one descriptor number. */
struct WaitFdSlot {
    WaitFd *wait; /* the one it is watched for, NULL when switched off */
    uint32_t generation;
    bool is_in_set;
};

int wait_fd_dispatch(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    FiberLoop *loop = data;
    struct epoll_event events[WAIT_FD_BATCH];
    int n = epoll_wait(fd, events, WAIT_FD_BATCH, 0);

    /* Waking runs nobody yet: all these waits are still there. */
    for (int i = 0; i < n; i++) {
        struct WaitFdSlot *slot = &loop->fd_slots[(uint32_t)events[i].data.u64];
        if (!slot->wait || slot->generation != events[i].data.u64 >> 32)
            continue;
        slot->wait->revents = events[i].events;
        fiber_wake(slot->wait->fiber, FIBER_WAKE_DONE);
    }
    return 0;
}

static struct WaitFdSlot *wait_fd_get_slot(FiberLoop *loop, int fd)
{
    size_t needed = (size_t)fd + 1;

    if (needed > loop->n_fd_slots) {
        size_t n = MAX(MAX(needed, loop->n_fd_slots * 2), WAIT_FD_MIN_SLOTS);
        loop->fd_slots = g_renew(struct WaitFdSlot, loop->fd_slots, n);
        memset(loop->fd_slots + loop->n_fd_slots, 0,
               (n - loop->n_fd_slots) * sizeof(*loop->fd_slots));
        loop->n_fd_slots = n;
    }
    return &loop->fd_slots[fd];
}

/* -EEXIST: somebody waits for this number already. */
static int wait_fd_watch(FiberLoop *loop, int fd, uint32_t events, WaitFd *wait)
{
    struct WaitFdSlot *slot = wait_fd_get_slot(loop, fd);
    struct epoll_event event = { .events = events | EPOLLONESHOT };

    if (slot->wait)
        return -EEXIST;
    event.data.u64 = (uint64_t)++slot->generation << 32 | (uint32_t)fd;
    /* The number may mean another file than the last time, in either direction. */
    int first = slot->is_in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int second = slot->is_in_set ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    int result = epoll_ctl(loop->fd_epoll, first, fd, &event);
    if (result < 0 && (errno == ENOENT || errno == EEXIST))
        result = epoll_ctl(loop->fd_epoll, second, fd, &event);
    slot->is_in_set = result == 0;
    if (result < 0)
        return -errno;
    slot->wait = wait;
    wait->watched_fd = fd;
    return 0;
}

/* The kernel takes a descriptor once only; a second fiber on it watches a duplicate. */
static int wait_fd_watch_duplicate(FiberLoop *loop, int fd, uint32_t events, WaitFd *wait)
{
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (duplicate < 0)
        return -errno;

    int result = wait_fd_watch(loop, duplicate, events, wait);
    wait->is_duplicate = result == 0;
    if (result < 0)
        close(duplicate);
    return result;
}

static void wait_fd_unwatch(FiberLoop *loop, WaitFd *wait, bool has_fired)
{
    struct WaitFdSlot *slot = &loop->fd_slots[wait->watched_fd];

    slot->wait = NULL;
    if (!has_fired || wait->is_duplicate) {
        epoll_ctl(loop->fd_epoll, EPOLL_CTL_DEL, wait->watched_fd, NULL);
        slot->is_in_set = false;
    }
    if (wait->is_duplicate)
        close(wait->watched_fd);
}

static int wait_fd_begin(int fd, uint32_t events, WaitFd *ret_wait)
{
    FiberLoop *loop = fiber_current()->loop;

    *ret_wait = (WaitFd){ .fiber = fiber_current() };
    if (fd < 0)
        return -EBADF;
    int result = wait_fd_watch(loop, fd, events, ret_wait);
    return result == -EEXIST ? wait_fd_watch_duplicate(loop, fd, events, ret_wait) : result;
}

/* Something that became ready together with the deadline is not late. */
static bool wait_fd_is_ready(int fd, uint32_t events, uint32_t *ret_revents)
{
    struct pollfd poll_fd = { .fd = fd, .events = (short)(events & 0x7fff) };

    if (poll(&poll_fd, 1, 0) <= 0)
        return false;
    *ret_revents = (uint32_t)poll_fd.revents;
    return true;
}

bool fiber_wait_fd(int fd, uint32_t events, uint64_t deadline_us, uint32_t *ret_revents,
                   GError **error)
{
    g_autoptr(GError) wait_error = NULL;
    WaitFd wait;

    if (!fiber_may_wait("a descriptor", error))
        return false;
    int result = wait_fd_begin(fd, events, &wait);
    /* Regular files cannot be watched: they never block. */
    if (result == -EPERM)
        wait.revents = events & (EPOLLIN | EPOLLOUT);
    else if (result < 0) {
        error_set_errno(error, VIR_FROM_NONE, -result, "cannot watch descriptor %d", fd);
        return false;
    } else {
        bool ok = fiber_wait(deadline_us, "a descriptor", &wait_error);
        wait_fd_unwatch(wait.fiber->loop, &wait, ok);
        if (!ok && (wait.fiber->is_cancelled || !wait_fd_is_ready(fd, events, &wait.revents))) {
            g_propagate_error(error, g_steal_pointer(&wait_error));
            return false;
        }
    }
    if (ret_revents)
        *ret_revents = wait.revents;
    return true;
}

bool wait_fd_shielded(int fd, uint32_t events, uint64_t deadline_us)
{
    WaitFd wait;

    if (wait_fd_begin(fd, events, &wait) < 0)
        return false;
    bool ok = fiber_wait_shielded(deadline_us);
    wait_fd_unwatch(wait.fiber->loop, &wait, ok);
    return ok;
}
