/* The life of a channel and its output. What the socket does not take at once is queued; the
 * queue is sent on when epoll says so. Nothing in here calls the owner from inside of one of
 * the owner's own calls: failures and drained queues are noted, and reported by
 * channel_settle() from the loop. */
#include "common/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wipe.h"
#include "common/channel_private.h"

/* One buffer serves all channels of a pool, because what is received is parsed, or copied,
 * before the next channel has its turn. So a connection that is idle costs no buffer. */
#define RECEIVE_BUFFER_BYTES (64 * 1024)
#define EVENTS_PER_WAKE_UP 64
#define ROUNDS_PER_WAKE_UP 4 /* fairness: then the others' turn */
/* Frames up to this size are gathered while corked; larger ones are worth a send. */
#define CORK_MAX_BYTES (16 * 1024)

/* A client that calls, waits and calls again is mostly the only one that is ready: so what
 * was alone ready the last time is read without asking which is, a few times in a row. */
#define GUESSES_IN_A_ROW 8

static void channel_on_io(Channel *channel, uint32_t revents);
static bool channel_receive(Channel *channel);
static void channel_settle(Channel *channel);

/* True when the guess was right, and the set need not be asked this time. A wrong one costs
 * one read that says EAGAIN. */
static bool channel_pool_guess(ChannelPool *pool)
{
    g_autoptr(Channel) channel = pool->alone ? channel_ref(pool->alone) : NULL;
    bool is_right;

    if (!channel || pool->n_guesses++ >= GUESSES_IN_A_ROW)
        return false;
    is_right = !channel->failure && channel->n_pauses == 0 && !channel->is_lingering &&
               channel_receive(channel);
    channel_settle(channel);
    return is_right;
}

/* sd-event asks the kernel again after each source that it dispatches, and gets all that
 * are ready each time: with many busy channels that is most of the work. So channels share
 * an epoll set of their own, which is one source for sd-event. */
static int channel_pool_on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    ChannelPool *pool = userdata;
    struct epoll_event events[EVENTS_PER_WAKE_UP];
    int n;

    if (channel_pool_guess(pool))
        return 0;
    n = epoll_wait(fd, events, EVENTS_PER_WAKE_UP, 0);
    pool->n_guesses = 0;
    pool->alone = n == 1 ? events[0].data.ptr : NULL;
    pool->batch = events;
    pool->n_batch = MAX(n, 0);
    for (int i = 0; i < pool->n_batch; i++) {
        /* NULL: closed by the handler of another channel of this batch. */
        if (events[i].data.ptr)
            channel_on_io(events[i].data.ptr, events[i].events);
    }
    pool->n_batch = 0;
    return 0;
}

/* The kernel has handed out pointers to channels for the whole batch. One that ends in its
 * middle must be struck out of the rest, and out of the guess. */
static void channel_pool_forget(ChannelPool *pool, const Channel *channel)
{
    if (pool->alone == channel)
        pool->alone = NULL;
    for (int i = 0; i < pool->n_batch; i++) {
        if (pool->batch[i].data.ptr == channel)
            pool->batch[i].data.ptr = NULL;
    }
}

ChannelPool *channel_pool_new(FiberLoop *loop, GError **error)
{
    ChannelPool *pool = g_new0(ChannelPool, 1);
    int result;

    pool->loop = loop;
    pool->buffer = g_malloc(RECEIVE_BUFFER_BYTES);
    pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    result = pool->epoll_fd < 0 ? -errno
                                : sd_event_add_io(fiber_loop_get_event(loop), &pool->source,
                                                  pool->epoll_fd, EPOLLIN, channel_pool_on_ready,
                                                  pool);
    if (result < 0) {
        error_set_errno(error, VIR_FROM_RPC, -result, "Cannot watch connections");
        channel_pool_free(pool);
        return NULL;
    }
    return pool;
}

/* Nothing here can fail, so that @socket has an owner in any case; what can is
 * channel_start()'s. */
Channel *channel_new(ChannelPool *pool, NetSocket *socket, const ChannelLimits *limits,
                     const ChannelHandler *handler, void *owner)
{
    Channel *channel = g_new0(Channel, 1);

    channel->n_refs = 1;
    channel->pool = pool;
    channel->socket = socket;
    channel->limits = *limits;
    channel->handler = handler;
    channel->owner = owner;
    channel->last_received_us = fiber_now_us();
    return channel;
}

Channel *channel_ref(Channel *channel)
{
    channel->n_refs++;
    return channel;
}

/* The end of the connection, not of the struct: that stays until the last reference, with what
 * a parser further up the stack still looks at (partial). Called more than once. */
