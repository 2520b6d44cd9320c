/* What the parts of a channel share: life and output (channel.c), cutting the input into
 * messages (channel_input.c), keepalive (keepalive.c). */
#pragma once

#include <sys/epoll.h>

#include "common/channel.h"
#include "common/output_queue.h"

struct ChannelPool {
    FiberLoop *loop; /* whose event loop the set is watched by; not ours */
    uint8_t *buffer; /* what was received last, on any channel */
    int epoll_fd;
    sd_event_source *source;
    struct epoll_event *batch; /* being dispatched */
    int n_batch;
    GQueue lingering; /* of Channel.lingering_link: nobody else owns them */
    Channel *alone; /* the only one that was ready the last time, no reference */
    unsigned n_guesses;
};

struct Channel {
    unsigned n_refs; /* the owner's; itself, while it lingers; who works on it right now */
    ChannelPool *pool;
    NetSocket *socket;
    uint32_t events; /* what epoll was asked for last */
    ChannelLimits limits;
    const ChannelHandler *handler; /* constant data */
    void *owner; /* not called any more once the channel is closed or lingers */

    OutputQueue output;
    unsigned n_corks, n_pauses;
    bool is_over_high_water, is_started, is_closed, is_lingering;
    sd_event_source *linger_timer;
    GList lingering_link;
    GError *failure; /* set until the owner has been told */

    GByteArray *partial;   /* the beginning of a frame whose end has not come yet */
    size_t partial_room;   /* bytes that it takes without growing */
    uint64_t position;     /* of the next byte to parse, in all that was ever received */
    GArray *pending_fds;   /* of PendingFd: received, and not yet claimed by a frame */

    uint64_t last_received_us;
    sd_event_source *keepalive_timer;
    unsigned keepalive_interval_s, keepalive_count, n_pings_unanswered;
    unsigned n_pongs_waiting; /* put into the queue since it last grew shorter */
};

/* Stores @reason and breaks the connection; the owner is told by the loop. */
void channel_fail(Channel *channel, GError *reason);
/* Sends a small frame ahead of all that waits. */
void channel_send_urgent(Channel *channel, const uint8_t *bytes, size_t length);
/* Takes what was received, and gives the owner every message that is whole. */
void channel_input(Channel *channel, const uint8_t *bytes, size_t length, const int *fds,
                   size_t n_fds);
void channel_input_clear(Channel *channel);
/* Wipes and frees the beginning of a frame. */
void channel_drop_partial(Channel *channel);
/* Answers a message of the keepalive program. */
void channel_keepalive_message(Channel *channel, const FrameHeader *header);
