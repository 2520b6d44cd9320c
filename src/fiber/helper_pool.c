#include "fiber/helper_pool.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/helper_program.h"
#include "fiber/helper_spawn.h"

/* Kept for the next call, and how long. */
#define MAX_IDLE 2
#define IDLE_US (30 * G_USEC_PER_SEC)
#define IDLE_ACCURACY_US (5 * G_USEC_PER_SEC)
/* Processes that hang in the kernel; more would only hang too. */
#define MAX_ABANDONED 64

typedef struct Helper {
    HelperPool *pool;
    int pid_fd, socket;
    sd_event_source *end;
} Helper;

struct HelperPool {
    sd_event *event;
    char *name;
    ErrorFrom from;
    size_t min_answer, max_answer;
    sd_event_source *idle_timer;
    GPtrArray *idle;      /* of Helper */
    GPtrArray *abandoned; /* of Helper: closed, and not ended yet */
};

/* A child of ours that has ended or never will: reaped if it has. */
static void helper_free(Helper *helper)
{
    siginfo_t info;

    sd_event_source_disable_unref(helper->end);
    waitid(P_PIDFD, (id_t)helper->pid_fd, &info, WEXITED | WNOHANG);
    close(helper->pid_fd);
    if (helper->socket >= 0)
        close(helper->socket);
    g_free(helper);
}

static int handle_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    Helper *helper = data;

    g_ptr_array_remove_fast(helper->pool->abandoned, helper);
    helper_free(helper);
    return 0;
}

/* It ends because its socket does, or is killed; if it hangs, when it no longer does. */
static void helper_abandon(Helper *helper, bool is_hanging)
{
    HelperPool *pool = helper->pool;

    if (is_hanging)
        pidfd_send_signal(helper->pid_fd, SIGKILL, NULL, 0);
    close(helper->socket);
    helper->socket = -1;
    if (sd_event_add_io(pool->event, &helper->end, helper->pid_fd, EPOLLIN, handle_end, helper) < 0)
        helper_free(helper);
    else
        g_ptr_array_add(pool->abandoned, helper);
}

static int handle_idle(sd_event_source *source, uint64_t usec, void *data)
{
    HelperPool *pool = data;

    while (pool->idle->len > 0)
        helper_abandon(g_ptr_array_steal_index_fast(pool->idle, 0), false);
    return 0;
}

HelperPool *helper_pool_new(FiberLoop *loop, const char *name, ErrorFrom from, size_t min_answer,
                            size_t max_answer)
{
    HelperPool *pool = g_new0(HelperPool, 1);

    pool->event = sd_event_ref(fiber_loop_get_event(loop));
    pool->name = g_strdup(name);
    pool->from = from;
    pool->min_answer = MAX(min_answer, 1);
    pool->max_answer = max_answer;
    pool->idle = g_ptr_array_new();
    pool->abandoned = g_ptr_array_new();
    return pool;
}

void helper_pool_free(HelperPool *pool)
{
    if (!pool)
        return;
    sd_event_source_disable_unref(pool->idle_timer);
    for (guint i = 0; i < pool->idle->len; i++)
        helper_free(g_ptr_array_index(pool->idle, i));
    for (guint i = 0; i < pool->abandoned->len; i++)
        helper_free(g_ptr_array_index(pool->abandoned, i));
    g_ptr_array_unref(pool->idle);
    g_ptr_array_unref(pool->abandoned);
    sd_event_unref(pool->event);
    g_free(pool->name);
    g_free(pool);
}

static Helper *helper_new(HelperPool *pool, GError **error)
{
    g_autofree char *program = helper_program_find(pool->name);
    int sockets[2], pid_fd = -1;

    int result = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0 ? -errno : 0;
    if (result == 0) {
        result = helper_spawn(program, pool->name, sockets[1], &pid_fd);
        close(sockets[1]);
        if (result < 0)
            close(sockets[0]);
    }
    if (result < 0) {
        error_set_errno(error, pool->from, -result, "cannot run '%s'", program);
        return NULL;
    }
    Helper *helper = g_new0(Helper, 1);
    *helper = (Helper){ .pool = pool, .pid_fd = pid_fd, .socket = sockets[0] };
    return helper;
}

typedef union FdControl {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} FdControl;

static bool helper_send(const Helper *helper, const HelperCall *call)
{
    struct iovec part = { (void *)call->request, call->length };
    FdControl control = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (call->fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &call->fd, sizeof(int));
    }
    return sendmsg(helper->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)call->length;
}