static void channel_end(Channel *channel)
{
    if (channel->is_closed)
        return;
    channel->is_closed = true;
    sd_event_source_disable_unref(g_steal_pointer(&channel->keepalive_timer));
    sd_event_source_disable_unref(g_steal_pointer(&channel->linger_timer));
    channel_pool_forget(channel->pool, channel);
    output_queue_clear(&channel->output);
    channel_input_clear(channel);
    /* Closing the descriptor does this as well, but not when another process has a copy. */
    if (channel->is_started)
        epoll_ctl(channel->pool->epoll_fd, EPOLL_CTL_DEL, net_socket_get_fd(channel->socket), NULL);
    g_clear_pointer(&channel->socket, net_socket_free);
    if (channel->is_lingering) {
        g_queue_unlink(&channel->pool->lingering, &channel->lingering_link);
        channel_unref(channel);
    }
}

/* Channels that linger have no owner who would end them; all others are gone by now. */
void channel_pool_free(ChannelPool *pool)
{
    if (!pool)
        return;
    while (pool->lingering.head)
        channel_end(pool->lingering.head->data);
    sd_event_source_disable_unref(pool->source);
    if (pool->epoll_fd >= 0)
        close(pool->epoll_fd);
    g_free(pool->buffer);
    g_free(pool);
}

void channel_unref(Channel *channel)
{
    if (!channel || --channel->n_refs > 0)
        return;
    channel_end(channel);
    channel_drop_partial(channel);
    g_clear_error(&channel->failure);
    g_free(channel);
}

void channel_close(Channel *channel)
{
    /* Lingering, it belongs to itself and ends when all has been sent. */
    if (!channel->is_lingering)
        channel_end(channel);
}

/* A channel that has failed is as good as closed, although its socket is still there and its
 * owner has not been told. */
bool channel_is_closed(const Channel *channel)
{
    return channel->is_closed || channel->failure;
}

NetSocket *channel_get_socket(Channel *channel)
{
    return channel->socket;
}

/* What is queued or half received already is measured against the new limits with the next
 * byte. */
void channel_set_limits(Channel *channel, const ChannelLimits *limits)
{
    channel->limits = *limits;
}

size_t channel_get_queued_bytes(const Channel *channel)
{
    return channel->output.n_bytes;
}

/* Level-triggered: what is not taken in one round is announced again in the next. */
static int channel_watch(Channel *channel, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = channel };

    channel->events = events;
    return epoll_ctl(channel->pool->epoll_fd, operation, net_socket_get_fd(channel->socket),
                     &event);
}

/* The owner waits for the queue to shrink, and it has. */
static bool channel_is_drained(const Channel *channel)
{
    return channel->is_over_high_water && channel->output.n_bytes < CHANNEL_LOW_WATER_BYTES;
}

/* Asks epoll for what we want now; costs a system call only when that changed. */
static void channel_update_events(Channel *channel)
{
    uint32_t events = channel->n_pauses == 0 && !channel->is_lingering ? EPOLLIN : 0;

    if (channel->output.first || channel_is_drained(channel))
        events |= EPOLLOUT;
    events = net_socket_get_events(channel->socket, events);
    if (events != channel->events && channel->is_started)
        channel_watch(channel, EPOLL_CTL_MOD, events);
}

void channel_fail(Channel *channel, GError *reason)
{
    if (channel->is_closed || channel->failure) {
        g_error_free(reason);
        return;
    }
    /* The owner is told by the loop, never from inside one of its own calls. */
    channel->failure = reason;
    output_queue_clear(&channel->output);
    shutdown(net_socket_get_fd(channel->socket), SHUT_RDWR);
    channel_update_events(channel);
}

/* @channel may be freed in here, unless the caller holds a reference: the owner drops its own,
 * and a lingering channel has no other. */
static void channel_report_closed(Channel *channel)
{
    g_autoptr(GError) reason = g_steal_pointer(&channel->failure);
    bool is_wanted = !channel->is_lingering && !channel->is_closed;

    channel_end(channel);
    if (is_wanted && channel->handler->closed)
        channel->handler->closed(channel, reason, channel->owner);
}

/* TLS knows more than an errno. */
static void channel_fail_io(Channel *channel, const char *what, int errnum)
{
    const char *detail = net_socket_get_failure(channel->socket);

    channel_fail(channel, g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_SYSTEM_ERROR,
                                      "Cannot %s the peer: %s", what,
                                      detail ? detail : g_strerror(errnum)));
}

