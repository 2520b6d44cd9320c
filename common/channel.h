/* A channel carries whole frames over one connected socket: it cuts the input into
 * messages, queues output that the peer does not take at once, carries descriptors, and
 * speaks keepalive by itself, below everything that is counted or delayed.
 *
 * Server clients, links to sibling daemons and our own calls to them are all channels.
 * Nothing survives a restart. */
#pragma once

#include "common/message.h"
#include "fiber/fiber.h"
#include "net/stream_socket.h"

typedef struct Channel Channel;
typedef struct ChannelPool ChannelPool;

typedef struct ChannelHandler {
    /* A whole message. The handler may close the channel. */
    void (*message)(Channel *channel, const Message *message, void *owner);
    /* Called once: the peer went away (@reason NULL) or broke the protocol, or its output
     * queue ran over. Not called after channel_close(). */
    void (*closed)(Channel *channel, const GError *reason, void *owner);
    /* The output queue fell below the low-water mark after it had been over the high one.
     * Called by the loop, never inside of a send. The handler may close the channel. */
    void (*drained)(Channel *channel, void *owner);
} ChannelHandler;

typedef struct ChannelLimits {
    size_t max_frame_bytes;  /* larger frames break the connection */
    size_t max_queued_bytes; /* output; a peer that lets more pile up is disconnected */
    bool refuses_fds;        /* who sends a descriptor is disconnected, and none is taken */
} ChannelLimits;

#define CHANNEL_HIGH_WATER_BYTES (1024 * 1024)
#define CHANNEL_LOW_WATER_BYTES (256 * 1024)

/* What the channels of one loop share: the receive buffer, and an epoll set. */
ChannelPool *channel_pool_new(FiberLoop *loop, GError **error);
void channel_pool_free(ChannelPool *pool);

/* Takes @socket. The channel is idle until channel_start(). */
Channel *channel_new(ChannelPool *pool, NetSocket *socket, const ChannelLimits *limits,
                     const ChannelHandler *handler, void *owner);
bool channel_start(Channel *channel, GError **error);
Channel *channel_ref(Channel *channel);
void channel_unref(Channel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Channel, channel_unref)

/* Closes at once, dropping what is queued. The owner is not called any more. */
void channel_close(Channel *channel);
/* Closes when what is queued has been sent, or @deadline_us has passed; from now on the
 * channel keeps itself, input is ignored, and channel_close() does nothing. */
void channel_close_when_sent(Channel *channel, uint64_t deadline_us);
bool channel_is_closed(const Channel *channel);

/* Sends one whole frame made of @iov; what the socket does not take is copied. @fds are
 * sent behind the frame, duplicated where they must wait. A send on a closed channel is
 * dropped: the owner has been told. */
void channel_send(Channel *channel, const struct iovec *iov, int n_iov, const int *fds,
                  size_t n_fds);
/* While corked, small frames are gathered; uncorking sends them in one go. */
void channel_cork(Channel *channel);
void channel_uncork(Channel *channel);
size_t channel_get_queued_bytes(const Channel *channel);

/* Stops and restarts reading (back-pressure of a stream). Counted. What a peer that has gone said
 * last is handed out all the same. */
void channel_pause(Channel *channel);
void channel_resume(Channel *channel);

/* Starts to ping a peer that was silent for @interval_s seconds; after @count unanswered
 * ones it is gone. 0 turns it off. PINGs of the peer are always answered. */
void channel_set_keepalive(Channel *channel, unsigned interval_s, unsigned count);

NetSocket *channel_get_socket(Channel *channel);
void channel_set_limits(Channel *channel, const ChannelLimits *limits);