/* An idle helper that has taken the request, or a new one. */
static Helper *helper_get(HelperPool *pool, const HelperCall *call, GError **error)
{
    while (pool->idle->len > 0) {
        Helper *idle = g_ptr_array_steal_index_fast(pool->idle, pool->idle->len - 1);
        if (helper_send(idle, call))
            return idle;
        helper_abandon(idle, true);
    }
    if (pool->abandoned->len >= MAX_ABANDONED) {
        error_set(error, pool->from, VIR_ERR_OPERATION_FAILED,
                  "%u processes hang already in calls to file systems that do not answer",
                  pool->abandoned->len);
        return NULL;
    }
    Helper *helper = helper_new(pool, error);
    /* One that is gone already shows when its answer is read. */
    if (helper)
        helper_send(helper, call);
    return helper;
}

static void helper_put(HelperPool *pool, Helper *helper)
{
    if (pool->idle->len >= MAX_IDLE) {
        helper_abandon(helper, false);
        return;
    }
    g_ptr_array_add(pool->idle, helper);
    if (!pool->idle_timer)
        sd_event_add_time(pool->event, &pool->idle_timer, CLOCK_MONOTONIC, 0, IDLE_ACCURACY_US,
                          handle_idle, pool);
    if (pool->idle_timer) {
        sd_event_source_set_time_relative(pool->idle_timer, IDLE_US);
        sd_event_source_set_enabled(pool->idle_timer, SD_EVENT_ONESHOT);
    }
}

static bool wait_fail(const HelperPool *pool, const char *path, const GError *wait_error,
                      GError **error)
{
    if (wait_error->code == VIR_ERR_OPERATION_TIMEOUT)
        error_set(error, pool->from, VIR_ERR_OPERATION_TIMEOUT,
                  "the file system of '%s' does not answer", path);
    else
        error_set(error, pool->from, (ErrorCode)wait_error->code, "access to '%s': %s", path,
                  error_detail(wait_error));
    return false;
}

/* One packet and the descriptor that came with it, or -1. */
static ssize_t receive_packet(int socket_fd, GByteArray *buffer, int *ret_fd)
{
    struct iovec part = { buffer->data, buffer->len };
    FdControl control;
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    ssize_t n = recvmsg(socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);

    *ret_fd = -1;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
    return n;
}

/* The answer has come whole: packets are not cut. */
SUSPENDS static bool helper_receive(Helper *helper, const HelperCall *call,
                                    GByteArray **ret_answer, int *ret_fd, GError **error)
{
    g_autoptr(GByteArray) answer = g_byte_array_new();
    g_autoptr(GError) wait_error = NULL;
    ssize_t n;
    int fd;

    g_byte_array_set_size(answer, (guint)helper->pool->max_answer);
    do {
        if (!fiber_wait_fd(helper->socket, EPOLLIN, call->deadline_us, NULL, &wait_error))
            return wait_fail(helper->pool, call->path, wait_error, error);
        n = receive_packet(helper->socket, answer, &fd);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    if (n < (ssize_t)helper->pool->min_answer) {
        if (n >= 0 && fd >= 0)
            close(fd);
        error_set(error, helper->pool->from, VIR_ERR_OPERATION_FAILED,
                  "the process that looks at '%s' was ended", call->path);
        return false;
    }
    g_byte_array_set_size(answer, (guint)n);
    *ret_answer = g_steal_pointer(&answer);
    if (ret_fd)
        *ret_fd = fd;
    else if (fd >= 0)
        close(fd);
    return true;
}

bool helper_pool_call(HelperPool *pool, const HelperCall *call, GByteArray **ret_answer,
                      int *ret_fd, GError **error)
{
    Helper *helper = helper_get(pool, call, error);

    if (!helper)
        return false;
    if (!helper_receive(helper, call, ret_answer, ret_fd, error)) {
        /* Who is cancelled has nothing against the helper: it ends when it is done. */
        helper_abandon(helper, !fiber_is_cancelled(fiber_current()));
        return false;
    }
    if (call->is_spent && call->is_spent(*ret_answer))
        helper_abandon(helper, false);
    else
        helper_put(pool, helper);
    return true;
}

void helper_pool_count(const HelperPool *pool, unsigned *ret_idle, unsigned *ret_abandoned)
{
    *ret_idle = pool->idle->len;
    *ret_abandoned = pool->abandoned->len;
}