/* Calls nobody: it is used inside of sends, whose callers expect nothing to change. */
static void channel_flush(Channel *channel)
{
    size_t before = channel->output.n_bytes;
    int result;

    if (!channel->output.first)
        return;
    result = output_queue_flush(&channel->output, channel->socket);
    if (result < 0 && result != -EAGAIN) {
        channel_fail_io(channel, "write to", -result);
        return;
    }
    if (channel->output.n_bytes < before)
        channel->n_pongs_waiting = 0;
    if (before > CHANNEL_HIGH_WATER_BYTES)
        channel->is_over_high_water = true;
}

/* Tells the owner, which may do anything now: send, or close the channel. */
static void channel_report_drained(Channel *channel)
{
    channel->is_over_high_water = false;
    if (channel->handler->drained && !channel->is_lingering)
        channel->handler->drained(channel, channel->owner);
}

/* How much of a frame the socket took at once; the rest must be queued. */
static ssize_t channel_send_now(Channel *channel, const struct iovec *iov, int n_iov, size_t total)
{
    ssize_t sent;

    if (channel->n_corks > 0 && total < CORK_MAX_BYTES)
        return 0;
    channel_flush(channel);
    if (channel_is_closed(channel) || channel->output.first)
        return 0;
    sent = net_socket_send(channel->socket, iov, n_iov, NULL, 0);
    if (sent == -EAGAIN) {
        channel->output.n_offered = total;
        return 0;
    }
    if (sent < 0)
        channel_fail_io(channel, "write to", (int)-sent);
    return sent;
}

/* Checked behind each frame, not before: so one frame of any size can always be sent to a peer
 * that reads, and the queue is over its limit by one frame at most. */
static void channel_check_queue(Channel *channel)
{
    if (channel->output.n_bytes <= channel->limits.max_queued_bytes)
        return;
    channel_fail(channel, g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_RPC,
                                      "The peer does not read: %zu bytes are waiting for it, at "
                                      "most %zu may",
                                      channel->output.n_bytes,
                                      channel->limits.max_queued_bytes));
}

void channel_send(Channel *channel, const struct iovec *iov, int n_iov, const int *fds,
                  size_t n_fds)
{
    size_t total = 0;
    ssize_t sent;

    if (channel_is_closed(channel) || channel->is_lingering)
        return;
    for (int i = 0; i < n_iov; i++)
        total += iov[i].iov_len;
    sent = channel_send_now(channel, iov, n_iov, total);
    if (sent < 0 || channel_is_closed(channel) || ((size_t)sent == total && n_fds == 0))
        return;
    /* From here on the frame's rest, and all descriptors, must wait in the queue: anything
     * sent directly would overtake them. */
    if ((size_t)sent < total)
        output_queue_append(&channel->output, iov, n_iov, (size_t)sent);
    for (size_t i = 0; i < n_fds; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

        if (fd >= 0)
            output_queue_append_fd(&channel->output, fd);
        else
            channel_fail(channel, g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_SYSTEM_ERROR,
                                              "Cannot duplicate a descriptor: %s",
                                              g_strerror(errno)));
    }
    if (n_fds > 0 && channel->n_corks == 0)
        channel_flush(channel);
    channel_check_queue(channel);
    if (channel->n_corks == 0 && !channel->is_closed)
        channel_update_events(channel);
}

/* Not measured against the limit of the queue: what is urgent is small, and the sender counts
 * it (see MAX_PONGS_WAITING). */
void channel_send_urgent(Channel *channel, const uint8_t *bytes, size_t length)
{
    if (channel_is_closed(channel) || channel->is_lingering)
        return;
    output_queue_insert_urgent(&channel->output, bytes, length);
    if (channel->n_corks > 0)
        return;
    channel_flush(channel);
    channel_update_events(channel);
}

void channel_cork(Channel *channel)
{
    channel->n_corks++;
}

void channel_uncork(Channel *channel)
{
    if (--channel->n_corks > 0 || channel_is_closed(channel))
        return;
    channel_flush(channel);
    if (!channel->is_closed && !(channel->is_lingering && !channel->output.first))
        channel_update_events(channel);
}

/* Messages that are in the buffer already are still handed out: the owner gets at most one
 * buffer more than it wants. */
void channel_pause(Channel *channel)
{
    if (channel->n_pauses++ == 0 && !channel->is_closed)
        channel_update_events(channel);
}

void channel_resume(Channel *channel)
{
    if (--channel->n_pauses == 0 && !channel->is_closed)
        channel_update_events(channel);
}

/* 0 is the orderly end of the peer, of which the owner is told without a reason. */
static void channel_receive_failed(Channel *channel, ssize_t result)
{
    if (result == -EAGAIN)
        return;
    if (result < 0)
        channel_fail_io(channel, "read from", (int)-result);
    channel_report_closed(channel);
}

/* False when there was nothing to receive. */
static bool channel_receive(Channel *channel)
{
    bool has_received = false;

    channel_cork(channel);
    /* What TLS has decrypted already no poll would announce: it is always taken. */
    for (int round = 0; round < ROUNDS_PER_WAKE_UP ||
                        net_socket_has_pending(channel->socket); round++) {
        int fds[G_N_ELEMENTS(((MessageFds *)NULL)->fds)];
        size_t max_fds = channel->limits.refuses_fds ? 0 : G_N_ELEMENTS(fds);
        size_t n_fds = 0;
        ssize_t n = net_socket_receive(channel->socket, channel->pool->buffer,
                                       RECEIVE_BUFFER_BYTES, fds, max_fds, &n_fds);

        if (n <= 0) {
            has_received = has_received || n != -EAGAIN;
            channel_receive_failed(channel, n);
            break;
        }
        has_received = true;
        sd_event_now(fiber_loop_get_event(channel->pool->loop), CLOCK_MONOTONIC,
                     &channel->last_received_us);
        channel->n_pings_unanswered = 0;
        channel_input(channel, channel->pool->buffer, (size_t)n, fds, n_fds);
        /* There may have been a password in it, and the next message may be shorter. */
        wipe(channel->pool->buffer, (size_t)n);
        if (!channel->is_closed && net_socket_has_lost_fds(channel->socket))
            channel_fail(channel, g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_RPC,
                                              max_fds > 0
                                                  ? "Descriptors of the peer were lost: there is "
                                                    "no room for more"
                                                  : "The peer sends descriptors and has not been "
                                                    "let in"));
        if (channel_is_closed(channel) || channel->n_pauses > 0)
            break;
        /* A short read has emptied the socket; reading again would only say EAGAIN. A read
         * that ends at a descriptor is short without that. */
        if ((size_t)n < RECEIVE_BUFFER_BYTES && n_fds == 0 &&
            !net_socket_has_pending(channel->socket))
            break;
    }
    channel_uncork(channel);
    return has_received;
}

/* What is left to do when input and output have been looked at. */
static void channel_settle(Channel *channel)
{
    if (!channel_is_closed(channel) && channel_is_drained(channel))
        channel_report_drained(channel);
    if (channel->is_closed)
        return;
    if (channel->failure || (channel->is_lingering && !channel->output.first))
        channel_report_closed(channel);
    else
        channel_update_events(channel);
}

static void channel_on_io(Channel *source, uint32_t revents)
{
    g_autoptr(Channel) channel = channel_ref(source);
    bool has_gone = revents & (EPOLLHUP | EPOLLERR);

    /* Output first: a peer that waits for room may have sent nothing because of it. */
    if (!channel->failure && (revents & EPOLLOUT))
        channel_flush(channel);
    /* A pause holds the peer back, and there is none any more: what it has said last is taken up to
     * its end, and cannot be more than the kernel has kept. */
    if (!channel->failure && !channel->is_lingering && (channel->n_pauses == 0 || has_gone))
        channel_receive(channel);
    else if (!channel->failure && has_gone)
        channel_report_closed(channel);
    channel_settle(channel);
}

bool channel_start(Channel *channel, GError **error)
{
    uint32_t events = net_socket_get_events(channel->socket, EPOLLIN);

    if (channel_watch(channel, EPOLL_CTL_ADD, events) < 0) {
        error_set_errno(error, VIR_FROM_RPC, errno, "Cannot watch the connection");
        return false;
    }
    channel->is_started = true;
    /* Who has just come speaks first. */
    channel->pool->alone = channel;
    return true;
}

static int channel_on_linger(sd_event_source *source, uint64_t usec, void *userdata)
{
    g_autoptr(Channel) channel = channel_ref(userdata);

    channel_report_closed(channel);
    return 0;
}

void channel_close_when_sent(Channel *channel, uint64_t deadline_us)
{
    if (channel->is_closed || channel->is_lingering)
        return;
    if (channel->n_corks == 0)
        channel_flush(channel);
    if (!channel->output.first || channel->failure) {
        if (channel->n_corks == 0) {
            channel_close(channel);
            return;
        }
    }
    /* The channel owns itself from here on: channel_close() drops this reference. */
    channel->is_lingering = true;
    channel_ref(channel);
    channel->lingering_link.data = channel;
    g_queue_push_tail_link(&channel->pool->lingering, &channel->lingering_link);
    sd_event_add_time(fiber_loop_get_event(channel->pool->loop), &channel->linger_timer,
                      CLOCK_MONOTONIC, deadline_us, 0, channel_on_linger, channel);
    if (channel->n_corks == 0)
        channel_update_events(channel);
}
